"""What a checkpoint must hold for a resumed run to be the run that was never interrupted."""

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import nn

from workers.checkpoints.momentum import momentum_of, restore_momentum
from workers.checkpoints.rng import restore_rng, rng_state
from workers.checkpoints.snapshot import Loaded
from workers.checkpoints.upstream import load_strict


@dataclass
class Window:
    """Sums since the last shown step."""

    loss: float = 0.0
    wrong1: int = 0
    wrong5: int = 0
    samples: int = 0
    steps: int = 0

    def metrics(self) -> dict[str, float]:
        """Averages over the window."""
        return {
            "loss": self.loss / self.steps,
            "train_top1_error": self.wrong1 / self.samples,
            "train_top5_error": self.wrong5 / self.samples,
        }


@dataclass
class RunState:
    """The network, its optimizer, how many steps are done, and what was seen since shown."""

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
            "window": asdict(self.window),
            "metrics": self.metrics,
            "rng": rng_state(self.device),
        }

    def momentum(self) -> dict[str, torch.Tensor]:
        """Momentum buffers by parameter name; none before the first step."""
        return momentum_of(self.network, self.optimizer)

    def restore(self, loaded: Loaded) -> None:
        """Become the state that was saved; raises IncompatibleCheckpoint."""
        load_strict(self.network, loaded.model)
        restore_momentum(self.network, self.optimizer, loaded.optimizer)
        saved = loaded.rank_states[0]
        self.step, self.window = saved["step"], Window(**saved["window"])
        self.metrics = dict(saved["metrics"])
        restore_rng(saved["rng"], self.device)
