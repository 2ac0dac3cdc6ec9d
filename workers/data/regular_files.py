"""Opens files of users for reading."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from workers.data.errors import InvalidData
from workers.data.file_errors import data_error_of


def open_regular_file(path: Path, name: str, data_root: Path) -> BinaryIO:
    """The file for reading, if it is a regular one; `name` is how messages name it.

    It never waits, as the opening of a FIFO does. Raises InvalidData, NoDataRoot.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise data_error_of(error, name, data_root) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise InvalidData(f"{name} is not a regular file: replace or remove it")
    return os.fdopen(handle, "rb")
