"""`trainyard webhooks`, against a real server and a real receiver."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook as Verifier
from typer.testing import CliRunner, Result

from api_tests.support.server import Server
from api_tests.support.webhook_calls import LOCAL
from api_tests.support.webhook_receiver import WebhookReceiver
from service.cli import app

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("hooked"), **LOCAL)
    yield server
    server.stop()


@pytest.fixture
def webhooks(hooked: Server) -> Run:
    def invoked(*args: str) -> Result:
        runner = CliRunner(env={"TRAINYARD_SERVER": hooked.url})
        return runner.invoke(app, ["webhooks", *args])

    return invoked


def test_a_webhook_is_made_tested_changed_and_deleted_by_its_name(
    webhooks: Run, receiver: WebhookReceiver
) -> None:
    made = webhooks("create", receiver.url, "-n", "chat", "-e", "job.failed", "-l", "team=vision")
    assert made.exit_code == 0, made.output
    secret = made.stdout.strip()
    tested = webhooks("test", "chat")
    assert "the receiver answered 200" in tested.stdout, tested.output
    message = receiver.received[0]
    Verifier(secret).verify(message.body, message.headers)
    sent = webhooks("deliveries", "chat").stdout
    assert message.event_id in sent
    assert "delivered" in sent
    again = webhooks("redeliver", "chat", message.event_id)
    assert again.exit_code == 0, again.output
    assert [each.event_id for each in receiver.received] == [message.event_id] * 2
    listed = webhooks("list").stdout
    assert "job.failed" in listed
    assert "team=vision" in listed
    assert secret not in listed
    changed = webhooks("update", "chat", "--disable", "--all-events")
    assert "disabled by a user" in changed.stdout, changed.output
    assert "team=vision" not in webhooks("show", "chat").stdout
    assert webhooks("delete", "chat").exit_code == 0
    gone = webhooks("show", "chat")
    assert (gone.exit_code, "by its id, the beginning of its id, its name" in gone.stderr) == (
        *(4, True),
    )


def test_a_new_secret_is_printed_once_and_the_old_one_signs_for_as_long_as_is_said(
    webhooks: Run, receiver: WebhookReceiver
) -> None:
    old = webhooks("create", receiver.url, "-n", "rotated").stdout.strip()
    rotated = webhooks("rotate-secret", "rotated", "--overlap", "12h")
    assert rotated.exit_code == 0, rotated.output
    new = rotated.stdout.strip()
    assert new.startswith("whsec_")
    assert new != old
    assert "signed by the old one, too, until 20" in rotated.stderr
    shown = webhooks("show", "rotated").stdout
    assert "signs, too, until 20" in shown
    assert new not in shown
    webhooks("test", "rotated")
    for secret in (old, new):
        Verifier(secret).verify(receiver.received[-1].body, receiver.received[-1].headers)
    alone = webhooks("rotate-secret", "rotated", "--overlap", "0")
    assert "signed by it alone" in alone.stderr, alone.output
    assert "signs, too" not in webhooks("show", "rotated").stdout
    webhooks("test", "rotated")
    assert receiver.received[-1].is_signed_by(alone.stdout.strip())
    assert not receiver.received[-1].is_signed_by(new)
    made = json.loads(webhooks("rotate-secret", "rotated", "--json").stdout)
    assert made["secret"].startswith("whsec_")
    until = datetime.fromisoformat(made["previous_secret_expires_at"])
    assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(days=1)
    too_long = webhooks("rotate-secret", "rotated", "--overlap", "8d")
    assert (too_long.exit_code, "604800" in too_long.stderr) == (3, True), too_long.output
    webhooks("delete", "rotated")


def test_a_test_that_the_receiver_refuses_ends_with_1_and_its_answer(
    webhooks: Run, receiver: WebhookReceiver
) -> None:
    receiver.answer(418)
    webhook_id = webhooks("create", receiver.url, "--json").stdout.split('"id": "')[1][:30]
    tested = webhooks("test", webhook_id)
    assert tested.exit_code == 1, tested.output
    assert "418" in tested.stderr
    assert "the next try is at" in tested.stderr
    again = webhooks("test", webhook_id, "--json")
    delivery = json.loads(again.stdout)
    assert (again.exit_code, delivery["object"], delivery["status"]) == (1, "delivery", 418)
    assert f"{delivery['event_id']} is not delivered" in again.stderr


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (["create", "https://example.org", "--format", "irc"], 2, "standard, slack, teams"),
        (["create", "https://8.8.8.8/", "-e", "job.faild"], 3, "job.failed"),
        (["create", "https://10.0.0.1/"], 3, "10.0.0.1"),
        (["update", "x"], 2, "say what to change"),
        (["update", "x", "--all-events", "-e", "job.failed"], 2, "without --event"),
        (["rotate-secret", "x", "--overlap", "soon"], 2, "--overlap 'soon' is no time"),
        (["rotate-secret", "nobody"], 4, "no webhook 'nobody'"),
        (["deliveries", "nobody"], 4, "no webhook 'nobody'"),
    ],
)
def test_what_is_no_webhook_is_refused_by_what_to_change(
    webhooks: Run, args: list[str], code: int, sentence: str
) -> None:
    result = webhooks(*args)
    assert (result.exit_code, sentence in result.stderr) == (code, True), result.output
