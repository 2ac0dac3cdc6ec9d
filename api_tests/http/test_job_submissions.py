"""`POST /jobs` is answered before its route, and as its route answers it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from api_tests.support.coroutines import result_of
from api_tests.support.server_context import Clock, server_context
from api_tests.support.specs import SPEC
from api_tests.support.threaded_server import ThreadedServer
from service.api.job_submissions import JobSubmissions
from service.domain.access import SERVER
from service.store.engine import Database

JSON = {"content-type": "application/json"}
ROUTE = "/jobs?validate_only=false"
"""The same for the route alone: what has a query is not answered before it."""


def _with(**fields: Any) -> bytes:
    return json.dumps(SPEC | fields).encode()


BODIES: dict[str, bytes] = {
    "a train": _with(),
    "a train with everything": _with(
        name="ü", labels={"a": "b"}, priority=3, max_failures=0, resources={"gpus": 2}
    ),
    "a check of data": b'{"kind": "check_data", "data": {"dataset": "digits"}}',
    "UTF-16": _with().decode().encode("utf-16"),
    "no JSON": b"{kind",
    "no UTF-8": b'{"kind": "\xff"}',
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "no kind": b"{}",
    "another kind": _with(kind="export"),
    "an unknown field": _with(colour="red"),
    "two wrong fields": _with(priority=5000, name=7),
    "a number that is not finite": _with(params={"learning_rate": float("inf")}),
    "too many digits": b'{"kind": ' + b"1" * 5000 + b"}",
    "nested beyond reason": b'{"kind": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "an unknown recipe": _with(recipe="two_shot"),
    "a wrong parameter": _with(params={"batch_size": -1, "colour": "red"}),
    "parameters that do not go together": _with(params={"parity": True, "precision": "bf16"}),
    "an unknown checkpoint": _with(init_from={"id": "ckpt_1"}),
    "too large": _with(name="x" * (9 * 1024 * 1024)),
}


@pytest.fixture
def servers(databases: list[Database], tmp_path: Path) -> Iterator[list[ThreadedServer]]:
    """Two servers, equal to each other."""
    both = [ThreadedServer(server_context(database, tmp_path, Clock())) for database in databases]
    yield both
    for server in both:
        server.stop()


@pytest.fixture
def databases(migrated_sqlite: Path, tmp_path: Path) -> Iterator[list[Database]]:
    both = []
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(migrated_sqlite.read_bytes())
        both.append(Database(f"sqlite:///{tmp_path}/{name}"))
    yield both
    for database in both:
        database.close()


def test_a_submission_is_answered_as_its_route_answers_it(servers: list[ThreadedServer]) -> None:
    requests: list[tuple[str, dict[str, str], bytes]] = [
        *((name, JSON, body) for name, body in BODIES.items()),
        *(
            (f"{name}, with a key", JSON | {"idempotency-key": "k"}, BODIES[name])
            for name in ("a train", "a train", "a check of data", "no JSON")
        ),
        ("an empty key", JSON | {"idempotency-key": ""}, _with()),
        ("the longest key", JSON | {"idempotency-key": "k" * 255}, _with()),
        ("too long a key", JSON | {"idempotency-key": "k" * 256}, _with()),
        ("a text", {"content-type": "text/plain"}, _with()),
        ("a kind of JSON", {"content-type": "application/json; charset=utf-8"}, _with()),
    ]
    statuses = set[int]()
    for name, headers, body in requests:
        direct, route = (
            _answer(server.http.post(path, content=body, headers=headers))
            for server, path in zip(servers, ("/jobs", ROUTE), strict=True)
        )
        assert direct == route, name
        statuses.add(direct[0])
    assert statuses == {200, 201, 400, 413, 415, 422}


def test_a_body_that_comes_in_parts_is_one_submission(servers: list[ThreadedServer]) -> None:
    parts = [b'{"kind": "check_data", ', b'"data": {"dataset": ', b'"digits"}}']
    direct, route = (
        _answer(server.http.post(path, content=iter(body), headers=JSON))
        for server, path, body in zip(servers, ("/jobs", ROUTE), (parts, parts), strict=True)
    )
    assert direct == route
    assert direct[0] == 201


def test_a_valid_submission_reaches_no_route(sqlite: Database, tmp_path: Path) -> None:
    context = server_context(sqlite, tmp_path, Clock())
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    result_of(JobSubmissions(_no_route, context)(_scope(), _receive([_body(_with())]), send))
    assert sent[0]["status"] == 201
    assert json.loads(sent[1]["body"])["state"] == "queued"


def test_the_route_reads_again_what_a_client_has_sent_that_is_gone(
    sqlite: Database, tmp_path: Path
) -> None:
    read: list[Message] = []

    async def route(_: Scope, receive: Receive, __: Send) -> None:
        read.extend([await receive(), await receive()])

    async def send(_: Message) -> None:
        raise AssertionError("nobody is there")

    # Of what was to come nothing may be missing: the part that came is whole by chance alone.
    messages = [_body(_with(), more=True), {"type": "http.disconnect"}]
    context = server_context(sqlite, tmp_path, Clock())
    result_of(JobSubmissions(route, context)(_scope(), _receive(messages), send))
    assert read == messages


def _answer(response: httpx.Response) -> tuple[int, dict[str, Any], dict[str, str]]:
    body = response.json()
    body.pop("request_id", None)
    headers = dict(response.headers)
    for own in ("date", "x-request-id"):
        headers.pop(own, None)
    return response.status_code, body, headers


async def _no_route(_: Scope, __: Receive, ___: Send) -> None:
    raise AssertionError("a route is asked")


def _scope() -> Scope:
    return {
        "type": "http",
        "request_id": "req_1",
        "caller": SERVER,
        "method": "POST",
        "path": "/jobs",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }


def _body(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def _receive(messages: list[Message]) -> Receive:
    left = iter(messages)

    async def receive() -> Message:
        return next(left)

    return receive
