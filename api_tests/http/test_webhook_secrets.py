"""A webhook's secret is rotated: who verifies with which secret, and until when."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

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
    wait_for_tries,
)

__all__ = ["clock", "context", "made", "server"]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_the_old_secret_verifies_until_the_overlap_ends_and_then_the_new_one_alone(
    server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any], clock: Clock
) -> None:
    old, path = made["secret"], f"/webhooks/{made['id']}"
    rotated = rotate(server, made)
    new = rotated["secret"]
    assert new != old
    assert rotated["previous_secret_expires_at"] == "2026-01-02T00:00:00Z"
    assert server.http.get(path).json() | {"secret": new} == rotated
    clock.advance(DAY - timedelta(seconds=1))
    during = message_of(server, receiver, made)
    assert signers_of(during, new, old) == [True, True]
    assert len(during.headers["webhook-signature"].split(" ")) == 2
    clock.advance(timedelta(seconds=1))
    after = message_of(server, receiver, made)
    assert signers_of(after, new, old) == [True, False]
    assert len(after.headers["webhook-signature"].split(" ")) == 1
    assert "previous_secret_expires_at" not in server.http.get(path).json()
    (listed,) = server.http.get("/webhooks").json()["data"]
    assert "previous_secret_expires_at" not in listed


def test_a_retry_is_signed_by_the_secrets_that_are_valid_when_it_is_sent(
    server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any], clock: Clock
) -> None:
    receiver.answer(500)
    first = message_of(server, receiver, made)
    new = rotate(server, made, overlap_seconds=3600)["secret"]
    for tries, passed in ((2, timedelta(minutes=1)), (3, DAY)):
        clock.advance(passed)
        wait_for_tries(server, made, first.event_id, tries)
    tries = receiver.received
    assert {each.event_id for each in tries} == {first.event_id}
    signers = [signers_of(each, new, made["secret"]) for each in tries]
    assert signers == [[False, True], [True, True], [True, False]]


def test_with_no_overlap_the_new_secret_signs_alone_at_once(
    server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any]
) -> None:
    second = rotate(server, made)["secret"]
    rotated = rotate(server, made, overlap_seconds=0)
    assert "previous_secret_expires_at" not in rotated
    message = message_of(server, receiver, made)
    assert signers_of(message, rotated["secret"], second, made["secret"]) == [True, False, False]


def test_of_rotations_within_an_overlap_each_secret_that_a_receiver_may_have_signs(
    server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any], clock: Clock
) -> None:
    second = rotate(server, made, overlap_seconds=3600)["secret"]
    third = rotate(server, made, overlap_seconds=7200)["secret"]
    message = message_of(server, receiver, made)
    assert signers_of(message, third, second, made["secret"]) == [True, True, True]
    clock.advance(HOUR)
    message = message_of(server, receiver, made)
    assert signers_of(message, third, second, made["secret"]) == [True, True, False]
    fourth = rotate(server, made, overlap_seconds=60)
    assert fourth["previous_secret_expires_at"] == "2026-01-01T01:01:00Z"
    clock.advance(timedelta(minutes=1))
    message = message_of(server, receiver, made)
    assert signers_of(message, fourth["secret"], third, second) == [True, False, False]


def test_the_newest_four_sign_and_no_more(
    server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any]
) -> None:
    secrets = [made["secret"], *(rotate(server, made)["secret"] for _ in range(4))]
    message = message_of(server, receiver, made)
    assert signers_of(message, *secrets) == [False, True, True, True, True]


def test_rotations_at_the_same_time_lose_no_secret(
    server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any]
) -> None:
    with ThreadPoolExecutor(3) as pool:
        rotated = list(pool.map(lambda _: rotate(server, made)["secret"], range(3)))
    message = message_of(server, receiver, made)
    assert signers_of(message, made["secret"], *rotated) == [True] * 4


def test_a_disabled_webhook_is_given_a_new_secret_too(
    server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any]
) -> None:
    path = f"/webhooks/{made['id']}"
    server.http.patch(path, json={"enabled": False})
    new = rotate(server, made)["secret"]
    shown = server.http.patch(path, json={"enabled": True, "name": "n"}).json()
    assert shown["previous_secret_expires_at"] == "2026-01-02T00:00:00Z"
    assert signers_of(message_of(server, receiver, made), new, made["secret"]) == [True, True]
