"""Which execution a run takes: what its parameters name, the checkpoint's, or the fastest."""

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import torch

from workers.recipes.params import RecipeParams
from workers.training.attempt_results import Stopped
from workers.training.calibration import (
    Measurements,
    Workload,
    images_to_measure,
    measure,
    read_measurements,
    write_measurements,
)
from workers.training.execution import (
    ORIGINAL,
    Execution,
    MemoryFormat,
    Precision,
    computes_bf16,
    missing_compiler,
    require_bf16,
    require_compiler,
    set_kernels,
)
from workers.training.run_context import RunContext
from workers.training.state import RunState
from workers.training.step import NotCompiled

LONG_IMAGES = {"cpu": 100_000, "cuda": 500_000}
"""Images of 224 pixels from which on a run is worth a few seconds of measuring."""
COMPILED_RUN_SECONDS = 6 * 3600.0
"""The estimated time of a run from which on a cold compile of minutes is one per cent of it."""
_NOTE_SECONDS = 300.0
_MOST_NOTES = 12
_GAIN = {"bf16": 0.9, "compiled": 0.95, "contiguous": 0.97}
"""The share of the other's time that each may take at most: it has a price, or is a habit."""
_PIXELS = 224 * 224


@dataclass(frozen=True)
class Choice:
    """The execution, and a sentence that says what it is and why."""

    execution: Execution
    sentence: str


def choose(
    context: RunContext, state: RunState, *, classes: int, saved: Execution | None
) -> Choice:
    """The same choice on each rank; `saved` is that of the checkpoint that the run resumes.

    A parameter that is not `auto` holds. A short run takes the usual choice without measuring.
    Raises InvalidData where the worker cannot do what a parameter names.
    """
    params, device = context.params, state.device
    set_kernels(device, exact=params.exact)
    if params.precision == "bf16":
        require_bf16(device)
    if params.compile == "on":
        require_compiler(device)
    exact = params.exact or device.type != "cuda"
    if params.parity:
        return Choice(ORIGINAL, _sentence(ORIGINAL, "parity", exact))
    if saved is not None:
        execution = _with_named(_possible(context, saved, device), params)
        return Choice(execution, _sentence(execution, "as in the checkpoint", exact))
    usual = _with_named(usual_execution(device), params)
    candidates = _candidates(usual, params, device)
    is_open = len(candidates) > 1 or params.compile == "auto"
    measured: Measurements = {}
    if is_open and is_long(params, device):
        measured = _Calibration(context, state, classes).run(candidates)
    if not measured:
        return Choice(usual, _sentence(usual, "", exact))
    best = _with_named(fastest(measured), params)
    figures = "; ".join(f"{1 / each:.1f} images/s {name}" for name, each in measured.items())
    return Choice(best, _sentence(best, f"measured {figures}", exact))


def usual_execution(device: torch.device) -> Execution:
    """What a run takes that is too short to be measured."""
    is_cpu = device.type == "cpu"
    return Execution(memory_format="channels_last" if is_cpu else "contiguous", fused=True)


def is_long(params: RecipeParams, device: torch.device) -> bool:
    """Whether measuring can pay: by the parameters alone, the same in each run of them."""
    images = params.total_iters * params.batch_size * params.image_size**2 / _PIXELS
    return images >= LONG_IMAGES[device.type]


def fastest(measured: Measurements) -> Execution:
    """The execution of the least time, where a price or a habit counts as a few per cent."""

    def weighed(execution: Execution) -> float:
        traits: list[str] = [execution.precision, execution.memory_format]
        traits += ["compiled"] if execution.compiled else []
        return measured[execution] / math.prod(_GAIN.get(trait, 1.0) for trait in traits)

    return min(measured, key=weighed)


