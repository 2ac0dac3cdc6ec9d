"""Published weights: read without running code, matched name by name."""

import os
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from workers.checkpoints.pickles import unpickle
from workers.checkpoints.state_dicts import chosen
from workers.checkpoints.upstream import (
    IncompatibleCheckpoint,
    class_count,
    differences,
    load_for_training,
    load_strict,
    write_weights,
)
from workers.checkpoints.weight_files import open_weights
from workers.recipes import build
from workers.recipes.table import recipe_named

WEIGHTS = {
    "features.0.weight": torch.arange(6.0).view(2, 3),
    "classifier.0.weight": torch.ones(2, 3),
}


def _bare(path: Path) -> None:
    torch.save(WEIGHTS, path)


def _wrapped(path: Path) -> None:
    torch.save({"state_dict": WEIGHTS, "epoch": 3}, path)


def _parallel(path: Path) -> None:
    torch.save({"state_dict": {f"module.{name}": t for name, t in WEIGHTS.items()}}, path)


def _legacy(path: Path) -> None:
    torch.save(WEIGHTS, path, _use_new_zipfile_serialization=False)


def _read_weights(path: Path) -> dict[str, Tensor]:
    fitting = [s for s in open_weights(path).candidates if not differences(WEIGHTS, s.tensors)]
    return dict(chosen(path.name, fitting).tensors)


def _same(found: dict[str, Tensor]) -> bool:
    return found.keys() == WEIGHTS.keys() and all(
        torch.equal(found[name], WEIGHTS[name]) for name in WEIGHTS
    )


@pytest.mark.parametrize(
    "write", [_bare, _wrapped, _parallel, _legacy, lambda p: write_weights(p, WEIGHTS)]
)
def test_every_published_form_gives_the_same_weights(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    write(tmp_path / "weights.pth.tar")
    assert _same(_read_weights(tmp_path / "weights.pth.tar"))


def test_safetensors_give_the_same_weights(tmp_path: Path) -> None:
    safetensors.torch.save_file(WEIGHTS, tmp_path / "weights.safetensors")
    assert _same(_read_weights(tmp_path / "weights.safetensors"))


@pytest.mark.parametrize("write", [_bare, _legacy])
def test_a_file_cut_short_anywhere_is_refused_by_name(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    path = tmp_path / "weights.pth.tar"
    write(path)
    content = path.read_bytes()
    # Without the process of its own in which a file is read first: it would take a minute.
    read: Callable[[Path], object]
    read = open_weights if write is _bare else partial(unpickle, zipped=False)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(IncompatibleCheckpoint, match=r"weights\.pth\.tar is (cut off|empty)"):
            read(path)


def test_safetensors_cut_short_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file(WEIGHTS, path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(IncompatibleCheckpoint, match=r"weights\.safetensors is cut off"):
        _read_weights(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>Not found</html>",
        "версия".encode(),
        pickle.dumps({"weight": [1, 2]}),
        pickle.dumps([1, 2]),
        b"PK\x03\x04 no zip",
    ],
)
def test_a_file_that_is_no_weights_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(IncompatibleCheckpoint, match=r"weights\.pth"):
        _read_weights(path)


class _Malicious:
    def __init__(self, witness: Path) -> None:
        self._witness = witness

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self._witness),)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_with_code_is_refused_by_what_it_calls_and_does_not_run(
    tmp_path: Path, zipped: bool
) -> None:
    path, witness = tmp_path / "weights.pth.tar", tmp_path / "ran"
    content = {"state_dict": _Malicious(witness)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(IncompatibleCheckpoint, match=r"its pickle calls posix\.mkdir"):
        _read_weights(path)
    assert not witness.exists()


def test_names_with_and_without_the_prefix_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth.tar"
    torch.save({"a": torch.ones(1), "module.a": torch.zeros(1)}, path)
    with pytest.raises(IncompatibleCheckpoint, match=r"both with and without 'module\.'"):
        _read_weights(path)


def test_what_does_not_fit_is_listed_and_the_network_left_alone() -> None:
    network = build("oneshot", "searched", 10)
    weights = {name: tensor + 1 for name, tensor in network.state_dict().items()}
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    weights["extra"] = weights.pop("first_conv.0.weight")
    weights["classifier.0.weight"] = torch.ones(7, 1024)
    with pytest.raises(IncompatibleCheckpoint) as refused:
        load_strict(network, weights)
    for part in (
        "1 missing (first_conv.0.weight)",
        "1 unexpected (extra)",
        "1 misshapen (classifier.0.weight is [7, 1024], not [10, 1024])",
    ):
        assert part in str(refused.value)
    assert all(torch.equal(t, before[name]) for name, t in network.state_dict().items())


def test_a_replaced_head_is_the_only_thing_left_fresh() -> None:
    weights = build("oneshot", "searched", 10).state_dict()
    network, heads = build("oneshot", "searched", 3), recipe_named("oneshot").heads
    assert load_for_training(network, weights, heads, "replace") == ["classifier.0.weight"]
    assert torch.equal(network.state_dict()["first_conv.0.weight"], weights["first_conv.0.weight"])


@pytest.mark.parametrize(
    ("recipe", "variant"),
    [("oneshot", "searched"), ("shufflenet_v2", "0.5x"), ("shufflenet_v2_plus", "small")],
)
def test_the_classes_of_weights_are_counted(recipe: str, variant: str) -> None:
    heads = recipe_named(recipe).heads
    assert class_count(build(recipe, variant, 7).state_dict(), heads) == 7
    assert class_count({"features.0.weight": torch.ones(3, 3)}, heads) is None
