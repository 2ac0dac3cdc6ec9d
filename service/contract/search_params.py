"""How a supernet is searched for its best path (arXiv:1904.00420, with the published defaults)."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.contract.architectures import Blocks
from service.contract.fields import Id
from service.contract.json_types import WHOLE_NUMBER, Boolean

MOST_CANDIDATES = 20_000
"""Of one search: each is a row, and all come with the claim of a search that goes on."""
MOST_WORKERS = 64
_Count = Annotated[int, Field(ge=1, le=MOST_CANDIDATES), WHOLE_NUMBER]
_Images = Annotated[int, Field(ge=1, le=10_000_000), WHOLE_NUMBER]


class SearchParams(BaseModel):
    """An evolutionary search under a limit of multiply-adds, or the scoring of given paths."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    generations: Annotated[
        _Count,
        Field(description="How many populations are evaluated: as published, 20 after the first."),
    ] = 21
    population: Annotated[_Count, Field(description="Candidates in a generation.")] = 50
    parents: Annotated[
        _Count, Field(description="The best so far, of which the next population is made.")
    ] = 10
    mutations: Annotated[
        int,
        Field(ge=0, le=MOST_CANDIDATES, description="Of a population, from one parent each."),
        WHOLE_NUMBER,
    ] = 25
    crossovers: Annotated[
        int,
        Field(ge=0, le=MOST_CANDIDATES, description="Of a population, from two parents each."),
        WHOLE_NUMBER,
    ] = 25
    mutation_probability: Annotated[
        float, Field(gt=0, le=1, description="With which each place of a mutation is drawn anew.")
    ] = 0.1
    macs_limit: Annotated[
        int,
        Field(ge=1, le=10**13, description="A candidate has at most so many multiply-adds."),
        WHOLE_NUMBER,
    ] = 330_000_000
    macs_image_size: Annotated[
        int,
        Field(
            ge=32,
            le=1024,
            multiple_of=32,
            description="The side in pixels of the image that multiply-adds are counted for.",
        ),
        WHOLE_NUMBER,
    ] = 224
    recalibration_batches: Annotated[
        int,
        Field(ge=1, le=100_000, description="Of training images, for a candidate's statistics."),
        WHOLE_NUMBER,
    ] = 200
    recalibration_batch_size: Annotated[
        int,
        Field(ge=2, le=10_000_000, description="Images in each of them."),
        WHOLE_NUMBER,
    ] = 128
    recalibration: Annotated[
        Literal["cumulative", "moving"],
        Field(
            description="The mean over the batches; or as published a moving one of momentum 0.1, "
            "which a few batches leave far from it."
        ),
    ] = "cumulative"
    fitness: Annotated[
        Literal["error", "loss"],
        Field(description="By which candidates are ordered: top-1 and then top-5 error, or loss."),
    ] = "error"
    fitness_images: Annotated[
        _Images, Field(description="At most so many images are seen to measure a candidate.")
    ] = 8000
    holdout_every: Annotated[
        int | None,
        Field(
            ge=0,
            le=1_000_000,
            description="The images of the fitness: each so-many-th of the training split, which "
            "the supernet was not trained with; 0 is the validation split. Left out, it is as the "
            "supernet was trained.",
        ),
        WHOLE_NUMBER,
    ] = None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1), WHOLE_NUMBER] = 0
    at_once: Annotated[
        int,
        Field(
            ge=1,
            le=1000,
            description="Candidates that are evaluated together, and share what their paths have "
            "in common. It changes the time, and no result.",
        ),
        WHOLE_NUMBER,
    ] = 8
    # Left out where they say nothing: a worker of an older version takes no field it does not know.
    workers: Annotated[
        int,
        Field(
            ge=1,
            le=MOST_WORKERS,
            exclude_if=lambda workers: workers == 1,
            description="Into so many jobs, each on a worker of its own, the candidates of a "
            "population are divided. It changes the time, and no result.",
        ),
        WHOLE_NUMBER,
    ] = 1
    publish: Annotated[
        Boolean,
        Field(
            exclude_if=lambda publish: publish,
            description="Whether the best path is saved as a checkpoint of its own.",
        ),
    ] = True
    candidates: Annotated[
        tuple[Blocks, ...] | None,
        Field(
            min_length=1,
            max_length=MOST_CANDIDATES,
            description="Instead of a search: the paths to measure, a digit for each place.",
        ),
    ] = None
    known: Annotated[
        Id | None,
        Field(description="A search of the same supernet, data and fitness; its table is reused."),
    ] = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.mutations + self.crossovers > self.population:
            made = f"mutations {self.mutations} and crossovers {self.crossovers}"
            raise ValueError(
                f"{made} together are more than population {self.population}: lower one of them"
            )
        if self.generations * self.population > MOST_CANDIDATES:
            raise ValueError(
                f"generations times population may be at most {MOST_CANDIDATES}: "
                f"{self.generations} times {self.population} is more"
            )
        return self
