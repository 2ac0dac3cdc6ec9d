"""The GPUs of this worker: which may be given out, and why the others may not."""

import threading
from collections.abc import Collection, Iterable, Mapping

from service.contract.registration import MOST_GPUS, Gpu
from workers.agent.gpu_choice import visible_gpus
from workers.agent.gpu_listing import GpuListing, ListedGpu, parent_index
from workers.launcher.base import GpuDevice

_FILLED_BYTES = 1 << 30
_FILLED_PART = 0.1
_ABSENT = "the driver does not list it any more"
_UNTRIED = "torch could not use another GPU of this worker: it is tried before it is given out"


class GpuInventory:
    """What the newest listing says of each GPU, and what torch says of those in doubt.

    A GPU keeps its index as long as the worker runs: it is known by its UUID. `visible` is
    CUDA_VISIBLE_DEVICES, None where it is not set. Each method may be called from any thread.
    """

    def __init__(self, visible: str | None) -> None:
        self._visible = visible
        self._known: dict[int, ListedGpu] = {}
        self._doubts: dict[int, str] = {}
        self._has_driver = True
        self._lock = threading.Lock()

    @property
    def may_come(self) -> bool:
        """Whether another listing may have GPUs: there are some, or a driver that would tell."""
        return self._has_driver or bool(self._known)

    @property
    def are_wanted(self) -> bool:
        """Whether the user leaves the worker any; where not, nobody need look for them."""
        return self._visible != ""

    @property
    def gpus(self) -> tuple[Gpu, ...]:
        """All of them in the order of their indices, as they are registered."""
        with self._lock:
            return tuple(self._gpu(index) for index in sorted(self._known))[:MOST_GPUS]

    @property
    def devices(self) -> tuple[GpuDevice, ...]:
        """The same GPUs, as the driver knows them: without a name those that it has lost."""
        with self._lock:
            known = sorted(self._known.items())[:MOST_GPUS]
            return tuple(GpuDevice(index, gpu.uuid) for index, gpu in known)

    @property
    def offered(self) -> tuple[GpuDevice, ...]:
        """Those that may be given out."""
        with self._lock:
            return tuple(self._devices(self._known))

    def take(self, listing: GpuListing, in_use: Collection[int]) -> None:
        """Take a new listing; `in_use` are the indices that attempts have used while it was made.

        A GPU that no attempt uses and other programs fill is not given out, unless the user has
        named it.
        """
        with self._lock:
            self._has_driver = listing.has_driver
            if listing.problem is not None:
                self._known = _all_with(self._known, listing.problem)
                return
            listed = self._with_own_indices(visible_gpus(listing.gpus, self._visible))
            for index, gpu in listed.items():
                if self._visible is None and index not in in_use and gpu.problem is None:
                    listed[index] = gpu.model_copy(update={"problem": _filled(gpu)})
            self._known = listed | {
                index: gpu.model_copy(update={"problem": _ABSENT})
                for index, gpu in self._known.items()
                if index not in listed and _is_missed(gpu, listed, in_use)
            }
            self._doubts = {i: text for i, text in self._doubts.items() if i in self._known}

    def doubt(self, indices: Collection[int], problem: str, in_use: Collection[int]) -> None:
        """Give no GPU out until torch was tried on it, but those that attempts use now.

        `indices` are those that torch could not use for `problem`; all where it is empty.
        """
        with self._lock:
            for index in self._known.keys() - self._doubts.keys():
                if index in indices or not indices:
                    self._doubts[index] = problem
                elif index not in in_use:
                    self._doubts[index] = _UNTRIED

    def in_doubt(self, in_use: Collection[int]) -> tuple[GpuDevice, ...]:
        """Those on which torch can be tried now."""
        with self._lock:
            return tuple(
                GpuDevice(index, self._known[index].uuid)
                for index in sorted(self._doubts)
                if self._known[index].problem is None and index not in in_use
            )

    def take_trial(self, problems: Mapping[int, str | None]) -> None:
        """Take by index why torch cannot use a GPU, None if it can."""
        with self._lock:
            for index, problem in problems.items():
                if problem is None:
                    self._doubts.pop(index, None)
                elif index in self._known:
                    self._doubts[index] = problem

    def _gpu(self, index: int) -> Gpu:
        known = self._known[index]
        problem = known.problem or self._doubts.get(index)
        return Gpu(index=index, name=known.name, memory_bytes=known.memory_bytes, problem=problem)

    def _devices(self, indices: Iterable[int]) -> Iterable[GpuDevice]:
        for index in sorted(indices):
            gpu = self._known[index]
            if gpu.problem is None and index not in self._doubts:
                yield GpuDevice(index, gpu.uuid)

    def _with_own_indices(self, listed: Iterable[ListedGpu]) -> dict[int, ListedGpu]:
        own = {gpu.uuid: index for index, gpu in self._known.items() if gpu.uuid}
        placed: dict[int, ListedGpu] = {}
        # A lost GPU has no UUID: it is the known one of its index that is listed nowhere else.
        for gpu in sorted(listed, key=lambda each: each.uuid not in own):
            index = own.get(gpu.uuid, gpu.index)
            before = self._known.get(index)
            if not gpu.uuid and before is not None and index not in placed:
                gpu = before.model_copy(update={"problem": gpu.problem, "used_bytes": None})
            elif index in placed or (gpu.uuid and before and before.uuid not in ("", gpu.uuid)):
                index = max([*placed, *self._known]) + 1
            placed[index] = gpu.model_copy(update={"index": index})
        return placed


def _all_with(known: Mapping[int, ListedGpu], problem: str) -> dict[int, ListedGpu]:
    if not known:
        # So that a worker whose driver hangs shows it.
        return {0: ListedGpu(index=0, problem=problem)}
    return {i: gpu.model_copy(update={"problem": problem}) for i, gpu in known.items()}


def _is_missed(gpu: ListedGpu, listed: Mapping[int, ListedGpu], in_use: Collection[int]) -> bool:
    """Whether a GPU that is listed no more is lost, and not made into instances (MIG) or back."""
    if not gpu.uuid:
        return False
    if gpu.uuid.startswith("MIG-"):
        return gpu.index in in_use
    return all(parent_index(index) != gpu.index for index in listed)


def _filled(gpu: ListedGpu) -> str | None:
    used = gpu.used_bytes or 0
    if used <= min(_FILLED_BYTES, _FILLED_PART * gpu.memory_bytes):
        return None
    return (
        f"other programs use {used / (1 << 30):.1f} GiB of it: end them (trainyard doctor names "
        "them), or name it in CUDA_VISIBLE_DEVICES of this worker to give it out all the same"
    )
