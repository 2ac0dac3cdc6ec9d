"""What a run spends its time on, by a clock that the test turns."""

import itertools
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from api_tests.support.attempts import attempt
from service.contract.agent import ReportedEvent
from service.contract.time_spent import TimeSpent
from workers.data.fingerprint import RunData
from workers.data.images import Pixels, SplitRequest
from workers.data.sources.digits import Digits
from workers.data.transforms import preprocess_of
from workers.training.checkpoint_publisher import CheckpointPublisher
from workers.training.data_wait import DataWait
from workers.training.data_wait_advice import DataWaitAdvice, ways_to_wait_less
from workers.training.distributed import Ranks
from workers.training.events import Events
from workers.training.run_context import RunContext
from workers.training.state import RunState
from workers.training.time_account import TimeAccount
from workers.training.trainer import Trainer

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_LOAD, _STEP, _VALIDATION = 5.0, 10.0, 2.0


@dataclass
class _Clock:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds

    def turn(self, seconds: float) -> None:
        self.seconds += seconds


class _SlowDigits(Digits):
    """Eight digits, each of which takes a while to load."""

    def __init__(self, clock: _Clock) -> None:
        super().__init__(SplitRequest("val", 32, 0, preprocess_of("bgr255"), Path()))
        self._clock = clock

    def __len__(self) -> int:
        return 8

    def pixels(self, epoch: int, index: int) -> Pixels:
        self._clock.turn(_LOAD)
        return super().pixels(epoch, index)


def _trained(folder: Path, clock: _Clock, **params: Any) -> tuple[TimeSpent, list[ReportedEvent]]:
    spec = {
        "kind": "train",
        "recipe": "oneshot",
        "data": {"dataset": "digits"},
        "params": {
            "batch_size": 4,
            "image_size": 32,
            "bn_recalibration_iters": 1,
            "learning_rate": 1e-4,
        }
        | params,
    }
    attempt_dir, cpu = attempt(folder, spec=spec), torch.device("cpu")
    events, times = Events(attempt_dir, lambda: _NOW, writes=True), TimeAccount(clock)
    context = RunContext(
        assignment=attempt_dir.assignment(),
        attempt_folder=attempt_dir.folder,
        ranks=Ranks(rank=0, world_size=1, device=cpu),
        events=events,
        stop_asked=lambda: False,
        clock=clock,
        now=lambda: _NOW,
        new_id=map("ckpt_{}".format, itertools.count()).__next__,
        times=times,
    )
    images = _SlowDigits(clock)
    network = context.recipe.build(context.variant, len(images.class_names), context.params)
    network.register_forward_pre_hook(lambda net, _: clock.turn(_STEP if net.training else 2.0))
    state = RunState(network, context.recipe.optimizer_of(network, context.params), cpu)
    publisher = CheckpointPublisher(
        context, state, class_names=images.class_names, parent=None, mean=None, data=RunData()
    )
    Trainer(context, state, publisher, images, images).run()
    events.close()
    return times.spent(), attempt_dir.events_after(0)


def test_a_training_counts_its_seconds_and_says_once_that_it_waits_for_data(tmp_path: Path) -> None:
    clock = _Clock()
    spent, events = _trained(tmp_path, clock, total_iters=6, display_interval=2)
    steps, waits = 7, 7 * 4 * _LOAD
    validations = 2 * (8 * _LOAD + _VALIDATION)
    assert spent == TimeSpent(
        data_wait_seconds=waits, step_seconds=steps * _STEP, validation_seconds=validations
    )
    assert spent.total_seconds == clock()
    shown = [event.body["time_spent"] for event in events if event.kind == "progress"]
    assert [each["data_wait_seconds"] for each in shown] == [40.0, 80.0, 120.0, 140.0]
    (measured, _) = (event.body for event in events if event.kind == "metrics")
    assert measured["time_spent"]["validation_seconds"] == validations / 2
    (note,) = (event.body["message"] for event in events if event.kind == "note")
    assert note.startswith("the run waits for data 67 % of its time; to make it faster, ")


def test_an_activity_within_another_counts_for_itself_alone_even_if_it_fails() -> None:
    clock = _Clock()
    times = TimeAccount(clock)
    with times.on("step"):
        clock.turn(1)
        with suppress(OSError), times.on("save"):
            clock.turn(2)
            raise OSError("full")
        clock.turn(4)
    clock.turn(8)
    assert times.spent() == TimeSpent(step_seconds=5, save_seconds=2, other_seconds=8)


