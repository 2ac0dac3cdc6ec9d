"""Reads responses and paginated lists into the models of the contract."""

from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from service.client.errors import InvalidRequest, UnexpectedAnswer
from service.client.flow import Answer, Flow, Item, ItemFlow, Query, send
from service.client.pages import ItemList
from service.contract.reading import read

_T = TypeVar("_T")
_Model = TypeVar("_Model", bound=BaseModel)


def paginate(kind: type[_Model], path: str, query: Query) -> ItemFlow[_Model]:
    """All items of a paginated list; a page is requested when its first item is needed."""
    after = query.get("after")
    while True:
        response = yield from send("GET", path, query={**query, "after": after})
        page = parse_object(response)
        for each in page.get("data", ()):
            yield Item(parse_model(kind, each, response))
        after = page.get("next")
        if not page.get("has_more") or after is None:
            return


def listed(kind: type[_Model], path: str) -> Flow[ItemList[_Model]]:
    """All items of a list that is short."""
    return ItemList((yield from collected(paginate(kind, path, {}))))


def collected(items: ItemFlow[_T]) -> Flow[list[_T]]:
    """All items of a flow."""
    found: list[_T] = []
    answer: Answer = None
    while True:
        try:
            effect = items.send(answer)
        except StopIteration:
            return found
        if isinstance(effect, Item):
            found.append(effect.value)
            answer = None
        else:
            answer = yield effect


def requested(kind: type[_Model], method: str, path: str, **options: Any) -> Flow[_Model]:
    """The answer to a request, with the options of a Request, as a model of class `kind`."""
    return parse_response(kind, (yield from send(method, path, **options)))


def parse_object(response: httpx.Response) -> Any:
    """The JSON object in the body of a response; raises UnexpectedAnswer."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise UnexpectedAnswer(response)
    return body


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
