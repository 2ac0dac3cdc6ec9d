"""The server with a route that raises: what it was to read is missing."""

import sys

from sqlalchemy import Connection

from service.control.scheduling import catalogs
from service.main import main


def _fail(_: Connection) -> None:
    raise KeyError("a mistake")


if __name__ == "__main__":
    catalogs.offered_recipes = _fail  # type: ignore[assignment]
    sys.exit(main())
