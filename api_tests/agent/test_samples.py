"""What an agent measures of its host and its GPUs, and sends with its heartbeats."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from structlog.testing import capture_logs

from api_tests.support.claims import a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.gpu_driver import MEMORY_BYTES, FakeDriver, a_gpu, an_instance
from api_tests.support.polling import eventually
from api_tests.support.worker_process import StartWorker
from service.contract.samples import Sample
from workers.agent.attempt import Attempt
from workers.agent.gpu_use import GpuMeter
from workers.agent.running_attempts import RunningAttempts
from workers.agent.samples import Sampler
from workers.launcher.base import GpuDevice

NewSampler = Callable[..., Sampler]
NewMeter = Callable[..., GpuMeter]
GPUS = (GpuDevice(0, "GPU-0"), GpuDevice(2, "GPU-1"))


@pytest.fixture
def start_sampler(tmp_path: Path) -> Iterator[NewSampler]:
    """Starts a sampler that measures all the time, until the test's end."""
    started: list[Sampler] = []

    def start(gpus: GpuMeter, attempts: dict[int, tuple[str, int]]) -> Sampler:
        sampler = Sampler(tmp_path, gpus, lambda: attempts, lambda: 1.0, every_seconds=0.05)
        sampler.start()
        started.append(sampler)
        return sampler

    yield start
    for sampler in started:
        sampler._loop.stop()
        sampler._disk._loop.stop()


@pytest.fixture
def fake_driver(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    """A driver with two GPUs for the processes that this one starts."""
    for name, value in driver.variables.items():
        monkeypatch.setenv(name, value)
    return driver


@pytest.fixture
def new_meter() -> Iterator[NewMeter]:
    """Makes meters, whose processes are ended with the test."""
    made: list[GpuMeter] = []

    def make(gpus: Sequence[GpuDevice], clock: Callable[[], float] = lambda: 0.0) -> GpuMeter:
        made.append(GpuMeter(lambda: gpus, clock))
        return made[-1]

    yield make
    for meter in made:
        if meter._process is not None:
            meter._process.kill()
            eventually(meter._process.has_ended)


def test_each_registered_gpu_is_measured_with_the_job_that_it_is_given(
    fake_driver: FakeDriver, new_meter: NewMeter
) -> None:
    fake_driver.has(a_gpu(0), a_gpu(1, percent=92, used=22, celsius=62))
    first, second = new_meter(GPUS).measure({2: ("job_1", 3)})
    assert (first.index, first.use, first.job_id) == (0, 0.5, None)
    assert second.model_dump() == {
        "index": 2,
        "use": 0.92,
        "memory_used_bytes": 22,
        "memory_total_bytes": MEMORY_BYTES,
        "temperature_celsius": 62.0,
        "power_watts": 500.0,
        "job_id": "job_1",
        "attempt": 3,
    }


def test_what_a_driver_does_not_tell_is_absent_and_the_rest_is_there(
    fake_driver: FakeDriver, new_meter: NewMeter
) -> None:
    fake_driver.has(a_gpu(0, lost=True), a_gpu(1, instances=[an_instance(1)]))
    meter = new_meter((GpuDevice(0, "GPU-0"), GpuDevice(101, "MIG-1"), GpuDevice(2, "")))
    lost, instance, unnamed = meter.measure({0: ("job_1", 1)})
    assert (lost.memory_used_bytes, lost.job_id) == (None, "job_1")
    assert (instance.use, instance.power_watts, instance.memory_used_bytes) == (None, None, 0)
    assert unnamed.index == 2


def test_a_host_without_the_driver_says_so_once_and_measures_when_it_is_back(
    fake_driver: FakeDriver, new_meter: NewMeter
) -> None:
    fake_driver.fails("absent")
    meter = new_meter(GPUS)
    with capture_logs() as logs:
        measured = [meter.measure({2: ("job_1", 1)}) for _ in range(3)]
    assert [(each["event"], each["error"]) for each in logs] == [
        ("gpu_use_unknown", "NVML Shared Library Not Found")
    ]
    assert [gpu.use for gpu in measured[-1]] == [None, None]
    assert measured[-1][1].job_id == "job_1"
    fake_driver.has(a_gpu(0), a_gpu(1))
    assert meter.measure({})[0].use == 0.5


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("crash", "the process that asks the driver has ended"),
        ("hang", "the driver has not answered for 5 s"),
    ],
)
def test_a_driver_that_fails_while_it_is_asked_is_left_alone_for_a_minute(
    fault: str, words: str, fake_driver: FakeDriver, new_meter: NewMeter
) -> None:
    now = [0.0]
    meter = new_meter(GPUS, clock=lambda: now[0])
    assert meter.measure({})[0].use == 0.5
    fake_driver.fails(fault)
    with capture_logs() as logs:
        assert meter.measure({0: ("job_1", 1)})[0].job_id == "job_1"
    assert [each["error"] for each in logs] == [words]
    fake_driver.has(a_gpu(0), a_gpu(1))
    now[0] = 59.0
    assert meter.measure({})[0].use is None
    now[0] = 60.0
    eventually(lambda: meter.measure({})[0].use == 0.5)


