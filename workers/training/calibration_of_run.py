"""What a run measures before its first step: each eager execution, and the best one compiled."""

import math
from dataclasses import replace

from workers.training.attempt_results import Stopped
from workers.training.calibration import (
    Measurements,
    Workload,
    images_to_measure,
    measure,
    read_measurements,
    write_measurements,
)
from workers.training.execution import Execution, missing_compiler
from workers.training.run_context import RunContext
from workers.training.state import RunState
from workers.training.synchronised_batch_norm import is_synchronised
from workers.training.trial_of_run import compile_trial

COMPILED_RUN_SECONDS = 6 * 3600.0
"""The estimated time of a run from which on a cold compile of minutes is one per cent of it."""
_GAIN = {"bf16": 0.9, "compiled": 0.95, "contiguous": 0.97}
"""The share of the other's time that each may take at most: it has a price, or is a habit."""


def fastest(measured: Measurements) -> Execution:
    """The execution of the least time, where a price or a habit counts as a few per cent."""

    def weighed(execution: Execution) -> float:
        traits: list[str] = [execution.precision, execution.memory_format]
        traits += ["compiled"] if execution.compiled else []
        return measured[execution] / math.prod(_GAIN.get(trait, 1.0) for trait in traits)

    return min(measured, key=weighed)


class Calibration:
    """The measurements of one run: rank 0's, which each rank takes.

    Each rank measures what is eager, so that they load the machine as the run will; rank 0 alone
    compiles.
    """

    def __init__(self, context: RunContext, state: RunState, classes: int) -> None:
        params, ranks = context.params, context.ranks
        self._context, self._state, self._device = context, state, state.device
        self._workload = Workload(
            context.recipe, context.variant, params, classes, ranks.world_size
        )
        self._known: Measurements = read_measurements(self._workload, self._device)
        self._agree()

    def run(self, executions: list[Execution]) -> Measurements:
        """The times of the executions that fit into memory, and of the best one compiled.

        Raises Stopped, at every rank, if a stop was asked.
        """
        self._measure(executions)
        measured = self._of(executions)
        if not self._compiling_can_pay(measured):
            return measured
        eager = fastest(measured)
        compiled = replace(eager, compiled=True)
        if compiled not in self._known:
            self._try_to_compile(eager, compiled)
        return self._of([*executions, compiled])

    def _compiling_can_pay(self, measured: Measurements) -> bool:
        params, ranks = self._context.params, self._context.ranks
        if params.compile != "auto" or is_synchronised(params, ranks) or not measured:
            return False
        if self._run_seconds(min(measured.values())) < COMPILED_RUN_SECONDS:
            return False
        return not ranks.any(missing_compiler(self._device) is not None)

    def _run_seconds(self, seconds_an_image: float) -> float:
        return seconds_an_image * self._workload.share * self._context.params.total_iters

    def _try_to_compile(self, eager: Execution, compiled: Execution) -> None:
        seconds = self._known[eager]
        share = compile_trial(self._context, self._workload, eager, self._run_seconds(seconds))
        if share is not None:
            # The trial has measured both on a whole batch, and the others here on a part of one.
            self._known[compiled] = seconds * share
            self._keep()

    def _measure(self, executions: list[Execution]) -> None:
        context, workload = self._context, self._workload
        self._known |= measure(
            workload,
            self._state,
            [execution for execution in executions if execution not in self._known],
            replace(context.ranks, world_size=1),
            images=images_to_measure(self._device, context.params.image_size, workload.part),
            clock=context.clock,
            after_each=self._go_on,
        )
        self._agree()
        self._keep()

    def _go_on(self) -> None:
        self._context.events.pulse()
        if self._context.ranks.any(self._context.stop_asked()):
            raise Stopped("stopped before its first step, as asked")

    def _agree(self) -> None:
        self._known = dict(self._context.ranks.gathered(list(self._known.items()))[0])

    def _keep(self) -> None:
        if self._context.ranks.is_first:
            write_measurements(self._workload, self._device, self._known)

    def _of(self, executions: list[Execution]) -> Measurements:
        return {each: self._known[each] for each in executions if each in self._known}
