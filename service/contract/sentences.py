"""Validation errors as sentences: `learning_rate: Input should be greater than 0`."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

_SHOWN = 3
_COUNTED = re.compile(r"Value should have at (most|least) (\d+) items? after validation, not \d+")

_ONE = re.compile(r"(\bat (?:most|least) 1 (?:character|item|byte))s\b")


def message_of(error: Mapping[str, Any]) -> str:
    """The message of an error in pydantic's words, without its prefix of a ValueError's message."""
    # The length of a text that has a validator of its own is counted in items by pydantic.
    message = _COUNTED.sub(r"String should have at \1 \2 characters", str(error["msg"]))
    return without_prefix(_ONE.sub(r"\1", message))


def without_prefix(message: str) -> str:
    """A message of pydantic without the prefix that it adds to a ValueError's message."""
    return message.removeprefix("Value error, ")


BRANCH = "~branch:"
"""What the tag of a branch of a union begins with: it is no name of a field."""


def location_of(error: Mapping[str, Any]) -> list[str | int]:
    """Where in the body an error is: names of fields, and numbers of items."""
    return [part for part in error["loc"] if not str(part).startswith(BRANCH)]


def dotted(error: Mapping[str, Any]) -> str:
    """The location of an error, such as `params.batch_size`; empty for the whole object."""
    return ".".join(map(str, location_of(error)))


def sentences_of(
    error: ValidationError, name_of: Callable[[Mapping[str, Any]], str] = dotted
) -> list[str]:
    """Each error as `name: message`; `name_of` returns the field's name, or "" for the object."""
    return [": ".join(filter(None, (name_of(e), message_of(e)))) for e in _details(error)]


def sentence_of(
    error: ValidationError, name_of: Callable[[Mapping[str, Any]], str] = dotted
) -> str:
    """The first errors in one line as `sentences_of` has them, and the number of further ones."""
    sentences = sentences_of(error, name_of)
    more = len(sentences) - _SHOWN
    return "; ".join(sentences[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _details(error: ValidationError) -> list[Mapping[str, Any]]:
    return list(error.errors(include_url=False, include_input=False, include_context=False))
