"""Server-Sent Events as they come over the wire."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Frame:
    """One event of a stream; a comment has the kind `comment`."""

    kind: str
    data: Any
    id: int | None = None


@contextmanager
def stream(http: httpx.Client, path: str, last: int | None = None) -> Iterator[Iterator[Frame]]:
    """The frames of a stream as they come, after the one with the number `last`."""
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    with http.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _frames(response)


def _frames(response: httpx.Response) -> Iterator[Frame]:
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line.startswith(":"):
            yield Frame("comment", line[1:].strip())
        elif line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            number = int(fields["id"]) if "id" in fields else None
            yield Frame(fields["event"], json.loads(fields["data"]), number)
            fields = {}