@dataclass
class _Device:
    """A device that works behind its program: a step of work occupies it for some seconds."""

    clock: _Clock
    busy_until: float = 0.0
    marks: list["_Mark"] = field(default_factory=list)

    def give(self, seconds: float) -> None:
        self.busy_until = max(self.busy_until, self.clock()) + seconds

    def mark(self) -> "_Mark":
        return _Mark(self.clock, max(self.busy_until, self.clock()))


@dataclass
class _Mark:
    clock: _Clock
    reached_at: float

    def is_reached(self) -> bool:
        return self.clock() >= self.reached_at

    def seconds_after(self, earlier: Any) -> float:
        assert self.is_reached(), "a device is not waited for"
        return float(self.reached_at - earlier.reached_at)


@pytest.mark.parametrize(
    ("work", "wait", "idle"),
    [
        pytest.param(10.0, 1.0, 0.0, id="busy all the while"),
        pytest.param(3.0, 4.0, 1.0, id="done before the batch comes"),
        pytest.param(0.0, 4.0, 4.0, id="nothing to do"),
    ],
)
def test_a_wait_counts_as_one_only_while_the_device_has_nothing_to_do(
    work: float, wait: float, idle: float
) -> None:
    clock = _Clock()
    times, device = TimeAccount(clock), _Device(clock)
    data_wait = DataWait(times, device.mark)
    with times.on("step"):
        for _ in range(3):
            device.busy_until = clock()
            device.give(work)
            with data_wait.measured():
                clock.turn(wait)
            # The loop waits for the device, as at a step that shows the loss.
            clock.turn(max(0.0, device.busy_until - clock()))
        data_wait.settle()
    spent = times.spent()
    assert spent.data_wait_seconds == 3 * idle
    assert spent.total_seconds == clock()


def _moments(waited: float, seconds: float) -> Iterator[TimeSpent]:
    for number in range(1, 8):
        part = number * seconds / 7
        yield TimeSpent(data_wait_seconds=part * waited, step_seconds=part * (1 - waited))


@pytest.mark.parametrize(
    ("waited", "seconds", "sentences"),
    [(0.5, 700.0, 1), (0.34, 700.0, 1), (0.33, 700.0, 0), (0.9, 60.0, 0)],
)
def test_a_run_is_judged_by_a_third_of_its_time_after_a_minute_and_once(
    waited: float, seconds: float, sentences: int
) -> None:
    advice = DataWaitAdvice(["pack the images"])
    given = [advice.after(spent) for spent in _moments(waited, seconds)]
    assert len([sentence for sentence in given if sentence]) == sentences


@pytest.mark.parametrize(
    ("have", "ways"),
    [
        ({}, ["set data_workers to 7, of which it has 0"]),
        ({"loaders": 7}, ["use a worker with more than 8 cores"]),
        ({"loaders": 16, "cores": 96}, ["set data_workers to 64, of which it has 16"]),
        ({"loaders": 1, "room": 3}, ["set data_workers to 3, of which it has 1"]),
        ({"room": 0}, ["give its worker more shared memory: /dev/shm has room for 0"]),
        ({"loaders": 7, "reads_files": True}, ["pack the images with `trainyard data pack`"]),
        ({"loaders": 7, "has_gpu": True}, ['set augment_on to "device"']),
        ({"has_gpu": True}, ["set data_workers to 7", 'set augment_on to "device"']),
        ({"has_gpu": True, "augments_in_loaders": False}, ["set data_workers to 7"]),
    ],
    ids=str,
)
def test_the_advice_is_what_the_machine_and_the_job_allow(
    have: dict[str, Any], ways: list[str]
) -> None:
    machine: dict[str, Any] = {"loaders": 0, "cores": 8, "room": 1000}
    job = {"augments_in_loaders": True, "has_gpu": False, "reads_files": False}
    given = ways_to_wait_less(**machine | job | have)
    assert len(given) == len(ways)
    assert all(one.startswith(way) for one, way in zip(given, ways, strict=True))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_stream_tells_how_long_it_had_nothing_to_do() -> None:
    from workers.training.data_wait import CudaMark

    network = nn.Linear(4, 4).cuda()
    before = CudaMark()
    network(torch.zeros(1, 4, device="cuda"))
    after = CudaMark()
    torch.cuda.synchronize()
    assert after.is_reached()
    assert 0 <= after.seconds_after(before) < 60
