"""A driver of NVIDIA that does not exist, for the processes of a worker and for this one."""

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

_FOLDER = Path(__file__).parent / "fake_driver"
MEMORY_BYTES = 81559 << 20


def a_gpu(number: int, **fields: Any) -> dict[str, Any]:
    """One device: `lost` if it has fallen off the bus, `used` bytes, `instances` in MIG mode."""
    return {"uuid": f"GPU-{number}", "name": "NVIDIA H100", "total": MEMORY_BYTES} | fields


def an_instance(number: int) -> dict[str, Any]:
    """A part of a GPU in MIG mode."""
    return {"uuid": f"MIG-{number}", "name": "NVIDIA H100 MIG 1g.10gb", "total": 10 << 30}


class FakeDriver:
    """Its GPUs may change at any time; `variables` are for the environment of a worker."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "driver.json"
        self.has(a_gpu(0), a_gpu(1))
        roots = [str(_FOLDER), str(_FOLDER.parents[2]), os.environ.get("PYTHONPATH", "")]
        self.variables = {
            "FAKE_DRIVER": str(self._path),
            "PYTHONPATH": os.pathsep.join(filter(None, roots)),
        }

    def has(self, *gpus: dict[str, Any]) -> None:
        """From now on it lists these."""
        self._write(gpus)

    def fails(self, fault: str) -> None:
        """From now on it has no answer: it is `absent`, or who asks it will `crash` or `hang`."""
        self._write(fault)

    def nvml(self, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
        """Its library, for this process; the module `pynvml` itself is left as it is."""
        monkeypatch.setenv("FAKE_DRIVER", str(self._path))
        spec = importlib.util.spec_from_file_location("fake_nvml", _FOLDER / "pynvml.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def _write(self, content: Any) -> None:
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(content))
        partial.replace(self._path)
