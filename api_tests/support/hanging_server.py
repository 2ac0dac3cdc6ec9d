"""The server on a volume of which no file opens for a log or download before `answers` exists."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import anyio
from anyio.to_thread import run_sync

from service import main
from service.settings import Settings

_open, _open_file = os.open, anyio.open_file


def _wait() -> None:
    answers = Settings().volume / "answers"
    while not answers.exists():
        time.sleep(0.05)


def _hanging_open(path: Any, *how: Any, **more: Any) -> int:
    if path == "log.txt":
        _wait()
    return _open(path, *how, **more)


async def _hanging_open_file(path: Path, *how: Any, **more: Any) -> Any:
    await run_sync(_wait)
    return await _open_file(path, *how, **more)


os.open = _hanging_open
anyio.open_file = _hanging_open_file

if __name__ == "__main__":
    sys.exit(main.main())
