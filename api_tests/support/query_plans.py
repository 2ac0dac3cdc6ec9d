"""How a database answers a statement, and how much it sends."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event


def plan_of(tx: Connection, call: Callable[[], object]) -> list[str]:
    """The plan of the one statement that `call` sends."""
    (plan,) = plans_of(tx, call)
    return plan


def plans_of(tx: Connection, call: Callable[[], object]) -> list[list[str]]:
    """The plan of each statement that `call` sends."""
    is_sqlite = tx.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN (COSTS FALSE)"
    found = []
    for statement, values in _sent(tx, call):
        rows = tx.exec_driver_sql(f"{explain} {statement}", values)
        found.append([row.detail if is_sqlite else row[0].strip() for row in rows])
    return found


def sent_back(tx: Connection, call: Callable[[], object]) -> str:
    """All rows that the statements of `call` are answered with, as they are sent."""
    rows = [tx.exec_driver_sql(*each).all() for each in _sent(tx, call)]
    return repr(rows)


def _sent(tx: Connection, call: Callable[[], object]) -> list[tuple[str, Any]]:
    sent: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, values: Any, *___: object) -> None:
        sent.append((statement, values))

    event.listen(tx, "before_cursor_execute", note)
    call()
    event.remove(tx, "before_cursor_execute", note)
    return sent
