"""The server with a route and a poll that raise: what they were to read is missing."""

import sys

from sqlalchemy import Connection

from service.control.jobs import views
from service.control.scheduling import catalogs
from service.main import main


def _fail(_: Connection, __: str = "") -> None:
    raise KeyError("a mistake")


if __name__ == "__main__":
    catalogs.offered_recipes = _fail  # type: ignore[assignment]
    views.version_of_row = _fail  # type: ignore[assignment]
    sys.exit(main())
