"""A file that is there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from service.contract.kernel import sync_folder


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Give a name beside `target`, with its suffix, that becomes `target` when the block ends well.

    What the block wrote is durable then; a block that raises leaves nothing. A file that is at
    `target` already is replaced.
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
