"""An import takes no memory for tensors beside those that are mapped from the file."""

import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from workers.recipes import build

# Below the size of a tensor file, and above what an import needs of its own.
_ALLOWED_BYTES = 12_000_000

_MEASURE = """
import re, sys
from datetime import UTC, datetime
from pathlib import Path
from service.contract.exchange import ImportRequest
from workers.exchange.imports import import_file
from workers.exchange.publish import publish_import

def anonymous():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"RssAnon:\\s+(\\d+) kB", status)[1]) * 1024

root = Path(sys.argv[1])
def run(name, folder, progress):
    (root / folder).mkdir()
    read = import_file(ImportRequest(file=name), root)
    publish_import(read, root / folder, checkpoint_id="c", job_id="j", attempt=1,
                   created_at=datetime(2026, 1, 1, tzinfo=UTC), progress=progress)
run("small.pth.tar", "first", lambda *_: None)
before, seen = anonymous(), []
run(sys.argv[2], "second", lambda *_: seen.append(anonymous()))
print(max(seen) - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own count of memory")
@pytest.mark.parametrize("name", ["large.pth.tar", "large.safetensors"])
def test_an_import_takes_constant_memory_beside_the_mapped_file(name: str, tmp_path: Path) -> None:
    torch.save(build("shufflenet_v2", "0.5x", 2).state_dict(), tmp_path / "small.pth.tar")
    tensors = build("shufflenet_v2", "2.0x").state_dict()
    write = safetensors.torch.save_file if name.endswith("safetensors") else torch.save
    write(tensors, tmp_path / name)
    assert (tmp_path / name).stat().st_size > 2 * _ALLOWED_BYTES
    command = [sys.executable, "-c", _MEASURE, str(tmp_path), name]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(found.stdout) < _ALLOWED_BYTES
