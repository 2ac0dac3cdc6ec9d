"""Successive halving: which trials are not among the best that have come as far."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from service.contract.sweep_specs import Asha, Objective
from service.control.sweeps.optuna_library import new_study, pruners, running_trial

_RUNG = "completed_rung_"
"""How optuna's pruner names the value with which a trial came to a rung, by the rung's number."""


@dataclass(frozen=True)
class Judgement:
    """The rungs that a trial has come to, and whether it is to stop."""

    rungs: tuple[float, ...]
    stops: bool


def judge(
    asha: Asha,
    objective: Objective,
    rungs: tuple[float, ...],
    points: Sequence[tuple[int, float]],
    others: Collection[tuple[float, ...]],
) -> Judgement:
    """Judge a trial by what it has measured since it was judged last.

    `rungs` are its values at the rungs that it had come to, `points` its new (step, value) in the
    order of the steps, and `others` the rungs of the other trials of the sweep.
    """
    pruner = pruners().SuccessiveHalvingPruner(
        min_resource=asha.min_steps, reduction_factor=asha.reduction_factor
    )
    for step, value in points:
        # A study of its own for each: optuna's storage keeps the rungs, and ours are in rows.
        study = new_study(objective.goal)
        for other in others:
            study.add_trial(running_trial({}, _attributes(other)))
        study.add_trial(running_trial({step: value}, _attributes(rungs)))
        stops = pruner.prune(study, study.trials[-1])
        rungs = _rungs_in(study.trials[-1].system_attrs)
        if stops:
            return Judgement(rungs, stops=True)
    return Judgement(rungs, stops=False)


def _attributes(rungs: tuple[float, ...]) -> dict[str, float]:
    return {f"{_RUNG}{number}": value for number, value in enumerate(rungs)}


def _rungs_in(attributes: dict[str, float]) -> tuple[float, ...]:
    values: list[float] = []
    while (name := f"{_RUNG}{len(values)}") in attributes:
        values.append(attributes[name])
    return tuple(values)
