"""What the time of a run was spent on."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MOST_SECONDS = 1e10
"""Three centuries: what is reported beyond it counts as that, so that sums stay finite."""


def _bounded(seconds: float) -> float:
    return min(seconds, MOST_SECONDS)


Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False), AfterValidator(_bounded)]


class TimeSpent(BaseModel):
    """The seconds of a run by what its loop did; each second counts once.

    `data_wait`: it waited for the next batch while the device had nothing to do. `step`: training
    steps. `validation`: validations whole, with their own wait for images; in an eval, the
    network's part alone. `save`: it waited for a checkpoint or for files to be saved. `other`: the
    start, and whatever else.
    """

    model_config = ConfigDict(frozen=True)

    data_wait_seconds: Seconds = 0.0
    step_seconds: Seconds = 0.0
    validation_seconds: Seconds = 0.0
    save_seconds: Seconds = 0.0
    other_seconds: Seconds = 0.0

    @property
    def total_seconds(self) -> float:
        """All of it."""
        return float(sum(self.model_dump().values()))

    def plus(self, more: Self) -> Self:
        """Both together."""
        added = more.model_dump()
        return type(self)(**{name: own + added[name] for name, own in self.model_dump().items()})
