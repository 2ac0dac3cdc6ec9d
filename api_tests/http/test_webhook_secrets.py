"""A webhook's secret is rotated: who verifies with which secret, and until when."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api_tests.support.access import bearer, clients_of_people, make_token
from api_tests.support.problems import pointers_of, problem_of
from api_tests.support.server import DEADLINE_SECONDS, wait_for
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from api_tests.support.webhook_receiver import Received, WebhookReceiver
from service.background.webhook_dispatcher import WebhookDispatcher
from service.context import AppContext
from service.contract.access import Role
from service.control.webhooks.sender import Sender
from service.settings import Settings
from service.store import audit, webhooks
from service.store.engine import Database
from service.store.webhook_tables import webhooks as table

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def context(database: Database, tmp_path: Path, clock: Clock) -> AppContext:
    """A server that may send to this machine, over a database of each kind."""
    settings = Settings(volume=tmp_path, webhook_networks="127.0.0.0/8", webhook_http=True)
    return server_context(database, tmp_path, clock, settings)


@pytest.fixture
def server(context: AppContext) -> Iterator[ThreadedServer]:
    """Its routes, and the loop that sends."""
    dispatcher = WebhookDispatcher(context, Sender(context.address_guard))
    context.loops.append(dispatcher.loop)
    server = ThreadedServer(context)
    dispatcher.loop.start()
    yield server
    dispatcher.loop.stop()
    assert dispatcher.loop.join(DEADLINE_SECONDS)
    dispatcher.join(DEADLINE_SECONDS)
    server.stop()


@pytest.fixture
def made(server: ThreadedServer, receiver: WebhookReceiver) -> dict[str, Any]:
    """A webhook, with its first secret."""
    answer = server.http.post("/webhooks", json={"url": receiver.url, "name": "chat"})
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    assert "previous_secret_expires_at" not in created
    return created


def _rotate(server: ThreadedServer, made: dict[str, Any], **body: Any) -> dict[str, Any]:
    answer = server.http.post(f"/webhooks/{made['id']}/rotate-secret", json=body)
    assert answer.status_code == 200, answer.text
    rotated: dict[str, Any] = answer.json()
    assert rotated["secret"].startswith("whsec_")
    return rotated


def _message(server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any]) -> Received:
    """What the receiver gets of a test call."""
    event = server.http.post(f"/webhooks/{made['id']}/test").json()["event_id"]
    wait_for(lambda: any(each.event_id == event for each in receiver.received), "the message")
    return next(each for each in receiver.received if each.event_id == event)


def _signers(message: Received, *secrets: str) -> list[bool]:
    return [message.is_signed_by(secret) for secret in secrets]


def test_the_old_secret_verifies_until_the_overlap_ends_and_then_the_new_one_alone(
    server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any], clock: Clock
) -> None:
    old, path = made["secret"], f"/webhooks/{made['id']}"
    rotated = _rotate(server, made)
    new = rotated["secret"]
    assert new != old
    assert rotated["previous_secret_expires_at"] == "2026-01-02T00:00:00Z"
    assert server.http.get(path).json() | {"secret": new} == rotated
    clock.advance(DAY - timedelta(seconds=1))
    during = _message(server, receiver, made)
    assert _signers(during, new, old) == [True, True]
    assert len(during.headers["webhook-signature"].split(" ")) == 2
    clock.advance(timedelta(seconds=1))
    after = _message(server, receiver, made)
    assert _signers(after, new, old) == [True, False]
    assert len(after.headers["webhook-signature"].split(" ")) == 1
    assert "previous_secret_expires_at" not in server.http.get(path).json()
    (listed,) = server.http.get("/webhooks").json()["data"]
    assert "previous_secret_expires_at" not in listed


def test_a_retry_is_signed_by_the_secrets_that_are_valid_when_it_is_sent(
    server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any], clock: Clock
) -> None:
    receiver.answer(500)
    first = _message(server, receiver, made)
    new = _rotate(server, made, overlap_seconds=3600)["secret"]
    for passed in (timedelta(minutes=1), DAY):
        sent = len(receiver.received)
        clock.advance(passed)
        wait_for(lambda sent=sent: len(receiver.received) > sent, "a retry")  # type: ignore[misc]
    tries = receiver.received
    assert {each.event_id for each in tries} == {first.event_id}
    signers = [_signers(each, new, made["secret"]) for each in tries]
    assert signers == [[False, True], [True, True], [True, False]]


def test_with_no_overlap_the_new_secret_signs_alone_at_once(
    server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any]
) -> None:
    second = _rotate(server, made)["secret"]
    rotated = _rotate(server, made, overlap_seconds=0)
    assert "previous_secret_expires_at" not in rotated
    message = _message(server, receiver, made)
    assert _signers(message, rotated["secret"], second, made["secret"]) == [True, False, False]


def test_of_rotations_within_an_overlap_each_secret_that_a_receiver_may_have_signs(
    server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any], clock: Clock
) -> None:
    second = _rotate(server, made, overlap_seconds=3600)["secret"]
    third = _rotate(server, made, overlap_seconds=7200)["secret"]
    message = _message(server, receiver, made)
    assert _signers(message, third, second, made["secret"]) == [True, True, True]
    clock.advance(HOUR)
    message = _message(server, receiver, made)
    assert _signers(message, third, second, made["secret"]) == [True, True, False]
    fourth = _rotate(server, made, overlap_seconds=60)
    assert fourth["previous_secret_expires_at"] == "2026-01-01T01:01:00Z"
    clock.advance(timedelta(minutes=1))
    message = _message(server, receiver, made)
    assert _signers(message, fourth["secret"], third, second) == [True, False, False]


def test_the_newest_four_sign_and_no_more(
    server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any]
) -> None:
    secrets = [made["secret"], *(_rotate(server, made)["secret"] for _ in range(4))]
    message = _message(server, receiver, made)
    assert _signers(message, *secrets) == [False, True, True, True, True]


def test_rotations_at_the_same_time_lose_no_secret(
    server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any]
) -> None:
    with ThreadPoolExecutor(3) as pool:
        rotated = list(pool.map(lambda _: _rotate(server, made)["secret"], range(3)))
    message = _message(server, receiver, made)
    assert _signers(message, made["secret"], *rotated) == [True] * 4


def test_a_secret_that_has_ended_is_not_kept_by_the_next_rotation(
    server: ThreadedServer, made: dict[str, Any], clock: Clock, database: Database
) -> None:
    _rotate(server, made, overlap_seconds=60)
    clock.advance(timedelta(minutes=1))
    _rotate(server, made)
    with database.read() as tx:
        stored = webhooks.get(tx, made["id"])
        assert stored is not None
        assert len(stored.earlier) == 1
        row = str(tx.execute(table.select()).mappings().one())
    assert made["secret"] not in row


@pytest.mark.parametrize(
    "body",
    [
        {"overlap_seconds": -1},
        {"overlap_seconds": 7 * 86_400 + 1},
        {"overlap_seconds": 1.5},
        {"overlap_seconds": True},
        {"overlap_seconds": "60"},
        {"overlap_seconds": None},
    ],
    ids=str,
)
def test_an_overlap_that_cannot_be_meant_is_refused_and_nothing_is_rotated(
    server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any], body: dict[str, Any]
) -> None:
    answer = server.http.post(f"/webhooks/{made['id']}/rotate-secret", json=body)
    assert pointers_of(problem_of(answer, 422, "invalid")) == ["/overlap_seconds"]
    assert _signers(_message(server, receiver, made), made["secret"]) == [True]


def test_an_overlap_of_a_week_is_taken_and_an_unknown_field_or_webhook_is_named(
    server: ThreadedServer, made: dict[str, Any]
) -> None:
    rotated = _rotate(server, made, overlap_seconds=7 * 86_400)
    assert rotated["previous_secret_expires_at"] == "2026-01-08T00:00:00Z"
    path = "/webhooks/{}/rotate-secret"
    unknown = server.http.post(path.format(made["id"]), json={"overlap": 1})
    problem = problem_of(unknown, 422, "invalid")
    assert "did you mean overlap_seconds?" in problem["detail"]
    problem_of(server.http.post(path.format("whk_none")), 404, "no_such_webhook")


def test_an_admin_alone_rotates_and_the_audit_list_has_it_without_the_secret(
    server: ThreadedServer, context: AppContext, made: dict[str, Any]
) -> None:
    path = f"/webhooks/{made['id']}/rotate-secret"
    with clients_of_people(context, server.url) as people:
        worker = bearer(make_token(context, "gpu", Role.WORKER).secret)
        problem_of(server.http.post(path), 401, "unauthorized")
        refused = [people["bob"].post(path), people["vic"].post(path)]
        for answer in (*refused, server.http.post(path, headers=worker)):
            problem_of(answer, 403, "role_required")
        rotated = people["ann"].post(path, json={"overlap_seconds": 60}).json()
        query = {"action": "webhook.rotate"}
        (entry,) = people["ann"].get("/audit", params=query).json()["data"]
        assert (entry["actor"], entry["subject"]) == ("ann", made["id"])
        assert entry["detail"] == "overlap of 60 s"
        assert rotated["secret"] not in people["ann"].get("/audit").text
        shown = [people["ann"].get(each).text for each in ("/webhooks", f"/webhooks/{made['id']}")]
        for secret in (made["secret"], rotated["secret"]):
            assert not [text for text in shown if secret in text]


def test_a_rotation_and_its_entry_are_stored_together_or_not_at_all(
    server: ThreadedServer,
    receiver: WebhookReceiver,
    made: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the list cannot be written")

    with monkeypatch.context() as patch:
        patch.setattr(audit, "note_all", broken)
        answer: httpx.Response = server.http.post(f"/webhooks/{made['id']}/rotate-secret")
    assert answer.status_code == 500
    message = _message(server, receiver, made)
    assert message.is_signed_by(made["secret"])
    assert len(message.headers["webhook-signature"].split(" ")) == 1


def test_a_disabled_webhook_is_given_a_new_secret_too(
    server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any]
) -> None:
    path = f"/webhooks/{made['id']}"
    server.http.patch(path, json={"enabled": False})
    new = _rotate(server, made)["secret"]
    shown = server.http.patch(path, json={"enabled": True, "name": "n"}).json()
    assert shown["previous_secret_expires_at"] == "2026-01-02T00:00:00Z"
    assert _signers(_message(server, receiver, made), new, made["secret"]) == [True, True]
