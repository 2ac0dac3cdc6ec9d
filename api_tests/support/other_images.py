"""What a test does in a rank, so that it sees other images than the first."""

import os

from workers.data.sources import class_folders


def second_rank_without_bmp() -> None:
    """The second rank takes no `.bmp` for an image, as a worker of another version may."""
    if os.environ["RANK"] == "1":
        class_folders.SUFFIXES = class_folders.SUFFIXES - {".bmp"}
