"""How long the loop waits for batches while the device has nothing to do."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch

from workers.training.time_account import Activity, TimeAccount


class DeviceMark(Protocol):
    """A point in the work that a device was given."""

    def is_reached(self) -> bool:
        """Whether the device has done all before it; does not wait."""

    def seconds_after(self, earlier: "DeviceMark") -> float:
        """The device's time between two points that it has reached."""


class DataWait:
    """Counts the wait for a batch as `data_wait`, and as `work` while the device is at work.

    A device that runs behind its program is asked by marks before and after the wait: its time
    between them, in which it did nothing, is the wait. They are read once it has passed them, so
    that no step waits for it. `mark` is None for a device that works within the call, as the CPU.
    """

    def __init__(
        self, times: TimeAccount, mark: Callable[[], DeviceMark] | None, work: Activity = "step"
    ) -> None:
        self._times, self._mark, self._work = times, mark, work
        self._pending: deque[tuple[float, DeviceMark, DeviceMark]] = deque()

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Around the wait for one batch."""
        if self._mark is None:
            with self._times.on("data_wait"):
                yield
            return
        began, before = self._waited(), self._mark()
        with self._times.on("data_wait"):
            yield
        self._pending.append((self._waited() - began, before, self._mark()))
        self.settle()

    def settle(self) -> None:
        """Divide the waits whose end the device has reached: all of them once it is idle."""
        while self._pending and self._pending[0][2].is_reached():
            waited, before, after = self._pending.popleft()
            idle = min(max(after.seconds_after(before), 0.0), waited)
            self._times.move(waited - idle, "data_wait", self._work)

    def _waited(self) -> float:
        return self._times.spent().data_wait_seconds


class CudaMark:
    """A mark in the current stream of a CUDA device."""

    def __init__(self) -> None:
        self._event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        self._event.record()

    def is_reached(self) -> bool:
        """Whether the stream has come to it."""
        return bool(self._event.query())  # type: ignore[no-untyped-call]

    def seconds_after(self, earlier: DeviceMark) -> float:
        """Between two marks of one device, to about half a microsecond."""
        assert isinstance(earlier, CudaMark)
        return float(earlier._event.elapsed_time(self._event)) / 1e3


def data_wait_of(device: torch.device, times: TimeAccount, work: Activity) -> DataWait:
    """The measure of the wait for batches of a run that does this work on `device`."""
    return DataWait(times, CudaMark if device.type == "cuda" else None, work)
