"""The names of a network's classifiers in its state dict. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Heads:
    """The modules whose `weight` and `bias` have a row for each class.

    `classifier` makes the predictions. `auxiliary` maps the prefix of each auxiliary head, which
    only training uses and a file of weights may lack, to the classifier in that head.
    """

    classifier: str
    auxiliary: Mapping[str, str] = field(default_factory=dict)

    def counts_classes(self, name: str) -> bool:
        """Whether the first dimension of the tensor of this name is the number of classes."""
        module, _, tensor = name.rpartition(".")
        classifiers = (self.classifier, *self.auxiliary.values())
        return module in classifiers and tensor in ("weight", "bias")

    def auxiliary_head_of(self, name: str) -> str | None:
        """The auxiliary head that contains the tensor of this name, or None."""
        return next((head for head in self.auxiliary if name.startswith(f"{head}.")), None)
