"""The call that rotates a webhook's secret: what it takes, who may make it, and what is stored."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from api_tests.support.access import bearer, clients_of_people, make_token
from api_tests.support.problems import pointers_of, problem_of
from api_tests.support.server_context import Clock
from api_tests.support.threaded_server import ThreadedServer
from api_tests.support.webhook_receiver import WebhookReceiver
from api_tests.support.webhook_rotation import (
    clock,
    context,
    made,
    message_of,
    rotate,
    server,
    signers_of,
)
from service.context import AppContext
from service.contract.access import Role
from service.store import audit, webhooks
from service.store.engine import Database
from service.store.webhook_tables import webhooks as table

__all__ = ["clock", "context", "made", "server"]


def test_a_secret_that_has_ended_is_not_kept_by_the_next_rotation(
    server: ThreadedServer, made: dict[str, Any], clock: Clock, database: Database
) -> None:
    rotate(server, made, overlap_seconds=60)
    clock.advance(timedelta(minutes=1))
    rotate(server, made)
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
    assert signers_of(message_of(server, receiver, made), made["secret"]) == [True]


def test_an_overlap_of_a_week_is_taken_and_an_unknown_field_or_webhook_is_named(
    server: ThreadedServer, made: dict[str, Any]
) -> None:
    rotated = rotate(server, made, overlap_seconds=7 * 86_400)
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
    message = message_of(server, receiver, made)
    assert message.is_signed_by(made["secret"])
    assert len(message.headers["webhook-signature"].split(" ")) == 1
