"""A webhook whose secret is rotated: its server, its receiver, and by what a message is signed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.server import DEADLINE_SECONDS, wait_for
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from api_tests.support.webhook_receiver import Received, WebhookReceiver
from service.background.webhook_dispatcher import WebhookDispatcher
from service.context import AppContext
from service.control.webhooks.sender import Sender
from service.settings import Settings
from service.store.engine import Database


@pytest.fixture
def clock() -> Clock:
    """The time of the server, which the test turns on."""
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


def rotate(server: ThreadedServer, made: dict[str, Any], **body: Any) -> dict[str, Any]:
    """The webhook with a new secret."""
    answer = server.http.post(f"/webhooks/{made['id']}/rotate-secret", json=body)
    assert answer.status_code == 200, answer.text
    rotated: dict[str, Any] = answer.json()
    assert rotated["secret"].startswith("whsec_")
    return rotated


def message_of(server: ThreadedServer, receiver: WebhookReceiver, made: dict[str, Any]) -> Received:
    """What the receiver gets of a test call."""
    event = server.http.post(f"/webhooks/{made['id']}/test").json()["event_id"]
    wait_for_tries(server, made, event, 1)
    return next(each for each in receiver.received if each.event_id == event)


def wait_for_tries(server: ThreadedServer, made: dict[str, Any], event_id: str, tries: int) -> None:
    """Wait until a message was sent so often, and the server has stored what came of it.

    Only then may the clock be turned on: the next try is counted from the time of the last.
    """
    path = f"/webhooks/{made['id']}/deliveries"

    def has_tried() -> bool:
        return any(
            each["event_id"] == event_id and each["tries"] >= tries
            for each in server.http.get(path).json()["data"]
        )

    wait_for(has_tried, f"{tries} tries")


def signers_of(message: Received, *secrets: str) -> list[bool]:
    """Which of the secrets have signed it."""
    return [message.is_signed_by(secret) for secret in secrets]
