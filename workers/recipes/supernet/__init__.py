"""The supernet of single path one-shot search: every architecture in one network."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from service.contract.path_sampling import BLOCK_TWICE, sampling_problem
from service.contract.search_spaces import SearchSpace
from workers.networks.heads import Heads
from workers.recipes.base import OriginalFiles, Paths, Recipe
from workers.recipes.oneshot.space import SPACE
from workers.recipes.params import LearningRate, RecipeParams, TotalIters, unit

_PLACES = len(SPACE.places)
EVERY = "0123"
_NOT_EVERY_IMAGE = {"const": 1, "description": "be 1, which leaves nothing to train on"}


def _each_once(digits: str) -> str:
    if len(set(digits)) < len(digits):
        raise ValueError(f"the choices of a place must not {BLOCK_TWICE['description']}")
    return digits


def _some_image(every: int) -> int:
    if every == 1:
        raise ValueError(f"holdout_every must not {_NOT_EVERY_IMAGE['description']}")
    return every


ChoiceDigits = Annotated[
    str,
    Field(min_length=1, pattern=r"^[0-3]*$", json_schema_extra={"not": {**BLOCK_TWICE}}),
    AfterValidator(_each_once),
]
MultiplyAdds = Annotated[
    int,
    Field(ge=0, le=10**12, json_schema_extra=unit("multiply-adds")),
]


SAMPLING = (
    "How the path of an iteration is drawn: from one of seven equal ranges of multiply-adds, each "
    "as often as the others, or evenly over all paths."
)
SAMPLING_MACS = "Of macs_uniform, for an image of 224 pixels and 1000 classes."
CHOICES = "For each place which blocks a path may have there."


class SupernetParams(RecipeParams):
    """The supernet of single path one-shot search (arXiv:1904.00420)."""

    space: ClassVar[SearchSpace] = SPACE

    total_iters: TotalIters = 150_000
    learning_rate: LearningRate = 0.5
    sampling: Annotated[Literal["macs_uniform", "uniform"], Field(description=SAMPLING)] = (
        "macs_uniform"
    )
    sampling_macs_from: Annotated[MultiplyAdds, Field(description=SAMPLING_MACS)] = 290_000_000
    sampling_macs_to: Annotated[MultiplyAdds, Field(description=SAMPLING_MACS)] = 360_000_000
    choices: Annotated[
        tuple[ChoiceDigits, ...],
        Field(min_length=_PLACES, max_length=_PLACES, description=CHOICES),
    ] = (EVERY,) * _PLACES
    ramp: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Share of the iterations over which the places are freed one after "
            "another, the last one first; until then a place has the first of its choices, and "
            "paths are drawn evenly.",
        ),
    ] = 0.0
    validated_paths: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            description="A validation is the mean over so many paths, always the same ones.",
            json_schema_extra=unit("paths"),
        ),
    ] = 4
    validation_recalibration_batches: Annotated[
        int,
        Field(
            ge=1,
            le=10_000,
            description="Of training images, for the statistics of each path in a validation.",
            json_schema_extra=unit("batches"),
        ),
    ] = 20
    holdout_every: Annotated[
        int,
        Field(
            ge=0,
            le=1_000_000,
            description="Each so-many-th training image is kept from training, for a search of "
            "the supernet to measure its paths by; 0: none, as published. The paper keeps about "
            "each 25th.",
            json_schema_extra={**unit("images"), "not": {**_NOT_EVERY_IMAGE}},
        ),
        AfterValidator(_some_image),
    ] = 0
    compile: Annotated[
        Literal["off"],
        Field(description="Each path would be compiled anew: a supernet is always eager."),
    ] = "off"

    @model_validator(mode="after")
    def _draws_a_path(self) -> "SupernetParams":
        problem = sampling_problem(self.space, dict(self))
        if problem is not None:
            raise ValueError(problem.message)
        return self


def paths_of(recipe: str, space: str | None, *, parts: str) -> Paths:
    """How a run with parameters of this kind chooses paths, which are variants of `recipe`."""
    return Paths(
        take="workers.networks.choices:take",
        of_step="workers.recipes.supernet.sampler:path_of_step",
        of_validation="workers.recipes.supernet.sampler:paths_of_validation",
        recalibration_batches="workers.recipes.supernet.sampler:recalibration_batches",
        advice="workers.recipes.supernet.sampler:advice",
        holdout_every="workers.recipes.supernet.sampler:holdout_every",
        choices="workers.recipes.supernet.sampler:choices",
        parts=parts,
        tensors="workers.networks.choices:tensors_of_path",
        recipe=recipe,
        space=space,
    )


RECIPE = Recipe(
    name="supernet",
    title="Supernet of single path one-shot search (arXiv:1904.00420).",
    source="megvii-model/SinglePathOneShot, Supernet",
    params=SupernetParams,
    variants={"oneshot": None},
    network="workers.recipes.supernet.network:supernet",
    heads=Heads("classifier.0"),
    paths=paths_of("oneshot", None, parts="workers.networks.choices:parts_of"),
    original=OriginalFiles(final_tag=""),
)
