"""The statements that the databases of this process are sent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event


@contextmanager
def heard_statements(hear: Callable[[str], object]) -> Iterator[None]:
    """Calls `hear` with each statement meanwhile; one that is sent with many rows counts once."""

    def note(_: object, __: object, statement: str, *___: object) -> None:
        hear(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@contextmanager
def sent_statements() -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []
    with heard_statements(sent.append):
        yield sent
