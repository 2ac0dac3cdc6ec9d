"""Class names travel with weights: into a checkpoint by an import, and out of it by an export."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from api_tests.support.originals import imported, network_of, params_of, saved
from service.contract.exchange import ExportFormat, ImportRequest
from workers.checkpoints.folder import read_manifest
from workers.checkpoints.snapshot import load
from workers.exchange.errors import ImportRefused
from workers.exchange.exports import export_checkpoint, export_name
from workers.exchange.imports import import_file

NAMES = ("cat", "dog", "10", "2", "gnu, wild")
RECIPE = "shufflenet_v2"


def write_weights(root: Path, **beside: Any) -> None:
    """`weights.pth.tar`, with these values beside the weights."""
    content = {"state_dict": network_of(RECIPE).state_dict()} | beside
    torch.save(content, root / "weights.pth.tar")


def write_text(root: Path, name: str, text: str) -> None:
    write_weights(root)
    (root / f"weights.pth.tar.classes.{name}").write_bytes(text.encode())


BY_INDEX = {str(row): [name, "a synonym"] for row, name in reversed(list(enumerate(NAMES)))}
INDICES = {name: row for row, name in enumerate(NAMES)}
SOURCES: dict[str, Callable[[Path], None]] = {
    "a list in the file": lambda root: write_weights(root, class_names=list(NAMES)),
    "torchvision's indices in the file": lambda root: write_weights(root, class_to_idx=INDICES),
    "lines": lambda root: write_text(root, "txt", "\n".join(NAMES)),
    "lines of Windows": lambda root: write_text(
        root, "txt", "\ufeff" + "\r\n".join(NAMES) + "\r\n"
    ),
    "a list in JSON": lambda root: write_text(root, "json", json.dumps(NAMES)),
    "JSON by index": lambda root: write_text(root, "json", json.dumps(BY_INDEX)),
}


@pytest.mark.parametrize("write", SOURCES.values(), ids=SOURCES)
def test_names_are_read_from_the_file_and_from_beside_it(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    write(tmp_path)
    found = imported(tmp_path, "weights.pth.tar")
    assert found.manifest.class_names == NAMES
    assert any("names of its classes (5) are from weights.pth.tar" in n for n in found.notes)


def test_names_of_the_request_come_first_then_those_beside_the_file(tmp_path: Path) -> None:
    write_weights(tmp_path, class_names=[f"within {row}" for row in range(5)])
    beside = [f"beside {row}" for row in range(5)]
    (tmp_path / "weights.pth.tar.classes.txt").write_text("\n".join(beside))
    assert imported(tmp_path, "weights.pth.tar").manifest.class_names == tuple(beside)
    named = imported(tmp_path, "weights.pth.tar", class_names=NAMES).manifest
    assert named.class_names == NAMES


def test_a_file_whose_name_is_too_long_for_one_beside_it_is_imported(tmp_path: Path) -> None:
    name = f"{'n' * 245}.pth"
    write_weights(tmp_path, class_names=NAMES)
    (tmp_path / "weights.pth.tar").rename(tmp_path / name)
    assert imported(tmp_path, name).manifest.class_names == NAMES


@pytest.mark.parametrize(
    "value", [1000, ["a", "a", "b", "c", "d"], [1, 2, 3, 4, 5], {"a": "b"}, []]
)
def test_a_file_of_another_program_without_usable_names_is_imported_and_said_to_have_none(
    value: Any, tmp_path: Path
) -> None:
    write_weights(tmp_path, classes=value)
    found = imported(tmp_path, "weights.pth.tar")
    assert found.manifest.class_names == ()
    assert any("the names of the classes are not known" in note for note in found.notes)


@pytest.mark.parametrize(
    ("names", "code", "message"),
    [
        (("a", "b", "a", "c", "d"), "class_names_invalid", "rows 0 and 2 .* name 'a'"),
        (("a", "b", " ", "c", "d"), "class_names_invalid", "row 2 has a blank name"),
        (("a", "b"), "class_count_mismatch", "5 classes, and class_names has 2 names"),
        ((), "class_count_mismatch", "5 classes, and class_names has 0 names"),
    ],
)
def test_names_that_fit_no_classifier_are_refused(
    names: tuple[str, ...], code: str, message: str, tmp_path: Path
) -> None:
    write_weights(tmp_path)
    with pytest.raises(ImportRefused, match=message) as refused:
        import_file(ImportRequest(file="weights.pth.tar", class_names=names), tmp_path)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("txt", "a\nb\n\nc\nd", "row 2 has a blank name"),
        ("txt", "a\nb", "has 2 names"),
        ("json", '{"0": "a", "2": "b"}', "neither a list of names nor names by index"),
        ("json", "[", "is no file of class names"),
        ("txt", "\udcff".encode(errors="surrogateescape").decode("latin-1"), "has 1 name$"),
    ],
)
def test_a_file_of_names_that_cannot_be_used_is_named(
    name: str, text: str, message: str, tmp_path: Path
) -> None:
    write_text(tmp_path, name, text)
    with pytest.raises(ImportRefused, match=f"weights.pth.tar.classes.{name}.*{message}"):
        import_file(ImportRequest(file="weights.pth.tar"), tmp_path)


def test_a_classifier_without_rows_is_refused(tmp_path: Path) -> None:
    tensors = network_of(RECIPE).state_dict()
    tensors["classifier.0.weight"] = tensors["classifier.0.weight"][:0]
    torch.save(tensors, tmp_path / "weights.pth.tar")
    with pytest.raises(ImportRefused) as refused:
        import_file(ImportRequest(file="weights.pth.tar"), tmp_path)
    assert refused.value.code == "class_count_mismatch"


def exported(root: Path, recipe: str, form: ExportFormat) -> Path:
    checkpoint, _ = saved(root, recipe, network_of(recipe).state_dict(), class_names=NAMES)
    manifest = read_manifest(checkpoint)
    assert manifest is not None
    target = root / export_name(manifest, form)
    export_checkpoint(load(checkpoint), target, form, params=params_of(recipe))
    return target


@pytest.mark.parametrize(
    ("recipe", "form"),
    [("oneshot", "pth.tar"), (RECIPE, "pth.tar"), (RECIPE, "safetensors")],
    ids=["a bare pth", "a pth with keys", "safetensors"],
)
def test_an_exported_file_is_imported_again_with_its_class_names(
    recipe: str, form: ExportFormat, tmp_path: Path
) -> None:
    file = exported(tmp_path, recipe, form)
    assert imported(tmp_path, file.name).manifest.class_names == NAMES


def test_a_bare_export_loads_as_weights_alone(tmp_path: Path) -> None:
    content = torch.load(exported(tmp_path, "oneshot", "pth.tar"))
    assert content.keys() == network_of("oneshot").state_dict().keys()


def test_safetensors_have_the_names_as_metadata(tmp_path: Path) -> None:
    with safetensors.safe_open(exported(tmp_path, RECIPE, "safetensors"), "pt") as file:
        assert json.loads(file.metadata()["class_names"]) == list(NAMES)
