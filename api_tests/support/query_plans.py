"""How a database answers a statement."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event


def plan_of(tx: Connection, call: Callable[[], object]) -> list[str]:
    """The plan of the one statement that `call` sends."""
    (plan,) = plans_of(tx, call)
    return plan


def plans_of(tx: Connection, call: Callable[[], object]) -> list[list[str]]:
    """The plan of each statement that `call` sends."""
    sent: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, values: Any, *___: object) -> None:
        sent.append((statement, values))

    event.listen(tx, "before_cursor_execute", note)
    call()
    event.remove(tx, "before_cursor_execute", note)
    found = []
    for statement, values in sent:
        is_sqlite = tx.dialect.name == "sqlite"
        explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN (COSTS FALSE)"
        rows = tx.exec_driver_sql(f"{explain} {statement}", values)
        found.append([row.detail if is_sqlite else row[0].strip() for row in rows])
    return found