@pytest.mark.usefixtures("fake_driver")
def test_a_process_that_somebody_else_has_ended_is_started_again(new_meter: NewMeter) -> None:
    meter = new_meter(GPUS)
    meter.measure({})
    assert meter._process is not None
    meter._process.kill()
    meter._process._process.wait()
    with capture_logs() as logs:
        assert meter.measure({})[0].use == 0.5
    assert logs == []


def test_the_real_library_without_a_driver_measures_nothing(new_meter: NewMeter) -> None:
    with capture_logs():
        (sample,) = new_meter(GPUS[:1]).measure({})
    assert sample.index == 0


@pytest.mark.usefixtures("fake_driver")
def test_a_sampler_measures_the_host_and_the_disk_and_gives_each_sample_once(
    start_sampler: NewSampler, new_meter: NewMeter
) -> None:
    sampler = start_sampler(new_meter(GPUS), {0: ("job_1", 1)})
    taken: list[Sample] = []

    def has_all() -> bool:
        sample = sampler.take()
        if sample is not None:
            taken.append(sample)
        return bool(taken) and None not in (taken[-1].cpu_use, taken[-1].disk_used_bytes)

    eventually(has_all)
    sample = taken[-1]
    assert 0 < (sample.memory_used_bytes or 0) < (sample.memory_total_bytes or 0)
    assert 0 < (sample.disk_used_bytes or 0) < (sample.disk_total_bytes or 0)
    assert [gpu.job_id for gpu in sample.gpus] == ["job_1", None]


def test_a_volume_that_does_not_answer_costs_its_disk_alone(
    start_sampler: NewSampler, new_meter: NewMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> None:
        raise OSError("stale file handle")

    monkeypatch.setattr("psutil.disk_usage", refuse)
    sampler = start_sampler(new_meter(()), {})
    taken: list[Sample | None] = []
    eventually(lambda: taken.append(sampler.take()) or taken[-1] is not None)
    assert taken[-1] is not None
    assert taken[-1].disk_used_bytes is None
    assert taken[-1].memory_total_bytes


def test_the_gpus_of_a_worker_are_known_with_their_attempts() -> None:
    running = RunningAttempts(2, on_end=lambda: None)
    claims = [a_claim(), a_claim().model_copy(update={"job_id": "job_2"})]
    for claim, gpus in zip(claims, [(0, 1), (3,)], strict=True):
        attempt = SimpleNamespace(claim=claim, gpus=gpus)
        running._attempts[claim.job_id, 1] = cast(Attempt, attempt)
    assert running.of_gpus() == {0: ("job_1", 1), 1: ("job_1", 1), 3: ("job_2", 1)}


def test_a_workers_first_heartbeat_has_a_sample_of_its_host_and_its_gpus(
    control_plane: FakeControlPlane, start_worker: StartWorker, driver: FakeDriver
) -> None:
    start_worker(ranks="waits_for_a_file", **driver.variables, CUDA_VISIBLE_DEVICES=None)
    control_plane.offer(a_claim())
    control_plane.wait_for(lambda: control_plane.samples)
    sample = control_plane.samples[0]
    assert sample.memory_total_bytes
    assert [gpu.index for gpu in sample.gpus] == [0, 1]
