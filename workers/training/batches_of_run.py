"""The training batches of one rank of a run."""

from collections.abc import Iterator
from typing import Any

from workers.data.images import EncodedImages, ImageDataset
from workers.data.loader import LoadedBatch, encoded_train_batches, train_batches
from workers.recipes.params import RecipeParams
from workers.training.device_inputs import is_pinned_for
from workers.training.distributed import Ranks
from workers.training.preprocessing import augment_on


def batches_of_run(
    params: RecipeParams,
    images: ImageDataset,
    ranks: Ranks,
    *,
    start_step: int,
    num_workers: int,
    leave_files: bool,
) -> Iterator[LoadedBatch]:
    """Endless batches that begin with the one after `start_step`.

    With `leave_files`, JPEG files are left to a decoder of the device. Raises InvalidData,
    NoDataRoot.
    """
    order: dict[str, Any] = {
        "seed": params.seed,
        "start_step": start_step,
        "batch_size": params.batch_size,
        "num_workers": num_workers,
        "pinned": is_pinned_for(ranks.device),
        "rank": ranks.rank,
        "world_size": ranks.world_size,
    }
    if leave_files:
        assert isinstance(images, EncodedImages), "there is no decoder for others"
        return encoded_train_batches(images, **order)
    return train_batches(images, augment_on=augment_on(params, ranks.device), **order)
