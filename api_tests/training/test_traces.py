"""The trainer's first iterations give the losses and learning rates of the published loops."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from api_tests.facts.published import TRACES, fill, uniform
from api_tests.support.attempts import attempt
from service.contract.agent import ReportedEvent
from workers.attempt_dir import AttemptDir
from workers.data.fingerprint import RunData
from workers.data.sampler import order_of
from workers.training.attempt_results import Stopped
from workers.training.checkpoint_publisher import CheckpointPublisher
from workers.training.distributed import Ranks
from workers.training.events import Events
from workers.training.run_context import RunContext
from workers.training.state import RunState
from workers.training.time_account import TimeAccount
from workers.training.trainer import Trainer

_STEPS, _BATCH = 3, 4
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclasses.dataclass(frozen=True)
class TraceImages:
    """The images of the traces, so numbered that the sampler draws them in the traces' order."""

    images: Tensor
    labels: list[int]
    class_names: tuple[str, ...] = tuple(str(number) for number in range(1000))

    def __len__(self) -> int:
        return len(self.labels)

    def sample(self, epoch: int, index: int) -> tuple[Tensor, int]:
        place = order_of(0, epoch, len(self)).tolist().index(index)
        return self.images[place], self.labels[place]


def _trace_images() -> TraceImages:
    labels = np.random.Generator(np.random.PCG64(2)).integers(0, 1000, (_STEPS, _BATCH))
    images = uniform(1, _STEPS, _BATCH, 3, 224, 224).flatten(0, 1)
    return TraceImages(images, labels.flatten().tolist())


def _train(folder: Path, name: str) -> tuple[RunState, list[ReportedEvent]]:
    recipe, variant = name.split()
    spec = {
        "kind": "train",
        "recipe": recipe,
        "variant": variant,
        "data": {"dataset": "digits"},
        "params": {
            "total_iters": TRACES["total_iters"],
            "batch_size": _BATCH,
            "learning_rate": 0.01,
            "dropout": 0.0,
            "display_interval": 1,
        },
    }
    attempt_dir: AttemptDir = attempt(folder, 1, spec=spec)
    cpu = torch.device("cpu")
    events = Events(attempt_dir, lambda: _NOW, writes=True)
    states: list[RunState] = []
    context = RunContext(
        assignment=attempt_dir.assignment(),
        attempt_folder=attempt_dir.folder,
        ranks=Ranks(rank=0, world_size=1, device=cpu),
        events=events,
        stop_asked=lambda: states[0].step == _STEPS,
        clock=lambda: 0.0,
        now=lambda: _NOW,
        new_id=lambda: "ckpt_1",
        times=TimeAccount(lambda: 0.0),
    )
    network = context.recipe.build(variant, 1000, context.params).double()
    fill(network)
    state = RunState(network, context.recipe.optimizer_of(network, context.params), cpu)
    states.append(state)
    images = _trace_images()
    publisher = CheckpointPublisher(
        context, state, class_names=images.class_names, parent=None, mean=None, data=RunData()
    )
    trainer = Trainer(context, state, publisher, images, images)
    with pytest.raises(Stopped):
        trainer.run()
    events.close()
    return state, attempt_dir.events_after(0)


@pytest.mark.parametrize("name", sorted(TRACES["traces"]))
def test_the_first_iterations_give_the_published_losses(name: str, tmp_path: Path) -> None:
    trace = TRACES["traces"][name]
    state, events = _train(tmp_path, name)
    assert [len(group["params"]) for group in state.optimizer.param_groups] == [
        trace["decayed_tensors"],
        trace["undecayed_tensors"],
    ]
    shown = [event.body["metrics"] for event in events if event.kind == "progress"]
    assert len(shown) == len(trace["steps"]) == _STEPS
    for measured, expected in zip(shown, trace["steps"], strict=True):
        assert measured["loss"] == pytest.approx(expected["loss"], rel=1e-9)
        assert measured["learning_rate"] == pytest.approx(expected["lr"], rel=1e-12)
    tensors = state.network.state_dict()
    for key, total in trace["checksum"].items():
        assert tensors[key].abs().sum().item() == pytest.approx(total, rel=1e-9)
