"""How many processes load a rank's images."""

import os
from pathlib import Path

from workers.cpu_cores import cores_of_rank
from workers.data.device_jpegs import limit_bytes
from workers.data.images import ImageDataset, PixelImages, is_in_memory
from workers.data.loader import BATCHES_AHEAD
from workers.recipes.params import RecipeParams

MOST = 16
"""More than this many do not load faster than one GPU trains, and each takes memory."""
_SHARED_MEMORY = Path("/dev/shm")


def loader_processes(
    params: RecipeParams, images: ImageDataset, *, batch_size: int, world_size: int
) -> int:
    """`data_workers`, or where it is `auto` what the rank's cores and the shared memory allow.

    One core is left to the rank, and images that are in memory already need no process.
    """
    if params.data_workers != "auto":
        return params.data_workers
    if is_in_memory(images):
        return 0
    room = room_for_processes(params, images, batch_size=batch_size, world_size=world_size)
    return min(cores_of_rank(world_size) - 1, room, MOST)


def room_for_processes(
    params: RecipeParams, images: ImageDataset, *, batch_size: int, world_size: int
) -> int:
    """How many processes' batches of `batch_size` images the shared memory has room for.

    The ranks share half of what is free of it.
    """
    # Pixels are uint8; what a source or a recipe preprocesses itself are floats.
    is_pixels = isinstance(images, PixelImages) and images.batch_transform is not None
    image_bytes = 3 * params.image_size**2 * (1 if is_pixels else 4)
    if params.decode_on == "device":
        image_bytes = max(image_bytes, limit_bytes(params.image_size))
    each_bytes = (BATCHES_AHEAD + 1) * batch_size * image_bytes
    return _free_bytes(_SHARED_MEMORY) // 2 // world_size // each_bytes


def _free_bytes(folder: Path) -> int:
    try:
        status = os.statvfs(folder)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize
