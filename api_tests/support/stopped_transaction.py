"""A transaction that is held at a point while another one runs."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event, get_ident
from typing import Any

from sqlalchemy import event

from service.domain.errors import Conflict, LeaseLost
from service.store.engine import Database

POINTS = ["nothing held", "a job held", "everything read", "everything written"]
"""Before a transaction's first statement, its first attempt, its first write, or its commit."""

HELD_SECONDS = 10.0
PATIENCE_SECONDS = 0.3


class StoppedTransaction:
    """Has the transactions of one thread stop at a point, and wait until the other is there."""

    def __init__(self, database: Database, at: str) -> None:
        self._engine, self._at = database.engine, at
        self._there, self._go_on = Event(), Event()

    def race(self, held: Callable[[], Any], other: Callable[[], Any]) -> tuple[Any, Any]:
        """What both gave, or the error that they raised: `held` is at its point as `other` runs."""
        with ThreadPoolExecutor(2) as threads:
            first = threads.submit(_outcome, lambda: self._with_a_stop(held))
            assert self._there.wait(HELD_SECONDS)
            second = threads.submit(_outcome, other)
            # It may have to wait for the one that is held; if not, it is done by then.
            wait([second], timeout=PATIENCE_SECONDS)
            self._go_on.set()
            return first.result(HELD_SECONDS), second.result(HELD_SECONDS)

    def _with_a_stop(self, act: Callable[[], Any]) -> Any:
        try:
            with _stopped(self._engine, self._at, self._stop):
                return act()
        finally:
            # It may have come to its end without passing the point.
            self._there.set()

    def _stop(self) -> None:
        if not self._there.is_set():
            self._there.set()
            assert self._go_on.wait(HELD_SECONDS)


@contextmanager
def _stopped(engine: Any, at: str, stop: Callable[[], None]) -> Iterator[None]:
    mine = get_ident()

    def before_statement(_: object, __: object, statement: str, *___: object) -> None:
        writes = statement.startswith(("UPDATE jobs", "UPDATE attempts", "INSERT INTO attempts"))
        attempt = "FROM attempts" in statement and "attempts.number =" in statement
        here = writes or at == "nothing held" or (at == "a job held" and attempt)
        if get_ident() == mine and here:
            stop()

    def before_commit(_: object) -> None:
        if get_ident() == mine:
            stop()

    written = at == "everything written"
    name, listener = (
        ("commit", before_commit) if written else ("before_cursor_execute", before_statement)
    )
    event.listen(engine, name, listener)
    try:
        yield
    finally:
        event.remove(engine, name, listener)


def _outcome(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except (Conflict, LeaseLost) as refused:
        return refused
