"""Writes a file that appears whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from service.contract.kernel import sync_folder


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target` that is renamed to `target` when the block succeeds.

    The file is durable then, and replaces an existing one. If the block raises, the temporary file
    is removed.
    """
    partial = target.with_name(f".tmp-{uuid4().hex}{target.suffix}")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
