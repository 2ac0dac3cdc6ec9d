"""What is worth knowing of a submission that can run; what is wrong with one is refused instead."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.contract.architecture_costs import cost_of
from service.contract.catalog import RecipeInfo
from service.contract.checkpoints import Checkpoint
from service.contract.counts import count_text
from service.contract.data_spec import DataSpec
from service.contract.hints import Hint
from service.contract.specs import CheckpointRef
from service.domain.known_parameters import KnownParameters

_MANY = 100
"""So many epochs are told without fractions."""
_CLASSES = 1000
"""For which the size of a network is told where its classes are not known."""
_FAR = 4.0
"""A learning rate that differs by more than this factor from the linear rule is told."""


@dataclass(frozen=True)
class SplitSize:
    """How many images and classes a split has; `seen` says by whom and when it was counted.

    `seen` is empty for a data set that is always the same.
    """

    images: int
    classes: int
    seen: str = ""


@dataclass(frozen=True)
class DataSizes:
    """The splits of a job's data, as far as they are known."""

    train: SplitSize | None = None
    val: SplitSize | None = None


def data_hints(data: DataSpec, sizes: DataSizes) -> Iterator[Hint]:
    """How many images and classes there are."""
    for split, size, verb in (
        ("train", sizes.train, "to train on"),
        ("val", sizes.val, "to validate on"),
    ):
        if size is not None:
            detail = f"{_images(size.images)} of {_classes(size.classes)} {verb}{_seen(size)}"
            yield Hint(pointer=_pointer_of(data, split), detail=detail)


