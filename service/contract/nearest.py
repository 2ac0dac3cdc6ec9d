"""The nearest right name for one that is not known."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import TypeAdapter

_COMPARED_CHARACTERS = 64
"""The comparison takes time with the square of the length, which a user chooses."""


def nearest_name(name: str, known: Sequence[str]) -> str | None:
    """The known name that is spelled most alike; None if none is near."""
    close = get_close_matches(name[:_COMPARED_CHARACTERS], known, n=1)
    return close[0] if close else None


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """A sentence that a name is not known: with the nearest known one, else with all there are."""
    names = sorted(known)
    nearest = nearest_name(name, names)
    if nearest is not None:
        return f"this {kind} is not known; did you mean {nearest}?"
    if not names:
        return f"this {kind} is not known; check its name"
    return f"this {kind} is not known; there are {', '.join(names)}"


def field_names(model: Any, location: Sequence[str | int]) -> set[str]:
    """The names that the object at a location inside a `model` may have.

    `location` is that of an error of pydantic, in which the tags of unions stand between names.
    """
    schema = _schema(model)
    here = [schema]
    for part in location:
        inside = [below for each in here for below in _below(each, part, schema)]
        # A part that leads nowhere is the tag of a union.
        here = inside or here
    return {name for each in here for form in _forms(each, schema) for name in _properties(form)}


@cache
def _schema(model: Any) -> dict[str, Any]:
    return TypeAdapter(model).json_schema()


def _forms(schema: dict[str, Any], root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    yield schema
    for union in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(union, ()):
            yield from _forms(each, root)


def _below(
    schema: dict[str, Any], part: str | int, root: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    for form in _forms(schema, root):
        below = form.get("items") if isinstance(part, int) else _properties(form).get(part)
        if isinstance(below, dict):
            yield below


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = schema.get("properties", {})
    return properties
