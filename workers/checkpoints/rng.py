"""Saves and restores the states of a rank's random generators, as JSON values."""

import base64
import random
from typing import Any

import numpy as np
import torch


def rng_state(device: torch.device) -> dict[str, Any]:
    """The states of the default generators of Python, NumPy and torch, and of a CUDA device."""
    version, words, gauss = random.getstate()
    numpy_state: Any = np.random.get_state(legacy=False)
    return {
        "python": [version, list(words), gauss],
        "numpy": {
            "key": _text(numpy_state["state"]["key"].tobytes()),
            "pos": int(numpy_state["state"]["pos"]),
            "has_gauss": int(numpy_state["has_gauss"]),
            "gauss": float(numpy_state["gauss"]),
        },
        "torch": _text(torch.get_rng_state().numpy().tobytes()),
        "cuda": (
            _text(torch.cuda.get_rng_state(device).numpy().tobytes())
            if device.type == "cuda"
            else None
        ),
    }


def restore_rng(state: dict[str, Any], device: torch.device) -> None:
    """Restore a state of `rng_state`; one without CUDA leaves the CUDA generator unchanged."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    key = np.frombuffer(base64.b64decode(state["numpy"]["key"]), dtype=np.uint32)
    np.random.set_state(
        {
            "bit_generator": "MT19937",
            "state": {"key": key, "pos": state["numpy"]["pos"]},
            "has_gauss": state["numpy"]["has_gauss"],
            "gauss": state["numpy"]["gauss"],
        }
    )
    torch.set_rng_state(_tensor(state["torch"]))
    if device.type == "cuda" and state["cuda"] is not None:
        torch.cuda.set_rng_state(_tensor(state["cuda"]), device)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _tensor(text: str) -> torch.Tensor:
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8)
