"""What a dry run says of trainings and evals that can run."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from service.contract.hints import Hint
from service.contract.specs import EvalSpec, SearchSpec, TrainSpec
from service.control.kinds.base import CheckedSubmission
from service.control.kinds.data import sizes_of
from service.control.kinds.held_out import seen_by
from service.control.scheduling.catalogs import recipe_named
from service.domain import hints
from service.domain.gpu_counts import gpu_counts_of
from service.domain.hints import DataSizes
from service.domain.offers import RecipeForm
from service.domain.parameters import defaults_of
from service.domain.path_spaces import PathSpace
from service.domain.search_checks import holdout_of
from service.domain.search_hints import search_hints_of, seen_hint


def training_hints(tx: Connection, checked: CheckedSubmission[TrainSpec]) -> list[Hint]:
    """Of the data, the parameters, and the weights that it starts from."""
    spec = checked.spec
    recipe, sizes = recipe_named(tx, spec.network[0]), sizes_of(tx, spec.data)
    found = list(hints.size_hints(recipe, spec.network[1], spec.params, _classes(sizes)))
    found += hints.data_hints(spec.data, sizes)
    found += hints.training_hints(
        spec.params,
        defaults_of(recipe),
        sizes.train,
        is_new=spec.init_from is None,
        recalibrates=recipe.recalibrates_batch_norm,
    )
    found += hints.gpu_hints(gpu_counts_of(spec))
    if spec.init_from is not None:
        found += hints.source_hints(
            "/init_from", spec.init_from, checked.source, spec.params, _classes(sizes)
        )
    return [*found, *_held_out_hints(tx, checked, holdout_of(spec.params))]


def size_note(checked: CheckedSubmission[Any], form: RecipeForm | None) -> str:
    """How large the network of a training is that its user has named by its architecture."""
    spec, variant = checked.spec, checked.variant
    if form is None or not isinstance(spec, TrainSpec) or variant in form.recipe.variants:
        return ""
    found = hints.size_hints(form.recipe, str(variant), spec.params, checked.classes)
    return "".join(f" {variant}, {hint.detail}" for hint in found)


def eval_hints(tx: Connection, checked: CheckedSubmission[EvalSpec]) -> list[Hint]:
    """Of the validation data, and the weights."""
    spec = checked.spec
    val = DataSizes(val=sizes_of(tx, spec.data).val)
    return [
        *hints.data_hints(spec.data, val),
        *hints.source_hints("/checkpoint", spec.checkpoint, checked.source, {}, _classes(val)),
    ]


def search_hints(
    tx: Connection, checked: CheckedSubmission[SearchSpec], space: PathSpace
) -> list[Hint]:
    """Of the data, the supernet, and the paths that the search chooses from."""
    spec, sizes = checked.spec, sizes_of(tx, checked.spec.data)
    return [
        *hints.data_hints(spec.data, sizes),
        *hints.source_hints("/checkpoint", spec.checkpoint, checked.source, {}, _classes(sizes)),
        *search_hints_of(spec.params, space, is_known=bool(spec.training)),
        *_held_out_hints(tx, checked, spec.params.holdout_every or 0),
    ]


def _held_out_hints(
    tx: Connection,
    checked: CheckedSubmission[TrainSpec] | CheckedSubmission[SearchSpec],
    every: int,
) -> Iterator[Hint]:
    """Whether what `every` holds out was seen by a training that the weights come from."""
    if every and checked.source is not None:
        seen = seen_by(tx, checked.source, every, checked.spec.data)
        if seen is not None:
            yield seen_hint(every, seen)


def _classes(sizes: DataSizes) -> int | None:
    known = sizes.train or sizes.val
    return known.classes if known is not None else None
