"""One HTTP connection to a server: the token, the retries, and problems as errors."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity import wait_random_exponential as jittered

from service.client.errors import ApiError, ServerUnreachable, UnexpectedAnswer, problem_in

_AGAIN = (429, 502, 503, 504)
_LOCAL = ("127.0.0.1", "::1", "localhost")
_backoff = jittered(multiplier=0.1, max=2.0)

Query = Mapping[str, str | int | float | None]


class Http:
    """Requests that may be sent twice: reads, repeatable verbs, and submissions with a key."""

    def __init__(
        self, server: str, token: str | None, *, tries: int, timeout_seconds: float
    ) -> None:
        self.server = server.rstrip("/")
        try:
            url = httpx.URL(self.server)
        except httpx.InvalidURL:
            url = httpx.URL("")
        if url.scheme not in ("http", "https") or not url.host:
            raise ServerUnreachable(server, ValueError("not an address like http://host:port"))
        self._tries = tries
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(timeout_seconds, connect=5.0),
            # A proxy of the environment does not lead to this machine.
            trust_env=url.host not in _LOCAL,
        )

    def close(self) -> None:
        """Let the connections go."""
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
        """A 2xx or 304 answer, after retries that may help; raises ApiError, ServerUnreachable.

        `seconds` is how long an answer may take that reads many bytes.
        """
        for attempt in self._attempts():
            with attempt:
                return self.once(
                    method, path, query=query, body=body, headers=headers, seconds=seconds
                )
        raise AssertionError("tenacity returns or raises")

    def once(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> httpx.Response:
        """As `request`, in one try."""
        timeout = self._client.timeout if seconds is None else httpx.Timeout(seconds, connect=5.0)
        with self._translated():
            response = self._client.request(
                method, path, params=_present(query), json=body, headers=headers, timeout=timeout
            )
        return _accepted(response)

    def part(self, path: str, name: str, **query: str | int | float | None) -> Any:
        """The value of one name in the JSON object that the path answers with."""
        response = self.request("GET", path, query=query)
        body = parsed(response)
        if name not in body:
            raise UnexpectedAnswer(response)
        return body[name]

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """An answer whose body is not read yet; not retried."""
        with self._translated(), self._client.stream("GET", path, headers=headers) as response:
            if not response.is_success:
                response.read()
            yield _accepted(response)

    def _attempts(self) -> Retrying:
        return Retrying(
            retry=retry_if_exception(may_heal),
            stop=stop_after_attempt(self._tries),
            wait=_pause_seconds,
            reraise=True,
        )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.RequestError as error:
            raise ServerUnreachable(self.server, error) from error


def parsed(response: httpx.Response) -> Any:
    """The JSON object of an answer; raises UnexpectedAnswer."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise UnexpectedAnswer(response)
    return body


def may_heal(error: BaseException) -> bool:
    """Whether the same request may succeed a moment later."""
    return isinstance(error, ServerUnreachable) or (
        isinstance(error, ApiError) and error.status in _AGAIN
    )


def _pause_seconds(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after_seconds if isinstance(error, ApiError) else None
    return _backoff(state) if asked is None else min(asked, 30.0)


def _accepted(response: httpx.Response) -> httpx.Response:
    if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
        return response
    if response.is_error:
        raise problem_in(response)
    raise UnexpectedAnswer(response)


def _present(query: Query | None) -> dict[str, str | int | float]:
    return {name: value for name, value in (query or {}).items() if value is not None}
