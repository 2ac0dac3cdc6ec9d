"""Files that are no weights of torch.save or safetensors are told what they are."""

import gzip
import io
import pickle
import re
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from api_tests.support.originals import network_of
from service.contract.exchange import ImportRequest
from workers.exchange.errors import ImportRefused
from workers.exchange.imports import import_file

NAME = "weights.pth"


def _saved(content: Any, **options: Any) -> bytes:
    body = io.BytesIO()
    torch.save(content, body, **options)
    return body.getvalue()


def _zip(parts: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", compression) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return body.getvalue()


def _tar(name: str, part: bytes) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(part)
        archive.addfile(entry, io.BytesIO(part))
    return body.getvalue()


def _torchscript() -> bytes:
    body = io.BytesIO()
    with warnings.catch_warnings():
        # What torch says of its own TorchScript is not what is tested.
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(nn.Linear(2, 2)), body)  # type: ignore[no-untyped-call]
    return body.getvalue()


def _packed_again() -> bytes:
    with zipfile.ZipFile(io.BytesIO(_saved({"a": torch.zeros(9)}))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return _zip(parts, zipfile.ZIP_DEFLATED)


FOREIGN: list[tuple[str, Callable[[], bytes]]] = [
    ("is a program of TorchScript; if you trust it, .* `c = torch.jit.load", _torchscript),
    (
        "is a program of torch.export; .* `c = torch.export.load",
        lambda: _zip({"a/archive_format": b"pt2", "a/models/model.json": b"{}"}),
    ),
    (
        r"is a zip archive that holds run/best\.pth: unpack it",
        lambda: _zip({"__MACOSX/run/._best.pth": b"", "run/best.pth": b"", "run/log.txt": b""}),
    ),
    ("is a zip archive that is no file of weights: it holds a.npy", lambda: _zip({"a.npy": b""})),
    ("is packed again with compression", _packed_again),
    ("and is a tar archive: unpack it", lambda: _tar("weights.pth", b"")),
    ("and is compressed with gzip: unpack it", lambda: gzip.compress(_saved({}))),
    ("and is a pointer of Git LFS", lambda: b"version https://git-lfs.github.com/spec/v1\noid s"),
    ("and is a web page: the download has failed", lambda: b"<!DOCTYPE html><html></html>"),
    ("is not a file of weights of torch.save, but another pickle", lambda: pickle.dumps([1])),
    ("it is a list", lambda: _saved([torch.zeros(1)])),
    (
        r"it has weight \(an object\), step \(int\)",
        lambda: _saved({"weight": np.ones(1), "step": 1}),
    ),
]


@pytest.mark.parametrize(("message", "make"), FOREIGN, ids=[message for message, _ in FOREIGN])
def test_a_file_that_is_no_weights_is_told_what_it_is(
    message: str, make: Callable[[], bytes], tmp_path: Path
) -> None:
    (tmp_path / NAME).write_bytes(make())
    with pytest.raises(ImportRefused, match=message) as refused:
        import_file(ImportRequest(file=NAME), tmp_path)
    assert refused.value.code == "not_weights"


class _Config:
    """A class that a training script keeps in its checkpoints."""


def _network() -> nn.Module:
    return network_of("shufflenet_v2")


LOADABLE: list[tuple[str, str, Callable[[], bytes]]] = [
    ("a whole network", "pickle_with_code", lambda: _saved(_network())),
    (
        "a whole network in the older format",
        "pickle_with_code",
        lambda: _saved(_network(), _use_new_zipfile_serialization=False),
    ),
    (
        "a network under a key, as YOLO has it",
        "pickle_with_code",
        lambda: _saved({"epoch": -1, "model": _network(), "ema": None}),
    ),
    (
        "an object beside the weights",
        "pickle_with_code",
        lambda: _saved({"config": _Config(), "net": _network().state_dict()}),
    ),
    (
        "an object among the weights",
        "pickle_with_code",
        lambda: _saved(dict(_network().state_dict()) | {"config": _Config()}),
    ),
    (
        "a later protocol of pickle",
        "not_weights",
        lambda: _saved({"state_dict": _network().state_dict()}, pickle_protocol=4),
    ),
    ("a plain pickle", "not_weights", lambda: pickle.dumps(dict(_network().state_dict()))),
]


@pytest.mark.parametrize(
    ("code", "make"), [each[1:] for each in LOADABLE], ids=[name for name, _, _ in LOADABLE]
)
def test_a_refused_pickle_is_imported_after_the_two_lines_that_its_message_has(
    code: str, make: Callable[[], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).write_bytes(make())
    with pytest.raises(ImportRefused) as refused:
        import_file(ImportRequest(file=NAME), tmp_path)
    assert refused.value.code == code
    lines = re.findall("`(.*?)`", str(refused.value))
    assert len(lines) == 2
    monkeypatch.chdir(tmp_path)
    exec("\n".join(lines), {"torch": torch, "pickle": pickle})
    written = import_file(ImportRequest(file="weights-weights.pth"), tmp_path)
    assert written.identity.recipe == "shufflenet_v2"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_name_that_is_read_as_a_placeholder_calls_nothing(tmp_path: Path) -> None:
    weights = dict(_network().state_dict())
    marker = tmp_path / "ran"

    class Marking(dict[str, Any]):
        def __reduce__(self) -> Any:
            return Path, (str(marker),)

    content = {"state_dict": weights, "args": Marking(), "numpy": np.ones(2)}
    (tmp_path / NAME).write_bytes(_saved(content))
    assert import_file(ImportRequest(file=NAME), tmp_path).identity.num_classes == 5
    assert not marker.exists()
