"""Which execution a run takes: what its parameters name, the checkpoint's, or the fastest."""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import torch

from workers.recipes.params import RecipeParams
from workers.training.calibration import Measurements
from workers.training.calibration_of_run import Calibration, fastest
from workers.training.distributed import Ranks
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
from workers.training.synchronised_batch_norm import is_synchronised

LONG_IMAGES = {"cpu": 100_000, "cuda": 500_000}
"""Images of 224 pixels from which on a run is worth a few seconds of measuring."""
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
    candidates = _candidates(usual, params, context.ranks)
    is_open = len(candidates) > 1 or params.compile == "auto"
    measured: Measurements = {}
    if is_open and is_long(params, device):
        measured = Calibration(context, state, classes).run(candidates)
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


def _possible(context: RunContext, saved: Execution, device: torch.device) -> Execution:
    """The saved execution, without what the worker of any rank lacks; a note says so.

    Without compiling, too, where batch norm is synchronised since.
    """
    bf16 = saved.precision == "bf16" and _all_compute_bf16(context.ranks)
    compiler: str | None = None
    if saved.compiled:
        missing = context.ranks.gathered(missing_compiler(device) or "")
        compiler = next((each for each in missing if each), None)
    lacks = {
        "bfloat16 instructions": saved.precision == "bf16" and not bf16,
        compiler or "": compiler is not None,
    }
    for what in (what for what, is_lacking in lacks.items() if is_lacking):
        context.events.note(
            f"this worker has no {what.removeprefix('a ')}, which the run has used: it goes on "
            "without, and equality bit for bit cannot be promised"
        )
    compiled = (
        saved.compiled and compiler is None and not is_synchronised(context.params, context.ranks)
    )
    return replace(saved, precision="bf16" if bf16 else "fp32", compiled=compiled)


def _all_compute_bf16(ranks: Ranks) -> bool:
    # Of two kinds of GPU in one machine, one may have no such instructions.
    return not ranks.any(not computes_bf16(ranks.device))


def _candidates(usual: Execution, params: RecipeParams, ranks: Ranks) -> list[Execution]:
    """The eager executions that the parameters leave open, the same on each rank."""
    precisions: list[Precision] = [usual.precision]
    formats: list[MemoryFormat] = [usual.memory_format]
    if params.precision == "auto" and _all_compute_bf16(ranks):
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
    validates = "" if execution.precision == "fp32" else ", validates in fp32"
    return f"computes in {execution}{kernels}{validates}" + (f" ({why})" if why else "")
