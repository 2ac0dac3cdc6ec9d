"""What exact kernels cost a step on a device, and what compiling it into CUDA graphs gains."""

import sys
import time
import warnings
from dataclasses import dataclass, replace
from statistics import median

import torch

from benchmarks.gpu.device import Scale, device, name_of, scale_of, settle
from benchmarks.gpu.our_steps import OurSteps, synthetic, tuned_for
from benchmarks.report import Figure, Section
from workers.training.execution import missing_compiler, set_kernels

EXACT, FASTEST, COMPILED = "exact: true", "exact: false", "exact: false, compile: on"
_TURNS = 4
_WARM_STEPS = 5


@dataclass(frozen=True)
class _Way:
    steps: OurSteps
    exact: bool
    rates: list[float]


def measure() -> Section:
    """The same step in each mode, in turn, on one batch of noise."""
    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    target = device()
    scale = scale_of(target)
    # Before the device computes anything: cuBLAS reads what it asks for once.
    set_kernels(target, exact=True)
    ways = {
        EXACT: _Way(OurSteps(target, scale, tuned_for(target)), exact=True, rates=[]),
        FASTEST: _Way(OurSteps(target, scale, tuned_for(target)), exact=False, rates=[]),
    }
    seconds, missing = 0.0, _reason_not_to_compile(target)
    if missing is None:
        compiled = replace(tuned_for(target), compiled=True)
        ways[COMPILED] = _Way(OurSteps(target, scale, compiled), exact=False, rates=[])
    for name, way in ways.items():
        began = time.perf_counter()
        _turn(way, target, scale, warm=_WARM_STEPS, seconds=0.0)
        seconds = time.perf_counter() - began
        sys.stderr.write(f"{name}: the first steps took {seconds:.1f} s\n")
    for _ in range(_TURNS):
        for way in ways.values():
            way.rates.append(_turn(way, target, scale, warm=1, seconds=scale.seconds / _TURNS))
    rates = {name: median(way.rates) for name, way in ways.items()}
    note = missing or f"The first steps, which compile, took {seconds:.0f} s."
    return _section(target, scale, rates, note)


def _reason_not_to_compile(target: torch.device) -> str | None:
    if target.type == "cpu":
        return "Nothing was compiled: for a CPU that takes minutes."
    missing = missing_compiler(target)
    return None if missing is None else f"Nothing was compiled: there is no {missing}."


def _turn(way: _Way, target: torch.device, scale: Scale, *, warm: int, seconds: float) -> float:
    """Images a second, after `warm` steps that are not counted."""
    set_kernels(target, exact=way.exact)
    batch = synthetic(target, scale)
    for _ in range(warm):
        way.steps.step(batch)
    settle(target)
    began, steps = time.perf_counter(), 0
    while steps == 0 or time.perf_counter() - began < seconds:
        way.steps.step(batch)
        steps += 1
    settle(target)
    return steps * scale.batch / (time.perf_counter() - began)


def _section(target: torch.device, scale: Scale, rates: dict[str, float], note: str) -> Section:
    price = rates[FASTEST] / rates[EXACT]
    figures = [
        Figure("exact_price", "a step with exact kernels against the fastest", price, "lower")
    ]
    if COMPILED in rates:
        gain = rates[COMPILED] / rates[FASTEST]
        what = "a step compiled into CUDA graphs, speed to that of an eager one"
        figures.append(Figure("compiled", what, gain, "higher"))
    return Section(
        title="Exact kernels and compiled steps on a device",
        says=(
            f"{name_of(target)}; OneShot tuned, batches of {scale.batch} synthetic images of "
            f"{scale.pixels} px, medians of {_TURNS} turns. `exact: true`, the default, takes "
            "kernels that give the same bits each time; `exact: false` lets cuDNN choose."
        ),
        columns=("parameters", "images/s", "speed"),
        rows=tuple(
            (name, f"{rate:.0f}", f"{rate / rates[EXACT]:.2f}") for name, rate in rates.items()
        ),
        figures=tuple(figures),
        notes=(note,),
    )