class _Calibration:
    """The measurements of one run: rank 0's, which each rank takes.

    Each rank measures, so that they load the machine as the run will.
    """

    def __init__(self, context: RunContext, state: RunState, classes: int) -> None:
        params, self._device = context.params, state.device
        self._context, self._state = context, state
        share = context.ranks.share_of(params.batch_size)
        self._images = params.total_iters * share
        images = images_to_measure(self._device, params.image_size, share)
        self._workload = Workload(context.recipe, context.variant, params, images, classes)
        self._known: Measurements = read_measurements(self._workload, self._device)
        self._agree()

    def run(self, executions: list[Execution]) -> Measurements:
        """The times of the executions that fit into memory, and of the best one compiled.

        Raises Stopped, at every rank, if a stop was asked.
        """
        self._measure(executions)
        wanted = list(executions)
        if self._compiling_can_pay(executions):
            compiled = replace(fastest(self._of(executions)), compiled=True)
            self._try_to_compile(compiled)
            wanted.append(compiled)
        return self._of(wanted)

    def _compiling_can_pay(self, executions: list[Execution]) -> bool:
        measured = self._of(executions)
        if self._context.params.compile != "auto" or not measured:
            return False
        seconds = min(measured.values()) * self._images
        return seconds >= COMPILED_RUN_SECONDS and missing_compiler(self._device) is None

    def _try_to_compile(self, compiled: Execution) -> None:
        events = self._context.events
        if compiled not in self._known:
            events.note("compiling the network for some minutes, to see whether that is faster")
        try:
            with _notes_of_waiting(events.note):
                self._measure([compiled])
        except NotCompiled as error:
            events.note(f"{error}; the run is eager")
            self._agree()

    def _measure(self, executions: list[Execution]) -> None:
        context = self._context
        self._known |= measure(
            self._workload,
            self._state,
            [execution for execution in executions if execution not in self._known],
            clock=context.clock,
            after_each=self._go_on,
        )
        self._agree()
        if context.ranks.is_first:
            # Before a compile of minutes, which may not end.
            write_measurements(self._workload, self._device, self._known)

    def _go_on(self) -> None:
        self._context.events.pulse()
        if self._context.ranks.any(self._context.stop_asked()):
            raise Stopped("stopped before its first step, as asked")

    def _agree(self) -> None:
        self._known = dict(self._context.ranks.gathered(list(self._known.items()))[0])

    def _of(self, executions: list[Execution]) -> Measurements:
        return {each: self._known[each] for each in executions if each in self._known}


@contextmanager
def _notes_of_waiting(note: Callable[[str], None]) -> Iterator[None]:
    """Notes every five minutes of an hour that the network compiles: each is a sign of life."""
    ended = threading.Event()

    def write() -> None:
        for number in range(1, _MOST_NOTES + 1):
            if ended.wait(_NOTE_SECONDS):
                return
            note(f"the network compiles since {number * _NOTE_SECONDS / 60:.0f} minutes")

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _possible(context: RunContext, saved: Execution, device: torch.device) -> Execution:
    """The saved execution, without what this worker lacks; a note says so."""
    lacks = {
        "bfloat16 instructions": saved.precision == "bf16" and not computes_bf16(device),
        missing_compiler(device) or "": saved.compiled and missing_compiler(device) is not None,
    }
    for what in (what for what, is_lacking in lacks.items() if is_lacking):
        context.events.note(
            f"this worker has no {what.removeprefix('a ')}, which the run has used: it goes on "
            "without, and equality bit for bit cannot be promised"
        )
    bf16 = saved.precision == "bf16" and computes_bf16(device)
    compiled = saved.compiled and missing_compiler(device) is None
    return replace(saved, precision="bf16" if bf16 else "fp32", compiled=compiled)


def _candidates(usual: Execution, params: RecipeParams, device: torch.device) -> list[Execution]:
    """The eager executions that the parameters leave open."""
    precisions: list[Precision] = [usual.precision]
    formats: list[MemoryFormat] = [usual.memory_format]
    if params.precision == "auto" and computes_bf16(device):
        precisions = ["fp32", "bf16"]
    if params.memory_format == "auto":
        formats = ["contiguous", "channels_last"]
    return [
        Execution(precision, memory_format, fused=usual.fused)
        for precision, memory_format in product(precisions, formats)
    ]


def _with_named(execution: Execution, params: RecipeParams) -> Execution:
    named: dict[str, Any] = {}
    if params.precision != "auto":
        named["precision"] = params.precision
    if params.memory_format != "auto":
        named["memory_format"] = params.memory_format
    if params.compile != "auto":
        named["compiled"] = params.compile == "on"
    return replace(execution, **named)


def _sentence(execution: Execution, why: str, exact: bool) -> str:
    kernels = "" if exact else ", fastest kernels: a resumed run may differ in its last bits"
    return f"computes in {execution}{kernels}" + (f" ({why})" if why else "")
