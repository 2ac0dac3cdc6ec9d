"""What a checkpoint must hold for a resumed run to be the run that was never interrupted."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from workers.checkpoints.momentum import momentum_of, restore_momentum
from workers.checkpoints.rng import restore_rng, rng_state
from workers.checkpoints.snapshot import Loaded
from workers.checkpoints.upstream import load_strict
from workers.training.distributed import Ranks
from workers.training.progress import Window


@dataclass
class RunState:
    """The network, its optimizer, how many steps are done, and what was seen since shown.

    `metrics` are those of the validation at this very step, and empty where there was none: a
    checkpoint never claims those of other weights.
    """

    network: nn.Module
    optimizer: torch.optim.SGD
    device: torch.device
    step: int = 0
    window: Window = field(default_factory=Window)
    metrics: dict[str, float] = field(default_factory=dict)

    def of_rank(self) -> dict[str, Any]:
        """The part that is not tensors, for `rank-<r>.json`."""
        return {
            "step": self.step,
            "window": self.window.as_json(),
            "metrics": self.metrics,
            "rng": rng_state(self.device),
        }

    def momentum(self) -> dict[str, torch.Tensor]:
        """Momentum buffers by parameter name; none before the first step."""
        return momentum_of(self.network, self.optimizer)

    def restore(self, loaded: Loaded, ranks: Ranks) -> None:
        """Become the state that was saved; raises IncompatibleCheckpoint.

        Saved by another number of ranks, it has weights, momentum and position; the generators
        stay as they are and the window is empty.
        """
        load_strict(self.network, loaded.model)
        restore_momentum(self.network, self.optimizer, loaded.optimizer)
        same_ranks = len(loaded.rank_states) == ranks.world_size
        saved = loaded.rank_states[ranks.rank if same_ranks else 0]
        self.step, self.metrics = saved["step"], dict(saved["metrics"])
        if same_ranks:
            self.window = Window.from_json(saved["window"])
            restore_rng(saved["rng"], self.device)
