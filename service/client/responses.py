"""Answers of a server as models of the contract, page by page."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from service.client.errors import UnexpectedAnswer
from service.client.http import Http, parsed

_Model = TypeVar("_Model", bound=BaseModel)


def pages(
    http: Http, kind: type[_Model], path: str, query: Mapping[str, str | int]
) -> Iterator[_Model]:
    """Every item of a list, asked for as they are wanted."""
    after: str | int | None = query.get("after")
    while True:
        response = http.request("GET", path, query={**query, "after": after})
        page = parsed(response)
        yield from (validated(kind, each, response) for each in page.get("data", ()))
        after = page.get("next")
        if not page.get("has_more") or after is None:
            return


def model(kind: type[_Model], response: httpx.Response) -> _Model:
    """The body as a model; raises UnexpectedAnswer."""
    return validated(kind, parsed(response), response)


def validated(kind: type[_Model], body: Any, response: httpx.Response) -> _Model:
    """A part of the body as a model; raises UnexpectedAnswer."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise UnexpectedAnswer(response) from error


def quoted(text: str) -> str:
    """An id or a name as one part of a path."""
    return quote(text, safe="")
