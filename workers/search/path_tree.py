"""Several paths through a supernet, computed together."""

import copy
from collections.abc import Callable, Iterator, Sequence

from torch import Tensor, nn

from workers.networks.choices import Parts


class PathTree:
    """What some paths compute of a batch: the units that they begin with alike compute once.

    Each path has batch-norm statistics of its own, empty at first, since those of a unit depend on
    the units before it; paths that begin alike have them in common. The weights are the network's.
    No more is in memory at once than a batch of features for each fork on the way to a unit.
    `goes_on` is asked before each unit computes; once it is not so, nothing more does.
    """

    def __init__(
        self, parts: Parts, paths: Sequence[str], goes_on: Callable[[], bool] = lambda: True
    ) -> None:
        self._goes_on = goes_on
        self._root = _Node(parts.stem)
        for number, path in enumerate(paths):
            node = self._root
            for place, digit in zip(parts.places, path, strict=True):
                node = node.then(digit, place[int(digit)])
            node.end(number, parts.tail)
        self._is_empty = not paths
        self._norms = [norm for node in self._nodes() for norm in node.norms]

    def learn(self, momentum: float) -> None:
        """Compute in train mode from now on: a batch has this share in the statistics."""
        for norm in self._norms:
            norm.training, norm.momentum = True, momentum

    def use_learnt(self) -> None:
        """Compute by the statistics that are learnt, in eval mode."""
        for norm in self._norms:
            norm.training = False

    def logits(self, images: Tensor) -> Iterator[tuple[int, Tensor]]:
        """The number of each path, in some order, with its logits (N, C) of images (N, 3, S, S)."""
        waiting = [] if self._is_empty else [(self._root, images)]
        while waiting:
            if not self._goes_on():
                return
            node, features = waiting.pop()
            features = node.unit(features)
            if node.number is not None:
                yield node.number, features
            waiting += [(child, features) for child in reversed(node.children.values())]

    def write_statistics(self) -> None:
        """Give the network those of the tree's only path."""
        for node in self._nodes():
            assert len(node.children) <= 1
            pairs = zip(node.origin.buffers(), node.unit.buffers(), strict=True)
            for target, learnt in pairs:
                target.copy_(learnt)

    def _nodes(self) -> Iterator["_Node"]:
        nodes = [self._root]
        while nodes:
            node = nodes.pop()
            yield node
            nodes += node.children.values()


class _Node:
    """A unit behind those of its parents; the tail of a path has the path's number."""

    def __init__(self, origin: nn.Module, number: int | None = None) -> None:
        self.origin, self.number = origin, number
        self.unit = _with_own_statistics(origin)
        self.children: dict[str, _Node] = {}
        self.norms = [each for each in self.unit.modules() if isinstance(each, nn.BatchNorm2d)]
        self.unit.eval()

    def then(self, digit: str, unit: nn.Module) -> "_Node":
        if digit not in self.children:
            self.children[digit] = _Node(unit)
        return self.children[digit]

    def end(self, number: int, tail: nn.Module) -> None:
        self.children[f"tail {number}"] = _Node(tail, number)


def _with_own_statistics(module: nn.Module) -> nn.Module:
    """The module with the same weights and buffers of its own, batch norms as if never used."""
    own = copy.copy(module)
    own._buffers = {
        name: None if buffer is None else buffer.clone() for name, buffer in own._buffers.items()
    }
    own._modules = {
        name: None if child is None else _with_own_statistics(child)
        for name, child in own._modules.items()
    }
    if isinstance(own, nn.BatchNorm2d):
        own.reset_running_stats()
    return own
