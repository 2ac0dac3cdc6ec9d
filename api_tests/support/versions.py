"""Messages of the version before, as recorded, and of a version after, as they may come to be."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

BEFORE = Path(__file__).parents[1] / "versions" / "before"
WORKER = "wrk_before"
_FREE = ("labels", "metrics", "params", "aliases", "versions", "files", "body")
"""Objects whose names are the users' or the worker's own."""


def message(name: str) -> Any:
    """A message or a reply as the version before sent it."""
    return json.loads((BEFORE / f"{name}.json").read_text())


def problems_before(name: str, body: Any) -> list[str]:
    """Why the version before would refuse a reply; it forbids fields that it does not know."""
    schema = json.loads((BEFORE / "schemas.json").read_text())[name]
    return [error.message for error in Draft202012Validator(schema).iter_errors(body)]


def database_before(folder: Path) -> Path:
    """An SQLite file as the version before left it, with rows in every table."""
    file = folder / "trainyard.db"
    with sqlite3.connect(file) as connection:
        connection.executescript((BEFORE / "trainyard.sql").read_text())
    connection.close()
    return file


def after(body: Any) -> Any:
    """The same of a version after, in which every object has one field more."""
    if isinstance(body, list):
        return [after(each) for each in body]
    if not isinstance(body, dict):
        return body
    aged = {name: each if name in _FREE else after(each) for name, each in body.items()}
    return aged | {"of_a_version_after": {"since": 2}}
