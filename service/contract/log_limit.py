"""The limit on the disk space of a log that other processes are writing."""

import os
from pathlib import Path

from service.contract.kernel import punch_hole
from service.contract.reading import log_once

LOG_BYTES = 64 * 1024 * 1024
_BLOCK_BYTES = 4096
_ALLOCATED_UNIT = 512
"""Of st_blocks, whatever the block size of the file system."""


def limit_log(path: Path, limit_bytes: int = LOG_BYTES) -> bool:
    """Remove the middle of a log that takes more than `limit_bytes` of its disk; whether it did.

    A quarter stays at the beginning and a half at the end, each at its position in the file: so
    whoever writes or reads on from a position is not disturbed. A file system that has no holes
    in files is logged once.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        return _not_limited(path, error)
    try:
        return _limit(handle, limit_bytes)
    except OSError as error:
        return _not_limited(path, error)
    finally:
        os.close(handle)


def _limit(handle: int, limit_bytes: int) -> bool:
    status = os.fstat(handle)
    if status.st_blocks * _ALLOCATED_UNIT <= limit_bytes:
        return False
    start = limit_bytes // 4 // _BLOCK_BYTES * _BLOCK_BYTES
    end = (status.st_size - limit_bytes // 2) // _BLOCK_BYTES * _BLOCK_BYTES
    if end <= start:
        return False
    punch_hole(handle, start, end)
    return True


def _not_limited(path: Path, error: OSError) -> bool:
    log_once("log_not_limited", f"{path}: {error.strerror}")
    return False
