"""The loop that looks for the GPUs again: what it has the launcher give out, and whom it tells."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest

from api_tests.support.polling import eventually
from service.contract.registration import Gpu
from workers.agent.gpu_inventory import GpuInventory
from workers.agent.gpu_listing import GpuListing, ListedGpu
from workers.agent.gpu_watcher import GpuWatcher
from workers.launcher.base import GpuDevice, Handle, Launch

TWO = tuple(ListedGpu(index=index, uuid=f"GPU-{index}", memory_bytes=80) for index in (0, 1))
LOST = (TWO[0], ListedGpu(index=1, problem="lost"))


class OfferedGpus:
    """A launcher that starts nothing, and keeps what it is offered."""

    def __init__(self) -> None:
        self.indices: list[int] = []

    @property
    def free_gpus(self) -> int:
        return len(self.indices)

    def offer_gpus(self, gpus: Sequence[GpuDevice]) -> None:
        self.indices = [gpu.index for gpu in gpus]

    def start(self, launch: Launch) -> Handle:
        raise AssertionError(launch)

    def close(self) -> None:
        return


class Machine:
    """What a watcher is given: a test changes the listing, the GPUs in use, what torch says."""

    def __init__(self) -> None:
        self.listing = GpuListing(gpus=TWO)
        self.in_use: set[int] = set()
        self.torch: dict[int, str | None] = {}
        self.tried: list[list[int]] = []
        self.told: list[tuple[Gpu, ...]] = []
        self.launcher = OfferedGpus()
        self.seconds = 0.0

    def try_torch(self, gpus: Sequence[GpuDevice]) -> Mapping[int, str | None]:
        self.tried.append([gpu.index for gpu in gpus])
        return {gpu.index: self.torch.get(gpu.index) for gpu in gpus}


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def watch(machine: Machine) -> Iterator[Callable[[], GpuWatcher]]:
    """Starts a watcher of the machine that looks all the time, until the test's end."""
    watchers: list[GpuWatcher] = []

    def start() -> GpuWatcher:
        inventory = GpuInventory(None)
        inventory.take(machine.listing, ())
        watcher = GpuWatcher(
            inventory,
            machine.launcher,
            discover=lambda: machine.listing,
            try_torch=machine.try_torch,
            in_use=lambda: set(machine.in_use),
            on_change=machine.told.append,
            clock=lambda: machine.seconds,
            every_seconds=0.01,
        )
        watchers.append(watcher)
        watcher.start()
        return watcher

    yield start
    for watcher in watchers:
        watcher._loop.stop()


def test_a_gpu_that_falls_off_later_is_not_given_out_and_the_server_is_told(
    machine: Machine, watch: Callable[[], GpuWatcher]
) -> None:
    watch()
    eventually(lambda: machine.launcher.indices == [0, 1])
    machine.listing = GpuListing(gpus=LOST)
    eventually(lambda: machine.told)
    assert machine.launcher.indices == [0]
    assert [gpu.problem for gpu in machine.told[-1]] == [None, "lost"]
    machine.listing = GpuListing(gpus=TWO)
    eventually(lambda: machine.launcher.indices == [0, 1] and len(machine.told) == 2)


def test_a_gpu_on_which_torch_failed_is_tried_at_once_and_again_later(
    machine: Machine, watch: Callable[[], GpuWatcher]
) -> None:
    watcher = watch()
    machine.torch = {1: "torch cannot use it"}
    watcher.doubt([1], "torch cannot use it")
    eventually(lambda: machine.told)
    assert machine.launcher.indices == [0]
    assert [gpu.problem for gpu in machine.told[-1]] == [None, "torch cannot use it"]
    assert machine.tried == [[0, 1]]
    machine.torch, machine.seconds = {}, 299.0
    machine.listing = GpuListing(gpus=(*TWO, ListedGpu(index=2, uuid="GPU-2", memory_bytes=80)))
    eventually(lambda: machine.launcher.indices == [0, 2])
    assert machine.tried == [[0, 1]]
    machine.seconds = 300.0
    eventually(lambda: machine.launcher.indices == [0, 1, 2])
    assert machine.tried == [[0, 1], [1]]


def test_a_server_that_does_not_take_the_change_is_told_again(
    machine: Machine, watch: Callable[[], GpuWatcher]
) -> None:
    watcher = watch()
    told: list[object] = []

    def refuse_once(gpus: tuple[Gpu, ...]) -> None:
        told.append(gpus)
        if len(told) == 1:
            raise OSError("the server is away")

    watcher._on_change = refuse_once
    machine.listing = GpuListing(gpus=LOST)
    eventually(lambda: len(told) == 2)
