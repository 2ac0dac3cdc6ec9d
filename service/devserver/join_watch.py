"""Says why a worker that was started has not joined, and when it has."""

from collections.abc import Callable, Sequence

from service.devserver.child import Child
from service.devserver.restarting_process import RestartingProcess

JOIN_SECONDS = 15.0
"""How long a worker may take from its start to its registration before it is mentioned."""

_REGISTERED = '"event": "registered"'


class JoinWatch:
    """Looks for the registration of each worker in its log."""

    def __init__(
        self,
        workers: Sequence[RestartingProcess],
        print_line: Callable[[str], None],
        after_seconds: float = JOIN_SECONDS,
    ) -> None:
        self._workers = workers
        self._print_line = print_line
        self._after_seconds = after_seconds
        self._joined: set[int] = set()
        self._mentioned: set[int] = set()

    def check(self) -> None:
        """Print a line about each worker that has not joined in time, once, and when it joins."""
        for worker in self._workers:
            child = worker.child
            if child is None or child.pid in self._joined:
                continue
            if worker.age_seconds() < self._after_seconds and child.pid not in self._mentioned:
                continue
            self._check(child, worker.age_seconds())

    def _check(self, child: Child, age_seconds: float) -> None:
        name = child.program.name
        if child.has_printed(_REGISTERED):
            self._joined.add(child.pid)
            if child.pid in self._mentioned:
                self._print_line(f"{name} has joined")
        elif child.pid not in self._mentioned:
            self._mentioned.add(child.pid)
            self._print_line(f"{name} has not joined after {age_seconds:.0f} s: {last_log(child)}")


def last_log(child: Child) -> str:
    """What a process logged last, and where its log is."""
    line = child.last_output_line() or "it has logged nothing yet"
    return f"{line} (its log is {child.program.log})"
