"""HTTP requests with the bearer token, retries, and errors as exceptions."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity import wait_random_exponential as jittered

from service.client.errors import (
    TRANSIENT_STATUSES,
    ApiError,
    InvalidConnection,
    InvalidRequest,
    ServerUnreachable,
    UnexpectedAnswer,
    problem_in,
)
from service.contract.http_client import BadConnection, http_client

_backoff = jittered(multiplier=0.1, max=2.0)

Query = Mapping[str, str | int | float | Sequence[str] | None]
"""By name the value of a parameter of the query; several values are several parameters."""


class Http:
    """An HTTP client of one server.

    `request` repeats a failed request, so it is for requests that may be sent twice: reads,
    idempotent actions, and submissions with an idempotency key.
    """

    def __init__(
        self, server: str, token: str | None, *, tries: int, timeout_seconds: float
    ) -> None:
        self.server = server.rstrip("/")
        self._tries = tries
        try:
            self._client = http_client(
                server, token, timeout=httpx.Timeout(timeout_seconds, connect=5.0)
            )
        except BadConnection as error:
            raise InvalidConnection(str(error)) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> httpx.Response:
        """Send a request, repeat it after transient failures, and return a 2xx or 304 response.

        `seconds` replaces the read timeout. Raises ApiError, ServerUnreachable, UnexpectedAnswer.
        """
        for attempt in self._attempts():
            with attempt:
                return self.request_once(
                    method, path, query=query, body=body, headers=headers, seconds=seconds
                )
        raise AssertionError("tenacity returns or raises")

    def request_once(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> httpx.Response:
        """Send a request once, without retries, and return a 2xx or 304 response.

        `seconds` replaces the read timeout. Raises ApiError, ServerUnreachable, UnexpectedAnswer.
        """
        timeout = self._client.timeout if seconds is None else httpx.Timeout(seconds, connect=5.0)
        typed = {} if body is None else {"Content-Type": "application/json"}
        with self._translate_errors():
            response = self._client.request(
                method,
                path,
                params=_without_none(query),
                content=None if body is None else _encoded(body),
                headers={**typed, **(headers or {})},
                timeout=timeout,
            )
        return _raise_for_status(response)

    def get_field(self, path: str, name: str, **query: str | int | float | None) -> Any:
        """Get `path`, and return the field `name` of its JSON object; raises UnexpectedAnswer."""
        response = self.request("GET", path, query=query)
        body = parse_object(response)
        if name not in body:
            raise UnexpectedAnswer(response)
        return body[name]

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Get `path` as a response whose body has not been read; the request is not repeated."""
        with (
            self._translate_errors(),
            self._client.stream("GET", path, headers=headers) as response,
        ):
            if not response.is_success:
                response.read()
            yield _raise_for_status(response)

    def _attempts(self) -> Retrying:
        return Retrying(
            retry=retry_if_exception(is_transient),
            stop=stop_after_attempt(self._tries),
            wait=retry_delay_seconds,
            reraise=True,
        )

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError) as error:
            # Of a header or an address that HTTP cannot carry: nothing was sent.
            raise InvalidRequest(f"the request cannot be sent: {error}") from error
        except httpx.RequestError as error:
            raise ServerUnreachable(self.server, error) from error


def _encoded(body: Any) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest(f"the request cannot be written as JSON: {error}") from error


def parse_object(response: httpx.Response) -> Any:
    """The JSON object in the body of a response; raises UnexpectedAnswer."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise UnexpectedAnswer(response)
    return body


def is_transient(error: BaseException) -> bool:
    """Whether the request may succeed if it is sent again a moment later."""
    return isinstance(error, ServerUnreachable) or (
        isinstance(error, ApiError) and error.status in TRANSIENT_STATUSES
    )


def retry_delay_seconds(state: RetryCallState) -> float:
    """The seconds until the next try: what the server asked for, else a growing random time."""
    error = state.outcome.exception() if state.outcome else None
    retry_after = error.retry_after_seconds if isinstance(error, ApiError) else None
    return _backoff(state) if retry_after is None else min(retry_after, 30.0)


def _raise_for_status(response: httpx.Response) -> httpx.Response:
    if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
        return response
    if response.is_error:
        raise problem_in(response)
    raise UnexpectedAnswer(response)


def _without_none(query: Query | None) -> dict[str, str | int | float | Sequence[str]]:
    return {name: value for name, value in (query or {}).items() if value is not None}
