"""Each bad input has its own message and code, and leaves nothing behind."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from api_tests.support.originals import network_of
from service.contract.exchange import ImportRequest
from workers.exchange.errors import ImportRefused
from workers.exchange.imports import import_file

NOBODY = 65534


class _Malicious:
    def __reduce__(self) -> Any:
        return os.mkdir, ("ran",)


def _weights(root: Path) -> None:
    torch.save(network_of("shufflenet_v2").state_dict(), root / "good.pth.tar")


def _cut(root: Path, name: str, *, zipped: bool = True) -> None:
    tensors, path = network_of("shufflenet_v2").state_dict(), root / name
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(tensors, path)
    else:
        torch.save(tensors, path, _use_new_zipfile_serialization=zipped)
    path.write_bytes(path.read_bytes()[:-1000])


def _mean(root: Path, *shape: int) -> None:
    _weights(root)
    np.save(root / "mean.npy", np.zeros(shape, np.float32))


def _link_out(root: Path) -> None:
    (root.parent / "secret.pth").write_bytes(b"")
    (root / "link.pth").symlink_to(root.parent / "secret.pth")


def _link_to_itself(root: Path) -> None:
    (root / "link.pth").symlink_to(root / "link.pth")


def _fifo(root: Path) -> None:
    os.mkfifo(root / "fifo.pth")


def _complex(root: Path) -> None:
    tensors = network_of("shufflenet_v2").state_dict()
    tensors["first_conv.0.weight"] = tensors["first_conv.0.weight"].to(torch.complex64)
    torch.save(tensors, root / "complex.pth")


GOOD: dict[str, Any] = {"file": "good.pth.tar"}
MINUS_MEAN: dict[str, Any] = GOOD | {"mean_image": "mean.npy"}
BAD: list[tuple[str, str, dict[str, Any], Callable[[Path], Any]]] = [
    ("file_missing", "there is no such file below", {"file": "none.pth"}, lambda _: None),
    ("file_missing", "leads out of the import root", {"file": "link.pth"}, _link_out),
    ("file_missing", "leads back to itself", {"file": "link.pth"}, _link_to_itself),
    ("file_missing", "there is no such file", {"file": "name/" * 810 + "x.pth"}, lambda _: None),
    ("file_missing", "there is no such file", {"file": "fifo.pth"}, _fifo),
    (
        "file_truncated",
        "cut.pth.tar is cut off: .* after [0-9]+ bytes",
        {"file": "cut.pth.tar"},
        lambda root: _cut(root, "cut.pth.tar"),
    ),
    (
        "file_truncated",
        "old.pkl is cut off",
        {"file": "old.pkl"},
        lambda root: _cut(root, "old.pkl", zipped=False),
    ),
    (
        "file_truncated",
        "cut.safetensors is cut off",
        {"file": "cut.safetensors"},
        lambda root: _cut(root, "cut.safetensors"),
    ),
    (
        "file_truncated",
        "is empty",
        {"file": "empty.pth"},
        lambda root: (root / "empty.pth").write_bytes(b""),
    ),
    (
        "not_weights",
        "text.pth.tar is not a file of weights: it begins with b'<html>",
        {"file": "text.pth.tar"},
        lambda root: (root / "text.pth.tar").write_text("<html>Not found</html>"),
    ),
    (
        "not_weights",
        "photo.png is not a file of weights: it begins with b'1'",
        {"file": "photo.png"},
        lambda root: (root / "photo.png").write_bytes(b"1"),
    ),
    (
        "not_weights",
        "does not contain a dictionary",
        {"file": "list.pth"},
        lambda root: torch.save([1, 2], root / "list.pth"),
    ),
    (
        "not_weights",
        "first_conv.0.weight has the unsupported type",
        {"file": "complex.pth"},
        _complex,
    ),
    (
        "pickle_with_code",
        r"its pickle calls posix\.mkdir",
        {"file": "code.pth"},
        lambda root: torch.save({"state_dict": _Malicious()}, root / "code.pth"),
    ),
    (
        "unknown_network",
        "no network of the series fits the file; the nearest is",
        {"file": "foreign.pth"},
        lambda root: torch.save({"layer.weight": torch.ones(3, 3)}, root / "foreign.pth"),
    ),
    (
        "other_network",
        "the file has weights of shufflenet_v2 0.5x, not of oneshot",
        GOOD | {"recipe": "oneshot"},
        _weights,
    ),
    (
        "class_count_mismatch",
        "have 5 classes, and class_names has 2",
        GOOD | {"class_names": ("cat", "dog")},
        _weights,
    ),
    (
        "mean_image_shape",
        r"mean.npy has the shape \[3, 96, 96\], not \[3, 224, 224\]",
        MINUS_MEAN,
        lambda root: _mean(root, 3, 96, 96),
    ),
    (
        "mean_image_missing",
        "needs mean_image",
        GOOD | {"preprocessing": "bgr255_minus_mean"},
        _weights,
    ),
    (
        "mean_image_unused",
        "bgr255 subtracts no mean",
        MINUS_MEAN | {"preprocessing": "bgr255"},
        lambda root: _mean(root, 3, 224, 224),
    ),
    (
        "mean_image_unreadable",
        "not named .xml or .npy",
        GOOD | {"mean_image": "good.pth.tar"},
        _weights,
    ),
]


@pytest.mark.parametrize(
    ("code", "message", "request_", "make"), BAD, ids=[f"{bad[0]}: {bad[1]}" for bad in BAD]
)
def test_a_bad_input_is_refused_with_its_own_code_and_message(
    code: str,
    message: str,
    request_: dict[str, Any],
    make: Callable[[Path], Any],
    tmp_path: Path,
) -> None:
    root = tmp_path / "imports"
    root.mkdir()
    make(root)
    with pytest.raises(ImportRefused, match=message) as refused:
        import_file(ImportRequest(**request_), root)
    assert refused.value.code == code


@pytest.mark.parametrize("kind", [torch.int32, torch.int8, torch.bool])
def test_whole_numbers_are_no_weights_of_a_network(kind: torch.dtype, tmp_path: Path) -> None:
    tensors = network_of("shufflenet_v2").state_dict()
    counters = [name for name in tensors if name.endswith("num_batches_tracked")]
    # Counters are whole numbers of any size.
    counted = tensors | {name: tensors[name].int() for name in counters}
    torch.save(counted, tmp_path / "good.pth")
    assert import_file(ImportRequest(file="good.pth"), tmp_path).identity.num_classes == 5
    whole = {name: tensor.to(kind) for name, tensor in tensors.items() if name not in counters}
    torch.save(tensors | whole, tmp_path / "whole.pth")
    message = re.escape(f"have the type {kind}, where the network has fractions")
    with pytest.raises(ImportRefused, match=message) as refused:
        import_file(ImportRequest(file="whole.pth"), tmp_path)
    assert refused.value.code == "not_weights"


@pytest.mark.parametrize("name", ["cut.pth.tar", "old.pkl", "cut.safetensors"])
def test_a_file_cut_anywhere_is_told_to_be_cut_off(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    _cut(tmp_path, name, zipped=name != "old.pkl")
    content = path.read_bytes()
    for length in range(4, len(content), len(content) // 40):
        path.write_bytes(content[:length])
        with pytest.raises(ImportRefused, match="cut off") as refused:
            import_file(ImportRequest(file=name), tmp_path)
        assert refused.value.code == "file_truncated"


def test_a_file_that_must_not_be_read_is_said_to_be() -> None:
    root = Path(tempfile.mkdtemp())
    _weights(root)
    root.chmod(0o755)
    (root / "good.pth.tar").chmod(0)
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        with pytest.raises(ImportRefused, match=r"good\.pth\.tar .* not permitted") as refused:
            import_file(ImportRequest(file="good.pth.tar"), root)
    finally:
        os.seteuid(before)
        shutil.rmtree(root)
    assert refused.value.code == "file_missing"
