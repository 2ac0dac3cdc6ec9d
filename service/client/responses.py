"""Reads responses and paginated lists into the models of the contract."""

from collections.abc import Iterator
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from service.client.errors import InvalidRequest, UnexpectedAnswer
from service.client.http import Http, Query, parse_object
from service.contract.reading import read

_Model = TypeVar("_Model", bound=BaseModel)


def paginate(http: Http, kind: type[_Model], path: str, query: Query) -> Iterator[_Model]:
    """All items of a paginated list; a page is requested when its first item is needed."""
    after = query.get("after")
    while True:
        response = http.request("GET", path, query={**query, "after": after})
        page = parse_object(response)
        yield from (parse_model(kind, each, response) for each in page.get("data", ()))
        after = page.get("next")
        if not page.get("has_more") or after is None:
            return


def parse_response(kind: type[_Model], response: httpx.Response) -> _Model:
    """The body of a response as a model of class `kind`; raises UnexpectedAnswer."""
    return parse_model(kind, parse_object(response), response)


def parse_model(kind: type[_Model], body: Any, response: httpx.Response) -> _Model:
    """A part of a response's body, of a newer server too, as a model of class `kind`.

    Raises UnexpectedAnswer.
    """
    try:
        return read(kind, body)
    except ValidationError as error:
        raise UnexpectedAnswer(response) from error


def path_segment(text: str) -> str:
    """An id or a name, escaped for use as one segment of a URL path.

    Raises InvalidRequest for what a path cannot hold as one: it would be another path.
    """
    if text in ("", ".", ".."):
        raise InvalidRequest(f"{text!r} is no id and no name")
    return quote(text, safe="", errors="surrogatepass")
