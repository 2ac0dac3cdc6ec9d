"""The loop that looks for the GPUs of this machine again, and offers those that can be used."""

from collections.abc import Callable, Collection, Mapping, Sequence

import structlog

from service.contract.loop import Loop
from service.contract.registration import Gpu
from workers.agent.gpu_inventory import GpuInventory
from workers.agent.gpu_listing import GpuListing
from workers.launcher.base import GpuDevice, Launcher

EVERY_SECONDS = 30.0
_WITHOUT_DRIVER_SECONDS = 600.0
_TRIAL_SECONDS = 300.0
_log = structlog.get_logger()


class GpuWatcher:
    """Has the launcher give out the GPUs that are sound, and tells of each change.

    `discover` lists the GPUs, `try_torch` gives by index why torch cannot use one; both may take
    long, and run in a thread of this watcher. `in_use` gives the indices that attempts use;
    `on_change` is called with all GPUs of the worker when one has become usable or unusable.
    """

    def __init__(
        self,
        inventory: GpuInventory,
        launcher: Launcher,
        *,
        discover: Callable[[], GpuListing],
        try_torch: Callable[[Sequence[GpuDevice]], Mapping[int, str | None]],
        in_use: Callable[[], Collection[int]],
        on_change: Callable[[tuple[Gpu, ...]], None],
        clock: Callable[[], float],
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._inventory, self._launcher = inventory, launcher
        self._discover, self._try_torch, self._in_use = discover, try_torch, in_use
        self._on_change, self._clock = on_change, clock
        self._every_seconds = every_seconds
        self._told = inventory.gpus
        self._logged: tuple[Gpu, ...] = ()
        self._try_at: float | None = None
        self._has_begun = False
        self._offer()
        self._loop = Loop("gpus", every_seconds, self._turn, log=_log, outages=(OSError,))

    def start(self) -> None:
        """Begin to look, until the process ends; the inventory has a first listing."""
        if self._inventory.are_wanted:
            self._loop.start()

    def doubt(self, indices: Sequence[int], problem: str) -> None:
        """Give out no GPU before torch was tried on it: on these it has failed, by `problem`."""
        self._inventory.doubt(indices, problem, self._in_use())
        self._try_at = self._clock()
        self._offer()
        self._loop.hasten()

    def _turn(self) -> float:
        if not self._has_begun:
            self._has_begun = True
            return self._pause_seconds()
        before = self._in_use()
        listing = self._discover()
        # What an attempt that has just begun or ended has filled is not another program's.
        self._inventory.take(listing, {*before, *self._in_use()})
        self._offer()
        self._try_those_in_doubt()
        self._offer()
        gpus = self._inventory.gpus
        if gpus != self._told:
            self._on_change(gpus)
            self._told = gpus
        return self._pause_seconds()

    def _pause_seconds(self) -> float:
        return self._every_seconds if self._inventory.may_come else _WITHOUT_DRIVER_SECONDS

    def _try_those_in_doubt(self) -> None:
        if self._try_at is None or self._clock() < self._try_at:
            return
        devices = self._inventory.in_doubt(self._in_use())
        if devices:
            self._try_at = self._clock() + _TRIAL_SECONDS
            self._inventory.take_trial(self._try_torch(devices))

    def _offer(self) -> None:
        self._launcher.offer_gpus(self._inventory.offered)
        before = {gpu.index: gpu.problem for gpu in self._logged}
        self._logged = self._inventory.gpus
        for gpu in self._logged:
            if gpu.problem == before.get(gpu.index):
                continue
            if gpu.problem is not None:
                _log.error("gpu_withheld", gpu=gpu.index, name=gpu.name, problem=gpu.problem)
            else:
                _log.info("gpu_offered", gpu=gpu.index, name=gpu.name)
