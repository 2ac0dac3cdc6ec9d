"""How many processes load a rank's images."""

import os
from pathlib import Path

from workers.cpu_cores import cores_of_rank
from workers.data.images import ImageDataset, PixelImages, is_in_memory
from workers.data.loader import BATCHES_AHEAD
from workers.recipes.params import RecipeParams

MOST = 16
"""More than this many do not load faster than one GPU trains, and each takes memory."""
_SHARED_MEMORY = Path("/dev/shm")


def loader_processes(
    params: RecipeParams,
    images: ImageDataset,
    *,
    batch_size: int,
    world_size: int,
    shared_memory: Path = _SHARED_MEMORY,
) -> int:
    """`data_workers`, or where it is `auto` what the rank's cores and the shared memory allow.

    One core is left to the rank, at most half of the free shared memory is taken by batches of
    `batch_size` images, and images that are in memory already need no process.
    """
    if params.data_workers != "auto":
        return params.data_workers
    if is_in_memory(images):
        return 0
    # Pixels are uint8; what a source or a recipe preprocesses itself are floats.
    is_pixels = isinstance(images, PixelImages) and images.batch_transform is not None
    image_bytes = 3 * params.image_size**2 * (1 if is_pixels else 4)
    each_bytes = (BATCHES_AHEAD + 1) * batch_size * image_bytes
    fit = _free_bytes(shared_memory) // 2 // each_bytes
    return min(cores_of_rank(world_size) - 1, fit, MOST)


def _free_bytes(folder: Path) -> int:
    try:
        status = os.statvfs(folder)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize
