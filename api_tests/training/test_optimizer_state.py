"""The state of an optimizer, saved and put back: the steps after it are the same, bit for bit."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from api_tests.support.checkpoint_folders import manifest_of
from workers.checkpoints.optimizer_state import OptimizerState
from workers.checkpoints.snapshot import CheckpointWriter, load
from workers.checkpoints.upstream import IncompatibleCheckpoint
from workers.training.distributed import Ranks
from workers.training.state import RunState

Make = Callable[[list[Tensor]], torch.optim.Optimizer]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Counting(torch.optim.Optimizer):
    """Keeps plain numbers in its state and in its group, as some optimizers do."""

    def __init__(self, params: list[Tensor]) -> None:
        super().__init__(params, {"lr": 0.1, "weight_sum": 0.0})

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        del closure
        for group in self.param_groups:
            group["weight_sum"] += group["lr"]
            for parameter in group["params"]:
                steps = self.state[parameter].get("steps", 0) + 1
                self.state[parameter].update(steps=steps, label="seen")
                parameter.data.sub_(parameter.grad, alpha=group["lr"] / steps / group["weight_sum"])


OPTIMIZERS: dict[str, Make] = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "SGD without momentum": lambda p: torch.optim.SGD(p, lr=0.1),
    "Adam": lambda p: torch.optim.Adam(p, amsgrad=True),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.01),
    "fused AdamW": lambda p: torch.optim.AdamW(p, lr=0.01, fused=True),
    "NAdam": lambda p: torch.optim.NAdam(p),
    "RAdam": lambda p: torch.optim.RAdam(p),
    "RMSprop": lambda p: torch.optim.RMSprop(p, momentum=0.9, centered=True),
    "Adagrad": lambda p: torch.optim.Adagrad(p),
    "Adadelta": lambda p: torch.optim.Adadelta(p),
    "Adafactor": lambda p: torch.optim.Adafactor(p),
    "ASGD": lambda p: torch.optim.ASGD(p),
    "Rprop": lambda p: torch.optim.Rprop(p),
    "numbers in the state": Counting,
}


def _network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 3)).to(
        memory_format=torch.channels_last
    )


def _state(make: Make) -> RunState:
    network = _network()
    optimizer = make(list(network.parameters()))
    return RunState(network, optimizer, torch.device("cpu"))


def _train(state: RunState, first: int, last: int) -> None:
    for step in range(first, last):
        images = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(step))
        state.optimizer.zero_grad()
        state.network(images).square().mean().backward()
        state.optimizer.step()


def _saved(state: RunState, folder: Path) -> Path:
    errors: list[Exception] = []
    writer = CheckpointWriter(folder, on_published=lambda *_: None, on_failed=errors.append)
    writer.save(
        manifest_of(3), state.network.state_dict(), state.optimizer_tensors(), [state.of_rank()]
    )
    writer.close()
    assert errors == []
    return folder / "step-000000003"


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_resumed_optimizer_steps_as_the_one_that_was_never_stopped(
    name: str, tmp_path: Path
) -> None:
    alone = _state(OPTIMIZERS[name])
    _train(alone, 0, 3)
    folder = _saved(alone, tmp_path)
    _train(alone, 3, 6)

    resumed = _state(OPTIMIZERS[name])
    _train(resumed, 7, 8)
    resumed.restore(load(folder), Ranks(rank=0, world_size=1, device=torch.device("cpu")))
    _train(resumed, 3, 6)
    for key, tensor in alone.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[key], tensor), key
    ours, theirs = (s.optimizer.state_dict()["state"] for s in (resumed, alone))
    assert _text(ours) == _text(theirs)


def test_momentum_is_stored_under_the_names_that_folders_always_had() -> None:
    state = _state(OPTIMIZERS["SGD"])
    _train(state, 0, 1)
    assert set(state.optimizer_tensors()) == dict(state.network.named_parameters()).keys()
    assert "optimizer" not in state.of_rank()


def test_the_state_of_another_network_is_refused() -> None:
    state = _state(OPTIMIZERS["SGD"])
    of_optimizer = OptimizerState(state.network, state.optimizer)
    with pytest.raises(IncompatibleCheckpoint, match=r"1 unexpected \(other\.weight\.exp_avg\)"):
        of_optimizer.restore({"other.weight.exp_avg": torch.ones(1)}, {})
    with pytest.raises(IncompatibleCheckpoint, match=r"0\.weight is \[1\], not \[4, 3, 3, 3\]"):
        of_optimizer.restore({"0.weight": torch.ones(1)}, {})


@pytest.mark.parametrize(
    ("value", "message"),
    [(object(), "is a object"), (math.inf, "is inf: a checkpoint holds finite numbers")],
)
def test_a_state_that_no_checkpoint_can_hold_is_an_error_at_the_save(
    value: object, message: str
) -> None:
    state = _state(OPTIMIZERS["SGD"])
    state.optimizer.state[next(state.network.parameters())]["closure"] = value
    with pytest.raises(TypeError, match=rf"0\.weight\.closure {message}"):
        state.of_rank()


def _text(state: dict[int, object]) -> str:
    return json.dumps(state, default=_shown, sort_keys=True)


def _shown(value: Tensor) -> list[object]:
    return [str(value.dtype), list(value.shape), value.flatten().tolist()]
