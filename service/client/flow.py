"""What the client's calls are made of: flows, which say what to send and never send it.

A flow is a generator. It yields an effect, such as a Request, is given the answer, and returns the
call's result; what it follows, such as a log, it yields as Items. One description of a call so
serves both clients: `driver.py` performs the effects of a flow with blocking HTTP, and
`async_driver.py` in an event loop.
"""

import json
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any, Generic, TypeAlias, TypeVar, cast

import httpx
from tenacity import DoAttempt, DoSleep, RetryCallState, Retrying, retry_if_exception
from tenacity import wait_random_exponential as jittered

from service.client.errors import (
    ApiError,
    InvalidRequest,
    UnexpectedAnswer,
    is_transient,
    problem_in,
)

_T = TypeVar("_T")
_backoff = jittered(multiplier=0.1, max=2.0)

Query = Mapping[str, str | int | float | Sequence[str] | None]
"""By name the value of a parameter of the query; several values are several parameters."""


@dataclass(frozen=True)
class Request:
    """A request that is answered by its response, read whole.

    `seconds` replaces the read timeout. With `repeats` it is sent again after a transient failure:
    for reads, for idempotent actions, and for submissions with an idempotency key. The body of a
    streamed response is read in Chunks.
    """

    method: str
    path: str
    query: Query = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None
    repeats: bool = True
    is_streamed: bool = False

    @property
    def once(self) -> "Request":
        """The same request, sent once."""
        return replace(self, repeats=False)


@dataclass(frozen=True)
class Chunk:
    """The next bytes of the response to the last streamed request; none at its end."""


@dataclass(frozen=True)
class Pause:
    """A pause; answered by nothing."""

    seconds: float


@dataclass(frozen=True)
class Item(Generic[_T]):
    """A value for the caller, who may take the next one at any later time, or never."""

    value: _T


@dataclass(frozen=True)
class Work:
    """A function that reads or writes files, or reckons long; answered by what it returns."""

    call: Callable[[], Any]


Effect: TypeAlias = Request | Chunk | Pause | Work
Answer: TypeAlias = Any
"""To a Request an httpx.Response, to a Chunk bytes, to Work its result."""
Flow: TypeAlias = Generator[Effect, Answer, _T]
"""A call with a result."""
ItemFlow: TypeAlias = Generator[Effect | Item[_T], Answer, None]
"""A call whose values come one after another."""


def send(method: str, path: str, **options: Any) -> Flow[httpx.Response]:
    """The 2xx or 304 response to a Request with these options.

    Raises ApiError, ServerUnreachable, UnexpectedAnswer, InvalidRequest.
    """
    return (yield from sent(Request(method, path, **options)))


def sent(request: Request) -> Flow[httpx.Response]:
    """The 2xx or 304 response to a request; raises as `send` does."""
    response: httpx.Response = yield request
    return response


def next_chunk() -> Flow[bytes]:
    """The next bytes of the response to the last streamed request; none at its end."""
    chunk: bytes = yield Chunk()
    return chunk


def worked(call: Callable[[], _T]) -> Flow[_T]:
    """What a function returns that would hold up an event loop."""
    result: _T = yield Work(call)
    return result


def pause(seconds: float) -> Flow[None]:
    """Go on after a pause."""
    yield Pause(seconds)


def repeated(call: Callable[[], Flow[_T]], retrying: Retrying) -> Flow[_T]:
    """The result of `call`, which is begun again as tenacity's `retrying` says."""
    state = RetryCallState(retrying, None, (), {})
    retrying.begin()
    while True:
        action = retrying.iter(state)
        if isinstance(action, DoAttempt):
            try:
                state.set_result((yield from call()))
            except Exception:
                state.set_exception(cast(Any, sys.exc_info()))
        elif isinstance(action, DoSleep):
            state.prepare_for_next_attempt()
            yield from pause(float(action))
        else:
            return cast(_T, action)


def advance(flow: Generator[Any, Answer, Any], outcome: Answer | Exception) -> Any:
    """The next effect of a flow after the outcome of the one before; the first outcome is None.

    Raises StopIteration with the flow's result, and what the flow raises.
    """
    return flow.throw(outcome) if isinstance(outcome, Exception) else flow.send(outcome)


def retry_delay_seconds(state: RetryCallState) -> float:
    """The seconds until the next try: what the server asked for, else a growing random time."""
    error = state.outcome.exception() if state.outcome else None
    retry_after = error.retry_after_seconds if isinstance(error, ApiError) else None
    return _backoff(state) if retry_after is None else min(retry_after, 30.0)


def retries(stop: Any, wait: Callable[[RetryCallState], float] | None = None) -> Retrying:
    """The rule by which requests are repeated after transient failures."""
    return Retrying(
        retry=retry_if_exception(is_transient),
        stop=stop,
        wait=wait or retry_delay_seconds,
        reraise=True,
    )


def encoded(body: Any) -> bytes | None:
    """A body as JSON, a path in it as its text; raises InvalidRequest."""
    if body is None:
        return None
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, default=_path_text).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest(f"the request cannot be written as JSON: {error}") from error


def checked(response: httpx.Response) -> httpx.Response:
    """A 2xx or 304 response; raises ApiError for an error, UnexpectedAnswer for any other."""
    if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
        return response
    if response.is_error:
        raise problem_in(response)
    raise UnexpectedAnswer(response)


def _path_text(value: Any) -> str:
    if isinstance(value, PurePath):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
