"""What an agent measures of its host and its GPUs, and sends with its heartbeats."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from api_tests.support.claims import a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.gpu_driver import FakeDriver
from api_tests.support.worker_process import StartWorker, eventually
from service.contract.registration import Gpu
from service.contract.samples import Sample
from workers.agent.attempt import Attempt
from workers.agent.gpu_use import GpuMeter
from workers.agent.running_attempts import RunningAttempts
from workers.agent.samples import Sampler

NewSampler = Callable[..., Sampler]
GPUS = tuple(Gpu(index=index, name="H100", memory_bytes=80) for index in (0, 2))


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


class FakeNvmlError(Exception):
    """The error of the driver's library."""


class FakeNvml:
    """The driver's library; a test may change what each function gives or raises."""

    NVMLError = FakeNvmlError
    NVML_TEMPERATURE_GPU = 0

    def __init__(self) -> None:
        self.is_there = True
        self.unsupported: set[str] = set()

    def nvmlInit(self) -> None:
        if not self.is_there:
            raise FakeNvmlError("NVML Shared Library Not Found")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        values = {
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetUtilizationRates": lambda gpu: SimpleNamespace(gpu=90 + gpu),
            "nvmlDeviceGetMemoryInfo": lambda gpu: SimpleNamespace(used=20 + gpu, total=80),
            "nvmlDeviceGetTemperature": lambda gpu, _sensor: 60 + gpu,
            "nvmlDeviceGetPowerUsage": lambda gpu: 500_400 + gpu,
        }

        def call(*arguments: int) -> Any:
            if name in self.unsupported:
                raise FakeNvmlError("Not Supported")
            return values[name](*arguments)

        return call


def test_each_registered_gpu_is_measured_with_the_job_that_it_is_given() -> None:
    first, second = GpuMeter(GPUS, FakeNvml()).measure({2: ("job_1", 3)})
    assert (first.index, first.job_id) == (0, None)
    assert second.model_dump() == {
        "index": 2,
        "use": 0.92,
        "memory_used_bytes": 22,
        "memory_total_bytes": 80,
        "temperature_celsius": 62.0,
        "power_watts": 500.0,
        "job_id": "job_1",
        "attempt": 3,
    }


def test_what_a_driver_does_not_tell_is_absent_and_the_rest_is_there() -> None:
    nvml = FakeNvml()
    nvml.unsupported = {"nvmlDeviceGetUtilizationRates", "nvmlDeviceGetPowerUsage"}
    first, _ = GpuMeter(GPUS, nvml).measure({})
    assert (first.use, first.power_watts, first.memory_used_bytes) == (None, None, 20)
    nvml.unsupported = {"nvmlDeviceGetHandleByIndex"}
    first, _ = GpuMeter(GPUS, nvml).measure({0: ("job_1", 1)})
    assert (first.memory_used_bytes, first.job_id) == (None, "job_1")


def test_a_host_without_the_driver_says_so_once_and_measures_when_it_is_back() -> None:
    nvml = FakeNvml()
    nvml.is_there = False
    meter = GpuMeter(GPUS, nvml)
    with capture_logs() as logs:
        measured = [meter.measure({2: ("job_1", 1)}) for _ in range(3)]
    assert [(each["event"], each["error"]) for each in logs] == [
        ("gpu_use_unknown", "NVML Shared Library Not Found")
    ]
    assert [gpu.use for gpu in measured[-1]] == [None, None]
    assert measured[-1][1].job_id == "job_1"
    nvml.is_there = True
    assert meter.measure({})[0].use == 0.9


def test_the_real_library_without_a_driver_measures_nothing() -> None:
    with capture_logs():
        (sample,) = GpuMeter(GPUS[:1]).measure({})
    assert sample.index == 0


def test_a_sampler_measures_the_host_and_the_disk_and_gives_each_sample_once(
    start_sampler: NewSampler,
) -> None:
    sampler = start_sampler(GpuMeter(GPUS, FakeNvml()), {0: ("job_1", 1)})
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
    start_sampler: NewSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> None:
        raise OSError("stale file handle")

    monkeypatch.setattr("psutil.disk_usage", refuse)
    sampler = start_sampler(GpuMeter(()), {})
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
