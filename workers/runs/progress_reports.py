"""How far a run is that has no training loop."""

from workers.training.attempt_results import Stopped
from workers.training.run_context import RunContext

_PARTS = 50


class ProgressReports:
    """An event at every fiftieth part of a run, and a sign of life at each call between.

    `phase` names the run; the events count in steps of `size`, of which `unit` is the name.
    `stopped` is the message of the end that was asked for.
    """

    def __init__(
        self, context: RunContext, *, phase: str, unit: str, stopped: str, size: int = 1
    ) -> None:
        self._events, self._stop_asked = context.events, context.stop_asked
        self._phase, self._unit, self._size = phase, unit, size
        self._stopped, self._part = stopped, -1

    def report(self, done: int, total: int) -> None:
        """Report that `done` of `total` is done; raises Stopped once asked to stop."""
        if self._stop_asked():
            raise Stopped(self._stopped)
        part = done * _PARTS // max(total, 1)
        if part == self._part:
            self._events.pulse()
            return
        self._part = part
        step, steps = done // self._size, total // self._size
        body = {"phase": self._phase, "step": step, "total_steps": max(steps, 1)}
        self._events.report("progress", body, f"{step} of {steps} {self._unit}")
