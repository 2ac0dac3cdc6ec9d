"""The progress of a run: sums since the last report, the rate, and the time left."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from workers.recipes.loss import ranks_of_labels
from workers.training.distributed import Ranks

_SECONDS_PER_MINUTE, _SECONDS_PER_HOUR = 60, 3600


def _nothing_seen() -> Tensor:
    return torch.zeros(3, dtype=torch.float64)


@dataclass
class Window:
    """Sums since the last shown step: of the loss and of the wrong in top 1 and 5, then counts.

    The sums stay on the device: no step waits for the device to read two numbers.
    """

    sums: Tensor = field(default_factory=_nothing_seen)
    samples: int = 0
    steps: int = 0

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """One step of this rank."""
        positions = ranks_of_labels(logits, labels)
        seen = (loss.detach(), (positions >= 1).sum(), (positions >= 5).sum())
        self.sums = self.sums.to(loss.device) + torch.stack([part.double() for part in seen])
        self.samples += len(labels)
        self.steps += 1

    def metrics(self, ranks: Ranks) -> dict[str, float]:
        """Averages over the window and the ranks; none if it is empty."""
        counts = torch.tensor([self.samples, self.steps], dtype=torch.float64)
        loss, wrong1, wrong5, samples, steps = ranks.total(
            torch.cat([self.sums.cpu(), counts])
        ).tolist()
        if not steps:
            return {}
        return {
            "loss": loss / steps,
            "train_top1_error": wrong1 / samples,
            "train_top5_error": wrong5 / samples,
        }

    @property
    def loss(self) -> float:
        """The sum of this rank's losses; waits for the device."""
        return float(self.sums[0].item())

    def as_json(self) -> dict[str, Any]:
        """For `rank-<r>.json`."""
        return {"sums": self.sums.tolist(), "samples": self.samples, "steps": self.steps}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> "Window":
        """What `as_json` gave."""
        sums = torch.tensor(saved["sums"], dtype=torch.float64)
        return cls(sums, saved["samples"], saved["steps"])


class Pace:
    """Images a second between shown steps, validation left out; the rest by all steps so far.

    `clock` is monotonic, in seconds.
    """

    def __init__(
        self, step: int, total_steps: int, batch_size: int, clock: Callable[[], float]
    ) -> None:
        self._total_steps, self._batch_size, self._clock = total_steps, batch_size, clock
        self._began, self._first = clock(), step
        self._since, self._shown = self._began, step

    def at(self, step: int) -> dict[str, float]:
        """`images_per_second` and `eta_seconds` after `step`."""
        now = self._clock()
        seconds = max(now - self._since, 1e-9)
        seconds_per_step = (now - self._began) / max(step - self._first, 1)
        images = (step - self._shown) * self._batch_size
        return {
            "images_per_second": images / seconds,
            "eta_seconds": (self._total_steps - step) * seconds_per_step,
        }

    def mark(self, step: int) -> None:
        """Count images from here on."""
        self._since, self._shown = self._clock(), step


def progress_line(body: dict[str, Any]) -> str:
    """A `progress` event as a line of the log."""
    metrics = body["metrics"]
    parts = [f"step {body['step']}/{body['total_steps']}"]
    if "loss" in metrics:
        parts.append(f"loss {metrics['loss']:.5g} top1 error {metrics['train_top1_error']:.1%}")
    else:
        parts.append("batch norm")
    parts.append(f"{body['images_per_second']:.0f} images/s")
    parts.append(f"eta {_rounded(body['eta_seconds'])}")
    return " ".join(parts).replace("%", " %")


def validation_line(step: int | None, metrics: dict[str, float]) -> str:
    """The metrics of a validation, as a line of the log."""
    at = "" if step is None else f"step {step} "
    return (
        f"{at}validated: loss {metrics['loss']:.5g} top1 error {metrics['top1_error']:.1%} "
        f"top5 error {metrics['top5_error']:.1%} of {metrics['samples']} images"
    ).replace("%", " %")


def _rounded(seconds: float) -> str:
    if seconds < _SECONDS_PER_MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _SECONDS_PER_HOUR:
        return f"{seconds / _SECONDS_PER_MINUTE:.0f} min"
    return f"{seconds / _SECONDS_PER_HOUR:.1f} h"
