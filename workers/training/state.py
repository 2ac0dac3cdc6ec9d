"""What a checkpoint must hold for a resumed run to be the run that was never interrupted."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from workers.checkpoints.optimizer_state import OptimizerState
from workers.checkpoints.rng import restore_rng, rng_state
from workers.checkpoints.snapshot import CheckpointContent
from workers.checkpoints.upstream import load_strict
from workers.training.distributed import Ranks
from workers.training.execution import ORIGINAL, Execution
from workers.training.progress import Window


@dataclass
class RunState:
    """The network, its optimizer, the steps done, and the sums since the last report.

    `execution` is how a step is computed, which a resumed run goes on with.
    `metrics` are those of the validation at this very step, and empty where there was none: a
    checkpoint never claims those of other weights.
    `accumulate` and `images_of_statistics` are how a batch is worked through now, whatever the
    checkpoint was saved with.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    device: torch.device
    step: int = 0
    window: Window = field(default_factory=Window)
    metrics: dict[str, float] = field(default_factory=dict)
    execution: Execution = ORIGINAL
    accumulate: int = 1
    images_of_statistics: int | None = None

    def __post_init__(self) -> None:
        self._of_optimizer = OptimizerState(self.network, self.optimizer)

    def of_rank(self) -> dict[str, Any]:
        """The part that is not tensors, for `rank-<r>.json`."""
        scalars = self._of_optimizer.scalars()
        return {
            "step": self.step,
            "window": self.window.as_json(),
            "metrics": self.metrics,
            "execution": self.execution.as_json(),
            "accumulate": self.accumulate,
            "images_of_statistics": self.images_of_statistics,
            "rng": rng_state(self.device),
            **({"optimizer": scalars} if scalars else {}),
        }

    def optimizer_tensors(self) -> dict[str, torch.Tensor]:
        """The optimizer's tensors by their names in a file; none before the first step."""
        return self._of_optimizer.tensors()

    def restore(self, loaded: CheckpointContent, ranks: Ranks) -> None:
        """Become the state that was saved; raises IncompatibleCheckpoint.

        Saved by another number of ranks, it has weights, optimizer and position; the generators
        stay as they are and the window is empty.
        """
        load_strict(self.network, loaded.model)
        same_ranks = len(loaded.rank_states) == ranks.world_size
        saved = loaded.rank_states[ranks.rank if same_ranks else 0]
        self._of_optimizer.restore(loaded.optimizer, saved.get("optimizer", {}))
        self.execution = Execution.from_json(saved.get("execution"))
        self.step, self.metrics = saved["step"], dict(saved["metrics"])
        if same_ranks:
            self.window = Window.from_json(saved["window"])
            restore_rng(saved["rng"], self.device)
