"""Calls as methods that block: each function gives a call's flow to the object's driver.

A verb of an object that stands for one thing, such as a job, leaves out the call's first argument:
`own` gives it the object's id, `itself` the object.
"""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from pydantic import BaseModel

from service.client.driver import Driver
from service.client.flow import Flow, ItemFlow
from service.client.pages import Pages, Text
from service.client.signatures import method_of

_P = ParamSpec("_P")
_T = TypeVar("_T")
_R = TypeVar("_R")
_Model = TypeVar("_Model", bound=BaseModel)
_Self = TypeVar("_Self", bound="Thing")


class Caller(Protocol):
    """What has a connection to a server."""

    @property
    def _driver(self) -> Driver: ...


class Thing(Caller, Protocol):
    """What has a connection, and is one thing on the server."""

    @property
    def id(self) -> str: ...


def verb(call: Callable[_P, Flow[_T]]) -> Callable[Concatenate[Caller, _P], _T]:
    """A call of a client."""
    return method_of(call, _run)


def made(
    call: Callable[_P, Flow[_T]], wrap: Callable[[Driver, _T], _R]
) -> Callable[Concatenate[Caller, _P], _R]:
    """A call of a client whose result is given verbs."""
    return method_of(call, _wrapping(wrap))


def pages(call: Callable[_P, ItemFlow[_T]]) -> Callable[Concatenate[Caller, _P], Pages[_T]]:
    """A list of a client."""
    return method_of(call, _iterate)


def pages_of(
    call: Callable[_P, ItemFlow[_T]], wrap: Callable[[Driver, _T], _R]
) -> Callable[Concatenate[Caller, _P], Pages[_R]]:
    """A list of a client whose items are given verbs."""

    def perform(caller: Caller, flow: ItemFlow[_T]) -> Pages[_R]:
        driver = caller._driver
        return Pages(wrap(driver, item) for item in driver.iterate(flow))

    return method_of(call, perform)


def own(
    call: Callable[Concatenate[str, _P], Flow[_T]],
) -> Callable[Concatenate[Thing, _P], _T]:
    """A call about the thing."""
    return method_of(call, _run, "id")


def own_pages(
    call: Callable[Concatenate[str, _P], ItemFlow[_T]],
) -> Callable[Concatenate[Thing, _P], Pages[_T]]:
    """A list of the thing."""
    return method_of(call, _iterate, "id")


def own_text(
    call: Callable[Concatenate[str, _P], ItemFlow[str]],
) -> Callable[Concatenate[Thing, _P], Text]:
    """A text of the thing."""

    def perform(thing: Thing, flow: ItemFlow[str]) -> Text:
        return Text(thing._driver.iterate(flow))

    return method_of(call, perform, "id")


def updates(
    call: Callable[Concatenate[str, _P], Flow[_Model]],
) -> Callable[Concatenate[_Self, _P], _Self]:
    """A call whose answer is the thing in its new state, which the object then has."""

    def perform(thing: Any, flow: Flow[_Model]) -> Any:
        return thing._take(thing._driver.run(flow))

    return method_of(call, perform, "id")


def itself(
    call: Callable[Concatenate[Any, _P], Flow[_T]],
) -> Callable[Concatenate[Thing, _P], _T]:
    """A call that needs more of the thing than its id."""
    return method_of(call, _run, "self")


def _run(caller: Caller, flow: Flow[_T]) -> _T:
    return caller._driver.run(flow)


def _iterate(caller: Caller, flow: ItemFlow[_T]) -> Pages[_T]:
    return Pages(caller._driver.iterate(flow))


def _wrapping(wrap: Callable[[Driver, _T], _R]) -> Callable[[Caller, Flow[_T]], _R]:
    def perform(caller: Caller, flow: Flow[_T]) -> _R:
        return wrap(caller._driver, caller._driver.run(flow))

    return perform
