"""The parameters of each trial of a sweep: a combination of the grid, or one drawn at random.

Each follows from the sweep and the trial's number alone, so that nothing of it need be stored.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from service.contract.specs import TrainSpec
from service.contract.sweep_specs import SWEEP_LABEL, Choices, Grid, NewSweep, Range
from service.control.sweeps.optuna_library import distributions, new_study, samplers


def parameters_of(new: NewSweep, number: int) -> dict[str, Any]:
    """The values of the parameters of a trial; the numbers begin at 1."""
    if isinstance(new.method, Grid):
        return _combination(new.parameters, number - 1)
    return _drawn(new.parameters, new.method.seed, number)


def spec_of(new: NewSweep, sweep_id: str, number: int, parameters: Mapping[str, Any]) -> TrainSpec:
    """The training of a trial, as a user would submit it; raises ValidationError."""
    body = new.job.model_dump(mode="json")
    name = f"{new.name or sweep_id}-{number}"
    labels = {**new.job.labels, SWEEP_LABEL: sweep_id}
    params = {**new.job.params, **parameters}
    return TrainSpec.model_validate(
        body | {"name": name[-200:], "labels": labels, "params": params}
    )


def _combination(parameters: Mapping[str, Choices | Range], index: int) -> dict[str, Any]:
    """The combination with this index, the last parameter changing fastest."""
    found: dict[str, Any] = {}
    for name, domain in reversed([*parameters.items()]):
        assert isinstance(domain, Choices), "a grid has no ranges"
        index, position = divmod(index, len(domain.values))
        found[name] = domain.values[position]
    return dict(reversed([*found.items()]))


def _drawn(parameters: Mapping[str, Choices | Range], seed: int, number: int) -> dict[str, Any]:
    digest = hashlib.sha256(f"{seed} {number}".encode()).digest()
    sampler = samplers().RandomSampler(seed=int.from_bytes(digest[:4]))
    asked = new_study("minimize", sampler=sampler).ask(
        {name: _distribution(domain) for name, domain in parameters.items()}
    )
    return {
        name: domain.values[asked.params[name]]
        if isinstance(domain, Choices)
        else asked.params[name]
        for name, domain in parameters.items()
    }


def _distribution(domain: Choices | Range) -> Any:
    kinds = distributions()
    if isinstance(domain, Choices):
        # By position: optuna takes no lists and objects as choices.
        return kinds.IntDistribution(0, len(domain.values) - 1)
    if domain.whole:
        step = int(domain.step) if domain.step is not None else 1
        return kinds.IntDistribution(int(domain.low), int(domain.high), log=domain.log, step=step)
    return kinds.FloatDistribution(domain.low, domain.high, log=domain.log, step=domain.step)
