"""The few parameters that the control plane itself understands, by their well-known names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from service.contract.holdout import held_out


@dataclass(frozen=True)
class KnownParameters:
    """The known parameters; None where the recipe has none, or one of another type."""

    total_iters: int | None = None
    batch_size: int | None = None
    accumulate: int | None = None
    num_classes: int | None = None
    holdout_every: int | None = None

    @property
    def parts(self) -> int:
        """In how many equal parts each rank works through its share of a batch."""
        return self.accumulate or 1

    def trained_images(self, images: int) -> int:
        """How many of a training split's images are trained on: those that are not held out."""
        every = self.holdout_every or 0
        return images - len(held_out(images, every)) if every > 1 else images

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Self:
        """Those among a job's parameters."""
        return cls(**{name: _whole(params.get(name)) for name in cls.__dataclass_fields__})


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