def training_hints(
    params: Mapping[str, Any],
    published: Mapping[str, Any],
    train: SplitSize | None,
    *,
    is_new: bool,
    recalibrates: bool,
) -> Iterator[Hint]:
    """Of a training's parameters; `published` are the recipe's defaults.

    `is_new`: it starts from new weights, so that a low learning rate is worth a word, too.
    """
    known = KnownParameters.of(params)
    batch, total = known.batch_size, known.total_iters
    images = known.trained_images(train.images) if train is not None else 0
    if batch is not None and train is not None and batch > images:
        detail = f"batch_size {batch} is more than the {_images(images)} there are"
        pointer = "/params/batch_size"
        yield Hint(pointer=pointer, level="warning", detail=f"{detail}{_seen(train)}")
    elif batch is not None and total is not None and train is not None:
        rest = params.get("bn_recalibration_iters")
        yield _epochs(images // batch, total, rest if recalibrates else 0)
    yield from _learning_rate(params, published, is_new=is_new)
    yield from _intervals(params, total)


def gpu_hints(counts: Sequence[int]) -> Iterator[Hint]:
    """How many GPUs a training with a range of them may have; nothing without one."""
    if counts:
        others = ", ".join(map(str, counts[:-1]))
        most = count_text(counts[-1], "GPU")
        listed = f"{others} or {most}" if others else most
        detail = f"it takes {listed}, as many as are free: these can share its batch"
        yield Hint(pointer="/resources/gpus", detail=detail)


def size_hints(
    recipe: RecipeInfo, variant: str, params: Mapping[str, Any], classes: int | None
) -> Iterator[Hint]:
    """How large the network is, where its recipe has a space of networks.

    `classes` are those of the data, None if they are unknown.
    """
    found = recipe.spaces.find(variant)
    side = params.get("image_size")
    if found is None or not isinstance(side, int):
        return
    head = KnownParameters.of(params).num_classes or classes or _CLASSES
    cost = cost_of(*found, side, head)
    detail = (
        f"{cost.multiply_adds / 1e6:,.1f} M multiply-adds for an image of {side} px, "
        f"{cost.parameters / 1e6:,.2f} M parameters"
    )
    yield Hint(pointer="/variant", detail=detail)


def source_hints(
    pointer: str,
    reference: CheckpointRef,
    source: Checkpoint | None,
    params: Mapping[str, Any],
    classes: int | None,
) -> Iterator[Hint]:
    """Whether the weights of the reference at `pointer` fit; `source` is None for a file.

    `classes` are those of the data, None if they are unknown.
    """
    if source is None:
        detail = "the worker reads the file: whether it fits is known when the job starts"
        yield Hint(pointer=pointer, detail=detail)
        return
    title = f"step {source.step:,} of {source.recipe} {source.variant}"
    yield Hint(pointer=pointer, detail=f"it fits: {title}{_left(reference, source, params)}")
    trained = (source.manifest or {}).get("num_classes")
    if classes is None or trained is None or trained == classes:
        return
    if reference.head == "replace":
        detail = f"its classifier of {_classes(trained)} is made anew for {_classes(classes)}"
        yield Hint(pointer=f"{pointer}/head", detail=detail)
        return
    detail = f"it has {_classes(trained)}, the data {_classes(classes)} when it was last read"
    yield Hint(pointer=pointer, level="warning", detail=detail)


def _left(reference: CheckpointRef, source: Checkpoint, params: Mapping[str, Any]) -> str:
    total = KnownParameters.of(params).total_iters
    if reference.state != "full" or total is None:
        return ""
    left = max(total - source.step, 0)
    return f"; {left:,} of {total:,} iterations are left to train"


def _epochs(per_epoch: int, total: int, recalibration: Any) -> Hint:
    steps = count_text(per_epoch, "step")
    epochs = total / per_epoch
    count = f"{epochs:,.0f}" if epochs >= _MANY else f"{epochs:.3g}"
    detail = f"an epoch has {steps}: {total:,} iterations are {count} epochs"
    if recalibration != 0:
        more = per_epoch if recalibration is None else recalibration
        detail += f"; then {count_text(more, 'step')} of batch-norm recalibration"
    return Hint(pointer="/params/total_iters", detail=detail)


def _learning_rate(
    params: Mapping[str, Any], published: Mapping[str, Any], *, is_new: bool
) -> Iterator[Hint]:
    rate, rate_then = _positive(params, "learning_rate"), _positive(published, "learning_rate")
    batch, batch_then = _positive(params, "batch_size"), _positive(published, "batch_size")
    if rate is None or rate_then is None or batch is None or batch_then is None:
        return
    linear = rate_then * batch / batch_then
    rule = f"the linear rule gives {linear:.3g}"
    detail = None
    if params.get("learning_rate_scaling") == "linear":
        scaled = rate * batch / batch_then
        detail = (
            f"learning_rate {rate:g} for the published batch {batch_then:g} is scaled to "
            f"{scaled:.3g} for batch {batch:g}"
        )
    elif rate == rate_then and batch != batch_then:
        detail = (
            f"learning_rate {rate:g} is the published one for batch {batch_then:g}; "
            f"for {batch:g} {rule}"
        )
    elif rate > linear * _FAR or (is_new and rate < linear / _FAR):
        detail = f"{rule} for batch {batch:g}, from the published {rate_then:g} for {batch_then:g}"
    if detail is not None:
        yield Hint(pointer="/params/learning_rate", detail=detail)


def _intervals(params: Mapping[str, Any], total: int | None) -> Iterator[Hint]:
    for name, consequence in (
        ("val_interval", "it is validated once, at the end"),
        ("save_interval", "a job whose worker is lost begins anew"),
    ):
        interval = params.get(name)
        if isinstance(interval, int) and total is not None and interval > total:
            detail = f"{name} {interval:,} is more than the {total:,} iterations: {consequence}"
            yield Hint(pointer=f"/params/{name}", detail=detail)


def _positive(params: Mapping[str, Any], name: str) -> float | None:
    value = params.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if value > 0 else None


def _pointer_of(data: DataSpec, split: str) -> str:
    if data.dataset is not None:
        return "/data/dataset"
    return "/data/packed" if data.packed is not None else f"/data/{split}_dir"


def _seen(size: SplitSize) -> str:
    return f", {size.seen}" if size.seen else ""


def _images(number: int) -> str:
    return f"{number:,} {'image' if number == 1 else 'images'}"


def _classes(number: int) -> str:
    return count_text(number, "class", "classes")
