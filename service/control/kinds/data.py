"""Whether a job's parameters go with the data set that it names."""

from sqlalchemy import Connection

from service.contract.batch_parts import fitting_parts
from service.contract.catalog import DatasetInfo
from service.contract.counts import count_text
from service.contract.data_spec import DataSpec
from service.contract.registration import MOST_GPUS
from service.contract.resources import Resources
from service.control.scheduling.catalogs import dataset_named
from service.domain.errors import Unprocessable
from service.domain.gpu_counts import fitting_counts, gpu_counts
from service.domain.hints import DataSizes, SplitSize
from service.domain.known_parameters import KnownParameters
from service.store import data_counts
from service.store.data_counts import StoredCount


def dataset_of(tx: Connection, data: DataSpec) -> DatasetInfo | None:
    """The named data set; None for folders, which the worker knows. Raises Unprocessable."""
    return None if data.dataset is None else dataset_named(tx, data.dataset)


def sizes_of(tx: Connection, data: DataSpec) -> DataSizes:
    """How many images and classes the data has, as far as it is known; raises Unprocessable."""
    dataset = dataset_of(tx, data)
    if dataset is None:
        counts = data_counts.get(tx, data)
        return DataSizes(_size_of(counts.get("train")), _size_of(counts.get("val")))
    train, val = dataset.train_images, dataset.val_images
    classes = dataset.num_classes
    return DataSizes(SplitSize(train, classes), SplitSize(val, classes))


def _size_of(count: StoredCount | None) -> SplitSize | None:
    if count is None:
        return None
    seen = f"as {count.job_id} counted them on {count.counted_at:%Y-%m-%d at %H:%M} UTC"
    return SplitSize(count.images, count.classes, seen)


def classes_of(dataset: DatasetInfo | None, params: KnownParameters) -> int | None:
    """How many classes the data has, as far as it is known; raises Unprocessable."""
    if dataset is None:
        return params.num_classes
    if params.num_classes not in (None, dataset.num_classes):
        classes = count_text(dataset.num_classes, "class", "classes")
        message = f"{dataset.name} has {classes}, not {params.num_classes}"
        raise Unprocessable("class_count", message, "/params/num_classes")
    return dataset.num_classes


def require_shares(resources: Resources, params: KnownParameters) -> None:
    """Raises Unprocessable if the ranks of a training cannot share its batch evenly.

    Nor may their shares have a rest when they are worked through in parts.
    """
    batch, parts = params.batch_size, params.parts
    if batch is None:
        return
    if resources.gpu_range is not None:
        _require_parts(batch, parts, "a batch")
        _require_share_in_range(resources, batch, parts)
        return
    ranks = resources.world_size
    if batch % ranks == 0:
        _require_parts(batch // ranks, parts, "each rank")
        return
    below = batch // ranks * ranks
    fitting = f"{below} or {below + ranks}" if below else str(ranks)
    what = "GPUs" if resources.gpus else "ranks"
    message = (
        f"batch_size {batch} cannot be shared evenly by {ranks} {what}: use {fitting}, "
        f"or another number of {what}"
    )
    raise Unprocessable("batch_size", message, "/params/batch_size")


def _require_share_in_range(resources: Resources, batch: int, parts: int) -> None:
    if gpu_counts(resources, batch // parts):
        return
    hosts = resources.hosts
    each = f" on each of {hosts} hosts" if hosts > 1 else ""
    each += f" in {parts} parts" if parts > 1 else ""
    nearest = [str(count) for count in fitting_counts(resources, batch // parts, MOST_GPUS)]
    if nearest:
        cure = f"let the range have {' or '.join(nearest)} in it, or use another batch_size"
    else:
        cure = f"use a batch_size that {hosts * parts} divides, or other hosts"
    message = (
        f"batch_size {batch} cannot be shared evenly by any number of GPUs from "
        f"{resources.gpu_range}{each}: {cure}"
    )
    raise Unprocessable("batch_size", message, "/resources/gpus")


def _require_parts(images: int, parts: int, whose: str) -> None:
    if images % parts == 0:
        return
    message = (
        f"accumulate {parts} does not divide the {count_text(images, 'image')} of {whose} in "
        f"equal parts: use {fitting_parts(images, parts)}, or another batch_size"
    )
    raise Unprocessable("accumulate", message, "/params/accumulate")


def require_batch(dataset: DatasetInfo | None, params: KnownParameters) -> None:
    """Raises Unprocessable if the training images make no whole batch."""
    if dataset is None or params.batch_size is None:
        return
    images = params.trained_images(dataset.train_images)
    if params.batch_size <= images:
        return
    message = (
        f"batch_size {params.batch_size} is larger than the training set of "
        f"{count_text(images, 'image')}{_without(dataset.train_images - images, params)}; "
        f"use at most {images}"
    )
    raise Unprocessable("batch_size", message, "/params/batch_size")


def _without(held_out: int, params: KnownParameters) -> str:
    every = params.holdout_every
    return f", without the {held_out} that holdout_every {every} keeps for a search" * bool(
        held_out
    )
