"""How long a save holds up the steps on a device."""

import tempfile
import time
import warnings
from pathlib import Path
from statistics import median

import torch

from api_tests.support.checkpoint_folders import manifest_of
from benchmarks.gpu.device import device, name_of, settle
from benchmarks.report import Figure, Section
from workers.checkpoints.optimizer_state import OptimizerState
from workers.checkpoints.snapshot import MODEL_FILE, OPTIMIZER_FILE, CheckpointWriter
from workers.recipes.table import recipe_named

GOAL_MS = 50.0
_SAVES = 6
_BATCH, _PIXELS = 4, 64
_NETWORKS = {"OneShot": ("oneshot", "searched"), "Large": ("shufflenet_v2_large", None)}


def measure() -> Section:
    """The stall of each save: until the next step may be queued, and until it is done."""
    warnings.filterwarnings("ignore")
    target = device()
    # Large takes 0.8 GB a save: where nothing is learnt from it, the small one is enough.
    names = list(_NETWORKS) if target.type == "cuda" else ["OneShot"]
    stalls = {name: _stall_ms(name, target) for name in names}
    return Section(
        title="What a save costs the steps on a device",
        says=(
            f"{name_of(target)}; medians of {_SAVES} saves. *Call* is how long the loop waits for "
            "the call, *step* how much longer the step after it takes until the device is done."
        ),
        columns=("network", "call", "step"),
        rows=tuple(
            (name, f"{call:.1f} ms", f"{step:.1f} ms") for name, (call, step) in stalls.items()
        ),
        figures=tuple(
            Figure(
                f"{name.lower()}.stall",
                f"{name}, stall of a save",
                call + max(step, 0.0),
                "lower",
                unit="ms",
                goal=GOAL_MS if name == "Large" else None,
            )
            for name, (call, step) in stalls.items()
        ),
    )


def _stall_ms(name: str, target: torch.device) -> tuple[float, float]:
    training = _Training(name, target)
    plain = [training.step() for _ in range(_SAVES)][1:]
    calls, steps = [], []
    with tempfile.TemporaryDirectory(prefix="stall-") as folder:
        writer = CheckpointWriter(
            Path(folder), on_published=lambda *_: None, on_failed=lambda _: None
        )
        writer.reserve(MODEL_FILE, training.model())
        writer.reserve(OPTIMIZER_FILE, training.momentum())
        for number in range(1, _SAVES + 2):
            settle(target)
            began = time.perf_counter()
            writer.save(manifest_of(number), training.model(), training.momentum(), [{}])
            calls.append(time.perf_counter() - began)
            steps.append(training.step())
            problem = writer.wait()
            assert problem is None, problem
        writer.close()
    # The first save of a process pays for imports.
    return median(calls[1:]) * 1e3, (median(steps[1:]) - median(plain)) * 1e3


class _Training:
    def __init__(self, name: str, target: torch.device) -> None:
        recipe_name, variant = _NETWORKS[name]
        recipe = recipe_named(recipe_name)
        self._recipe, self._params = recipe, recipe.params()
        self._target = target
        variant = variant or next(iter(recipe.variants))
        self.network = recipe.build(variant, 1000, self._params).to(target).train()
        self._optimizer = recipe.optimizer_of(self.network, self._params)
        self._images = torch.randn(_BATCH, 3, _PIXELS, _PIXELS, device=target)
        self._labels = torch.zeros(_BATCH, dtype=torch.int64, device=target)
        self.step()

    def step(self) -> float:
        """One iteration; its seconds until the device is done."""
        began = time.perf_counter()
        loss = self._recipe.training_loss(self.network(self._images), self._labels, self._params)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        settle(self._target)
        return time.perf_counter() - began

    def model(self) -> dict[str, torch.Tensor]:
        """Parameters and buffers."""
        return self.network.state_dict()

    def momentum(self) -> dict[str, torch.Tensor]:
        """By parameter."""
        return OptimizerState(self.network, self._optimizer).tensors()
