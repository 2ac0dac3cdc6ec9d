"""Calls of a server, each with the statements that it sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx


class CountedCalls:
    """Calls of a server; by route the statements of its most expensive call."""

    def __init__(self, http: httpx.Client) -> None:
        self._http, self._sent, self._writing = http, list[str](), False
        self._sent_writing = 0
        self.statements: dict[str, list[str]] = {}
        self.writing: dict[str, int] = {}
        """By route the most statements in transactions that write; other writers wait for them."""

    def sent(self, statement: str) -> None:
        """Note a statement of the call under way."""
        if statement.startswith("BEGIN"):
            self._writing = statement == "BEGIN IMMEDIATE"
            return
        self._sent.append(statement)
        self._sent_writing += self._writing

    def __call__(self, route: str, *ids: str, expect: int = 200, **options: Any) -> Any:
        """The answer's JSON, if it has one."""
        with self.counted(route):
            method, path = self._path(route, ids)
            response = self._http.request(method, path, **options)
        assert response.status_code == expect, f"{route}: {response.text}"
        is_json = response.headers.get("content-type") == "application/json"
        return response.json() if is_json and response.content else None

    def first_event(self, route: str) -> None:
        """Open a stream that has no end, and close it at its first event."""
        method, path = self._path(route, ())
        first = {"Last-Event-ID": "0"}
        with self.counted(route), self._http.stream(method, path, headers=first) as response:
            next(line for line in response.iter_lines() if line.startswith("event:"))

    @contextmanager
    def counted(self, route: str) -> Iterator[None]:
        self._sent.clear()
        self._sent_writing = 0
        yield
        self.writing[route] = max(self.writing.get(route, 0), self._sent_writing)
        if len(self._sent) >= len(self.statements.setdefault(route, [])):
            self.statements[route] = list(self._sent)

    def _path(self, route: str, ids: tuple[str, ...]) -> tuple[str, str]:
        method, path = route.split(" ")
        for value in ids:
            before, _, rest = path.partition("{")
            path = before + value + rest.partition("}")[2]
        return method, path
