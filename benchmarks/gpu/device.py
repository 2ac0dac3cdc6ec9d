"""The device of these benchmarks, and how much is measured there."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Scale:
    """Images a batch, their side, seconds of each way, and files on disk with links to each."""

    batch: int
    pixels: int
    seconds: float
    files: int
    links: int


CUDA = Scale(batch=256, pixels=224, seconds=12.0, files=256, links=64)
CPU = Scale(batch=8, pixels=64, seconds=0.3, files=16, links=2)
"""That everything runs; its figures say nothing."""


def device() -> torch.device:
    """CUDA where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def scale_of(target: torch.device) -> Scale:
    """How much is measured on a device."""
    return CUDA if target.type == "cuda" else CPU


def name_of(target: torch.device) -> str:
    """The device's name and memory for the page."""
    if target.type == "cpu":
        return "the CPU"
    properties = torch.cuda.get_device_properties(target)
    return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"


def settle(target: torch.device) -> None:
    """Wait for what is queued on the device."""
    if target.type == "cuda":
        torch.cuda.synchronize(target)
