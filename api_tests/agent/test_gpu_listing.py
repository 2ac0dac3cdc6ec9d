"""The list of the GPUs of a machine: each by its own handle, in a process that may be lost."""

from pathlib import Path

import pytest

from api_tests.support.gpu_driver import MEMORY_BYTES, FakeDriver, a_gpu, an_instance
from workers.agent.gpu_discovery import discover_gpus, gpu_problems
from workers.agent.gpu_listing import GpuListing, list_gpus
from workers.launcher.base import GpuDevice


@pytest.fixture
def own_driver(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    """The driver of the processes that this one starts."""
    for name, value in driver.variables.items():
        monkeypatch.setenv(name, value)
    return driver


def test_a_lost_gpu_hides_no_other(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.has(a_gpu(0), a_gpu(1, lost=True), a_gpu(2, used=7))
    first, lost, third = list_gpus(driver.nvml(monkeypatch)).gpus
    assert (first.uuid, first.memory_bytes, first.problem) == ("GPU-0", MEMORY_BYTES, None)
    assert (lost.index, lost.uuid) == (1, "")
    assert "the driver has lost it (GPU is lost)" in str(lost.problem)
    assert (third.index, third.used_bytes, third.problem) == (2, 7, None)


def test_a_gpu_in_mig_mode_is_listed_as_its_instances(
    driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [an_instance(1), an_instance(2)]
    driver.has(a_gpu(0), a_gpu(1, instances=parts), a_gpu(2, instances=[]))
    whole, first, second, empty = list_gpus(driver.nvml(monkeypatch)).gpus
    assert (whole.index, empty.index) == (0, 2)
    assert [(each.index, each.uuid) for each in (first, second)] == [(201, "MIG-1"), (202, "MIG-2")]
    assert (first.name, first.memory_bytes) == ("NVIDIA H100 MIG 1g.10gb", 10 << 30)
    assert (first.problem, second.problem) == (None, None)
    assert "it is in MIG mode and has no instances: make some" in str(empty.problem)


def test_a_machine_without_the_driver_has_no_gpus_and_no_problem(tmp_path: Path) -> None:
    assert tmp_path
    assert list_gpus() == GpuListing(has_driver=False)
    assert discover_gpus() == GpuListing(has_driver=False)


def test_the_listing_of_another_process_is_the_drivers(own_driver: FakeDriver) -> None:
    own_driver.has(a_gpu(0), a_gpu(1, lost=True))
    assert [gpu.problem is None for gpu in discover_gpus().gpus] == [True, False]


@pytest.mark.parametrize(
    ("fault", "problem"),
    [("crash", "could not be asked"), ("hang", "has not answered for 2 s")],
)
def test_a_driver_that_crashes_or_hangs_takes_the_listing_alone(
    own_driver: FakeDriver, fault: str, problem: str
) -> None:
    own_driver.fails(fault)
    listing = discover_gpus(timeout_seconds=2.0)
    assert listing.gpus == ()
    assert problem in str(listing.problem)


def test_torch_is_tried_on_each_gpu_and_says_why_it_cannot_use_it() -> None:
    problems = gpu_problems([GpuDevice(0, "GPU-0"), GpuDevice(101, "MIG-1")])
    assert list(problems) == [0, 101]
    assert all(str(each).startswith("torch cannot use the GPU: ") for each in problems.values())
    assert "NVIDIA" in str(problems[0])


def test_a_trial_that_takes_too_long_tells_nothing() -> None:
    assert gpu_problems([GpuDevice(0, "GPU-0")], timeout_seconds=0.01) == {}
