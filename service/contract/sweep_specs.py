"""What a sweep is to do: the values of its parameters, and how combinations are chosen."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from service.contract.fields import MOST_LABELS, Id, MetricName, Name, Step
from service.contract.json_types import WHOLE_NUMBER
from service.contract.sentences import BRANCH
from service.contract.specs import TrainSpec
from service.contract.text import Text

MOST_TRIALS = 1000
MOST_AT_ONCE = 256
MOST_PARAMETERS = 32
SWEEP_LABEL = "sweep"
"""The label of every job of a sweep; its value is the sweep's id."""


class _Edge(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Finite = Annotated[float, Field(allow_inf_nan=False)]
ParameterValue = (
    Annotated[bool, Field(strict=True)]
    | Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
    | Annotated[Text, Field(max_length=4096)]
    | None
)
"""A value of a parameter: JSON's own types, without lists and objects."""

Trials = Annotated[int, Field(ge=1, le=MOST_TRIALS), WHOLE_NUMBER]
Seed = Annotated[int, Field(ge=0, lt=2**32), WHOLE_NUMBER]


class Choices(_Edge):
    """The values that a parameter takes."""

    values: Annotated[tuple[ParameterValue, ...], Field(min_length=1, max_length=MOST_TRIALS)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen = set[tuple[type, ParameterValue]]()
        for value in self.values:
            if (type(value), value) in seen:
                raise ValueError(f"{value!r} is there twice; name each value once")
            seen.add((type(value), value))
        return self


class Range(_Edge):
    """The numbers from `low` to `high`, both included, of which a value is drawn.

    With `log` each order of magnitude is equally likely; `step` is the distance of neighbours;
    `whole` draws whole numbers, as a parameter such as `batch_size` needs them.
    """

    low: Finite
    high: Finite
    log: bool = False
    step: Annotated[Finite, Field(gt=0)] | None = None
    whole: bool = False

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low is {self.low} and high {self.high}: low must be below high")
        if self.log and self.low <= 0:
            raise ValueError("a range with log must have low above 0")
        if self.log and self.step is not None:
            raise ValueError("a range has either log or a step")
        numbers = [self.low, self.high, self.step or 1.0]
        if self.whole and any(not each.is_integer() or abs(each) > 2**53 for each in numbers):
            raise ValueError("a whole range has whole numbers as low, high and step")
        return self


class Grid(_Edge):
    """Every combination of the values; no parameter may be a range."""

    kind: Literal["grid"]


class Random(_Edge):
    """So many combinations, drawn at random; the same seed draws the same ones."""

    kind: Literal["random"]
    trials: Trials
    seed: Seed = 0


class Asha(_Edge):
    """Asynchronous successive halving: combinations drawn at random, most of them stopped early.

    A training that has come to `min_steps`, `min_steps * reduction_factor`, … goes on only if it
    is among the best of each `reduction_factor` that have come as far.
    """

    kind: Literal["asha"]
    trials: Trials
    seed: Seed = 0
    min_steps: Annotated[int, Field(ge=1, le=2**31), WHOLE_NUMBER]
    reduction_factor: Annotated[int, Field(ge=2, le=64), WHOLE_NUMBER] = 4


class Objective(_Edge):
    """The metric that the trainings report, and what is better."""

    metric: MetricName = "top1_error"
    goal: Literal["minimize", "maximize"] = "minimize"


_METHODS = ("grid", "random", "asha")


def _method_branch(method: Any) -> str | None:
    kind = method.get("kind") if isinstance(method, Mapping) else getattr(method, "kind", None)
    return f"{BRANCH}{kind}" if kind in _METHODS else None


def _domain_branch(domain: Any) -> str:
    has_values = isinstance(domain, Choices) or (isinstance(domain, Mapping) and "values" in domain)
    return f"{BRANCH}{'values' if has_values else 'range'}"


Method = Annotated[
    Annotated[Grid, Tag(f"{BRANCH}grid")]
    | Annotated[Random, Tag(f"{BRANCH}random")]
    | Annotated[Asha, Tag(f"{BRANCH}asha")],
    Discriminator(
        _method_branch,
        custom_error_type="unknown_method",
        custom_error_message=f"kind must be one of {', '.join(_METHODS)}",
    ),
]
Domain = Annotated[
    Annotated[Choices, Tag(f"{BRANCH}values")] | Annotated[Range, Tag(f"{BRANCH}range")],
    Discriminator(_domain_branch),
]
Space = Annotated[
    dict[Annotated[Id, Field(min_length=1)], Domain],
    Field(min_length=1, max_length=MOST_PARAMETERS),
]


class NewSweep(_Edge):
    """`POST /sweeps`: trainings like `job`, each with its own values of the `parameters`.

    `jobs_at_once` is how many of them may be queued or running. With `budget_steps` no training
    begins that could take all of them together beyond so many iterations.
    """

    name: Name | None = None
    job: TrainSpec
    parameters: Space
    method: Method
    objective: Objective = Objective()
    jobs_at_once: Annotated[int, Field(ge=1, le=MOST_AT_ONCE), WHOLE_NUMBER] = 4
    budget_steps: Annotated[Step, Field(ge=1), WHOLE_NUMBER] | None = None

    @model_validator(mode="after")
    def _can_be_meant(self) -> Self:
        ranges = [name for name, each in self.parameters.items() if isinstance(each, Range)]
        if isinstance(self.method, Grid) and ranges:
            raise ValueError(f"parameters: a grid needs values for {', '.join(ranges)}, no range")
        if self.trial_count > MOST_TRIALS:
            raise ValueError(
                f"parameters: the grid has {self.trial_count} combinations, and a sweep at most "
                f"{MOST_TRIALS} trials: leave values out, or draw some at random"
            )
        if both := sorted(self.parameters.keys() & self.job.params.keys()):
            raise ValueError(
                f"parameters: {', '.join(both)} is in job.params, too: name it in one of both"
            )
        if len(self.job.labels) >= MOST_LABELS:
            raise ValueError(f"job.labels: at most {MOST_LABELS - 1}, as the sweep adds its own")
        return self

    @property
    def trial_count(self) -> int:
        """How many trials it has, unless its budget ends it before."""
        if not isinstance(self.method, Grid):
            return self.method.trials
        domains = self.parameters.values()
        return math.prod(len(each.values) for each in domains if isinstance(each, Choices))
