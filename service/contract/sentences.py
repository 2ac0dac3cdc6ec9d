"""Validation errors in words for people: `learning_rate: Input should be greater than 0`."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

_SHOWN = 3


def message_of(error: Mapping[str, Any]) -> str:
    """What is wrong, without the prefix that pydantic puts before our own messages."""
    return str(error["msg"]).removeprefix("Value error, ")


def dotted(error: Mapping[str, Any]) -> str:
    """Where it is wrong: `params.batch_size`; empty for the whole."""
    return ".".join(str(part) for part in error["loc"])


def sentences_of(
    error: ValidationError, name_of: Callable[[Mapping[str, Any]], str] = dotted
) -> list[str]:
    """Each error as `name: message`; `name_of` names the field, or gives "" for the whole."""
    return [": ".join(filter(None, (name_of(e), message_of(e)))) for e in _details(error)]


def sentence_of(error: ValidationError) -> str:
    """The first errors in one line, and how many more there are."""
    sentences = sentences_of(error)
    more = len(sentences) - _SHOWN
    return "; ".join(sentences[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _details(error: ValidationError) -> list[Mapping[str, Any]]:
    return list(error.errors(include_url=False, include_input=False, include_context=False))
