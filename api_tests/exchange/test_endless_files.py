"""Files that never end, or grow when they are read, take a bounded time and memory."""

import io
import os
import pickle
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from api_tests.support.originals import network_of
from service.contract.exchange import ImportRequest
from workers.checkpoints import rehearsal
from workers.checkpoints.upstream import UnreadableWeights
from workers.exchange.errors import ImportRefused
from workers.exchange.imports import import_file

NAME = "weights.pth"


def _zipped(data_pkl: bytes) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("archive/data.pkl", data_pkl)
        archive.writestr("archive/version", b"3\n")
    return body.getvalue()


def _nested_key() -> bytes:
    # A dictionary whose key is a tuple of two equal tuples, sixty levels deep: 2^60 parts to hash.
    levels = b"".join(
        pickle.BINGET + bytes([n]) + pickle.TUPLE2 + pickle.BINPUT + bytes([n + 1])
        for n in range(60)
    )
    empty = pickle.EMPTY_TUPLE + pickle.BINPUT + b"\0"
    key_and_value = empty + levels + pickle.BININT1 + b"\1"
    return pickle.PROTO + b"\2" + pickle.EMPTY_DICT + key_and_value + pickle.SETITEM + pickle.STOP


def _legacy(data_pkl: bytes) -> bytes:
    body = io.BytesIO()
    torch.save({}, body, _use_new_zipfile_serialization=False)
    empty = pickle.dumps({}, protocol=2)
    return body.getvalue().replace(empty, data_pkl)


def _call(name: bytes, argument: bytes) -> bytes:
    arguments = argument + pickle.TUPLE1
    call = pickle.GLOBAL + name + arguments + pickle.REDUCE
    return pickle.PROTO + b"\2" + call + pickle.STOP


_TWO_TO_THE_40 = pickle.LONG1 + b"\6" + (1 << 40).to_bytes(6, "little")


@pytest.mark.parametrize(
    ("message", "body"),
    [
        ("takes more than 1 s of processor time", _zipped(_nested_key())),
        ("takes more than 1 s of processor time", _legacy(_nested_key())),
        (
            "takes more than 256 MiB of memory",
            _zipped(_call(b"builtins\nbytearray\n", _TWO_TO_THE_40)),
        ),
        (
            "takes more than 256 MiB of memory",
            _zipped(_call(b"torch\nFloatTensor\n", _TWO_TO_THE_40)),
        ),
    ],
    ids=["a key without end", "a key without end, older format", "bytes", "a tensor"],
)
def test_a_file_that_takes_time_or_memory_without_end_is_refused(
    message: str, body: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "_SECONDS", 1)
    (tmp_path / NAME).write_bytes(body)
    with pytest.raises(ImportRefused, match=message) as refused:
        import_file(ImportRequest(file=NAME), tmp_path)
    assert refused.value.code == "too_large"


def test_a_file_that_crashes_its_reader_is_refused() -> None:
    def crash() -> None:
        os.kill(os.getpid(), signal.SIGBUS)

    with pytest.raises(UnreadableWeights, match=r"is refused: reading it crashes \(SIGBUS\)"):
        rehearsal.rehearse(crash, NAME, rehearsal.read_limits(0))


def test_a_reader_that_the_kernel_kills_had_too_little_memory() -> None:
    def killed() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(MemoryError, match="was killed"):
        rehearsal.rehearse(killed, NAME, rehearsal.read_limits(0))


def _expanded(tensors: dict[str, Tensor]) -> dict[str, Any]:
    return {
        n: t.flatten()[:1].clone().expand(t.shape) if t.dim() else t for n, t in tensors.items()
    }


def _of_100_000_classes(tensors: dict[str, Tensor]) -> dict[str, Any]:
    row = tensors["classifier.0.weight"][:1]
    return tensors | {"classifier.0.weight": row.expand(100_000, -1)}


@pytest.mark.parametrize("grow", [_expanded, _of_100_000_classes])
def test_tensors_that_are_larger_than_their_file_are_refused(
    grow: Callable[[dict[str, Tensor]], dict[str, Any]], tmp_path: Path
) -> None:
    tensors = dict(network_of("shufflenet_v2").state_dict())
    torch.save(grow(tensors), tmp_path / NAME)
    with pytest.raises(ImportRefused, match=r"bytes in a file of [0-9]+: some repeat") as refused:
        import_file(ImportRequest(file=NAME), tmp_path)
    assert refused.value.code == "too_large"


def test_a_classifier_without_classes_is_refused(tmp_path: Path) -> None:
    tensors = dict(network_of("shufflenet_v2").state_dict())
    tensors["classifier.0.weight"] = tensors["classifier.0.weight"][:0]
    torch.save(tensors, tmp_path / NAME)
    with pytest.raises(ImportRefused, match="have 0 classes, not 1 to 100000") as refused:
        import_file(ImportRequest(file=NAME), tmp_path)
    assert refused.value.code == "class_count_mismatch"


def test_dictionaries_within_each_other_are_searched_for_a_bounded_time(tmp_path: Path) -> None:
    content: dict[str, Any] = {"weight": torch.zeros(1)}
    for _ in range(5):
        content = {f"{n}": content for n in range(1000)}
    content["itself"] = content
    torch.save(content, tmp_path / NAME)
    with pytest.raises(ImportRefused, match="does not contain a dictionary of tensors"):
        import_file(ImportRequest(file=NAME), tmp_path)
