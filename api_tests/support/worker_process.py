"""Worker processes, and whatever comes of them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil

from api_tests.support.polling import eventually
from api_tests.support.processes import lives
from service.contract.process_title import process_title


class Worker:
    """A worker process, and whatever came of it."""

    def __init__(self, process: "subprocess.Popen[bytes]", log_path: Path) -> None:
        self.process, self._log_path = process, log_path

    def wait_for_log(self, event: str) -> None:
        """Waits until the worker has logged an event of this name."""
        eventually(lambda: f'"event": "{event}"' in self.log())

    def log(self) -> str:
        """Everything that the worker has logged so far."""
        return self._log_path.read_text()

    def titles(self) -> list[str]:
        """The titles of everything below the agent."""
        return [title_of(process) for process in self.tree()]

    def tree(self) -> list[psutil.Process]:
        """Everything below the agent."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def titled(self, start: str) -> psutil.Process:
        """The one process below the agent whose title begins so, waited for."""
        found: list[psutil.Process] = []

        def there() -> bool:
            found[:] = [p for p in self.tree() if title_of(p).startswith(process_title(start))]
            return len(found) == 1

        eventually(there)
        return found[0]

    def rank(self, number: int) -> psutil.Process:
        """A rank of the one attempt."""
        (rank,) = self._ranks(number)
        return rank

    def has_rank(self, number: int) -> bool:
        """Whether this rank of the one attempt runs."""
        return bool(self._ranks(number))

    def _ranks(self, number: int) -> list[psutil.Process]:
        # A loader has the title of the rank that it was forked from.
        children = self.titled("supervisor").children()
        return [
            each for each in children if title_of(each).startswith(process_title(f"rank-{number}"))
        ]


StartWorker = Callable[..., Worker]
"""The fixture `start_worker`: flags, `ranks` and variables of the environment."""


def title_of(process: psutil.Process) -> str:
    """The title; empty once the process has ended."""
    try:
        return " ".join(process.cmdline()).strip()
    except psutil.NoSuchProcess:
        return ""


def all_ended(processes: list[psutil.Process]) -> bool:
    """True once none of them runs; a zombie does not."""
    return not any(lives(process) for process in processes)
