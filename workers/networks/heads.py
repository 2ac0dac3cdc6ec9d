"""Where a network tells its classes apart, by names of its state dict. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Heads:
    """The modules whose `weight` and `bias` have a row for each class.

    `classifier` is the one that predicts. `auxiliary` is the prefix of each head that only training
    uses -> its own classifier; a file of weights may lack such heads.
    """

    classifier: str
    auxiliary: Mapping[str, str] = field(default_factory=dict)

    def counts_classes(self, name: str) -> bool:
        """Whether the first dimension of the tensor is the class count."""
        module, _, tensor = name.rpartition(".")
        classifiers = (self.classifier, *self.auxiliary.values())
        return module in classifiers and tensor in ("weight", "bias")

    def auxiliary_head_of(self, name: str) -> str | None:
        """The auxiliary head that the tensor is a part of, if it is of one."""
        return next((head for head in self.auxiliary if name.startswith(f"{head}.")), None)
