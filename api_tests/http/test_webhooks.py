"""Webhooks from the call that makes one to the signed message."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from api_tests.support.server import Server, wait_for
from api_tests.support.webhook_calls import LOCAL, deliveries, ended, hook
from api_tests.support.webhook_receiver import WebhookReceiver

PUBLIC = {"public_url": "https://train.example.org/yard"}


@pytest.fixture(scope="module")
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may send to this machine, and whose backoff is short."""
    server = Server(tmp_path_factory.mktemp("hooked"), **LOCAL, **PUBLIC)
    yield server
    server.stop()


@pytest.fixture
def worker(hooked: Server) -> Iterator[FakeAgent]:
    with FakeAgent(hooked) as worker:
        yield worker


def test_the_states_and_checkpoints_of_a_job_are_sent_and_signed(
    hooked: Server, worker: FakeAgent, receiver: WebhookReceiver
) -> None:
    made = hook(hooked, receiver, labels={"agent": worker.id})
    job = worker.submit(labels={"agent": worker.id}, name="a run")
    claim = worker.claim()
    checkpoint = worker.save(claim, 10)
    worker.report(claim)
    ended(hooked, made, 4)
    told = {each.json["type"]: each.json["data"] for each in receiver.received}
    expected = {"job.queued", "job.running", "checkpoint.published", "job.succeeded"}
    assert set(told) == expected
    assert len(receiver.received) == 4
    assert told["checkpoint.published"]["checkpoint"]["id"] == checkpoint
    end = told["job.succeeded"]
    assert (end["job"]["id"], end["job"]["name"]) == (job["id"], "a run")
    assert end["job"]["state"] == "succeeded"
    assert end["link"] == f"https://train.example.org/yard/#/jobs/{job['id']}"
    for each in receiver.received:
        Verifier(made["secret"]).verify(each.body, each.headers)
        with pytest.raises(WebhookVerificationError):
            Verifier(made["secret"]).verify(each.body + " ", each.headers)
    hooked.http.delete(f"/webhooks/{made['id']}")


def test_a_webhook_is_told_what_its_filters_let_through(
    hooked: Server, worker: FakeAgent, receiver: WebhookReceiver
) -> None:
    labels = {"agent": worker.id, "team": "vision"}
    wanted = {"events": ["job.cancelled"], "labels": labels, "recipe": "oneshot"}
    made = hook(hooked, receiver, **wanted)
    others = [worker.submit(labels={"agent": worker.id}), worker.submit(labels=labels)]
    for job in reversed(others):
        hooked.http.post(f"/jobs/{job['id']}/cancel", json={})
    [delivery] = ended(hooked, made)
    assert delivery["body"]["data"]["job"]["id"] == others[1]["id"]
    assert (delivery["type"], delivery["status"]) == ("job.cancelled", 200)
    hooked.http.delete(f"/webhooks/{made['id']}")


def test_a_test_call_says_what_the_receiver_answers(
    hooked: Server, receiver: WebhookReceiver
) -> None:
    made = hook(hooked, receiver, events=["job.failed"])
    asked = hooked.http.post(f"/webhooks/{made['id']}/test")
    assert asked.status_code == 202
    [delivery] = ended(hooked, made)
    assert delivery["event_id"] == asked.json()["event_id"]
    assert (delivery["state"], delivery["answer"]) == ("delivered", "an answer")
    assert receiver.types() == ["webhook.test"]
    again = hooked.http.post(f"/webhooks/{made['id']}/deliveries/{delivery['event_id']}/redeliver")
    assert again.status_code == 202
    wait_for(lambda: len(receiver.received) == 2, "the second message")
    assert {each.event_id for each in receiver.received} == {delivery["event_id"]}
    hooked.http.delete(f"/webhooks/{made['id']}")


def test_the_secret_is_shown_once_and_is_in_no_log(
    hooked: Server, receiver: WebhookReceiver
) -> None:
    made = hook(hooked, receiver)
    secret = made["secret"]
    assert secret.startswith("whsec_")
    path = f"/webhooks/{made['id']}"
    hooked.http.post(f"{path}/test")
    ended(hooked, made)
    new = hooked.http.post(f"{path}/rotate-secret").json()["secret"]
    hooked.http.post(f"{path}/test")
    ended(hooked, made, 2)
    shown = [hooked.http.get(each).text for each in ("/webhooks", path, f"{path}/deliveries")]
    shown += [hooked.http.patch(path, json={"name": "n"}).text]
    shown += [(hooked.folder / "server.log").read_text()]
    for each in (secret, new):
        assert not [text for text in shown if each.removeprefix("whsec_") in text]
    hooked.http.delete(path)


@pytest.mark.parametrize("status", [500, 429, 302], ids=str)
def test_a_message_that_is_not_taken_is_sent_again_with_the_same_id(
    hooked: Server, receiver: WebhookReceiver, status: int
) -> None:
    receiver.answer(status, Location="http://169.254.169.254/")
    made = hook(hooked, receiver)
    hooked.http.post(f"/webhooks/{made['id']}/test")
    wait_for(lambda: len(receiver.received) >= 2, "a second try")
    [waiting] = deliveries(hooked, made)
    assert (waiting["state"], waiting["status"]) == ("pending", status)
    if status == 302:
        assert "redirect" in waiting["error"]
    receiver.answer(204)
    [delivery] = ended(hooked, made)
    assert delivery["tries"] == len(receiver.received)
    assert len({each.event_id for each in receiver.received}) == 1
    assert len({each.body for each in receiver.received}) == 1
    hooked.http.delete(f"/webhooks/{made['id']}")


def test_a_receiver_that_is_gone_disables_its_webhook(
    hooked: Server, receiver: WebhookReceiver
) -> None:
    receiver.answer(410)
    made = hook(hooked, receiver)
    path = f"/webhooks/{made['id']}"
    hooked.http.post(f"{path}/test")
    [delivery] = ended(hooked, made)
    assert (delivery["state"], delivery["tries"]) == ("failed", 1)
    shown = hooked.http.get(path).json()
    assert not shown["enabled"]
    assert "410" in shown["disabled_reason"]
    refused = problem_of(hooked.http.post(f"{path}/test"), 409, "webhook_disabled")
    assert "enable it" in refused["detail"]
    receiver.answer(200)
    enabled = hooked.http.patch(path, json={"enabled": True}).json()
    assert enabled["enabled"]
    assert "disabled_reason" not in {k for k, v in enabled.items() if v is not None}
    hooked.http.post(f"{path}/test")
    wait_for(lambda: len(receiver.received) == 2, "a message after it was enabled")
    hooked.http.delete(path)


def test_a_receiver_that_hangs_holds_up_no_other(
    hooked: Server, receiver: WebhookReceiver, tmp_path: Path
) -> None:
    receiver.answer(200, hang_seconds=60)
    slow = hook(hooked, receiver)
    quick_one = WebhookReceiver(tmp_path / "quick")
    quick = hook(hooked, quick_one)
    hooked.http.post(f"/webhooks/{slow['id']}/test")
    wait_for(lambda: len(receiver.received) == 1, "the message that hangs")
    for _ in range(3):
        hooked.http.post(f"/webhooks/{quick['id']}/test")
    found = ended(hooked, quick, 3)
    assert [each["state"] for each in found] == ["delivered"] * 3
    assert deliveries(hooked, slow)[0]["state"] == "pending"
    for made in (slow, quick):
        assert hooked.http.delete(f"/webhooks/{made['id']}").status_code == 204
    quick_one.kill()


def test_deliveries_are_paged_newest_first(hooked: Server, receiver: WebhookReceiver) -> None:
    made = hook(hooked, receiver)
    path = f"/webhooks/{made['id']}"
    sent = [hooked.http.post(f"{path}/test").json()["event_id"] for _ in range(5)]
    ended(hooked, made, 5)
    found, after = [], {}
    while True:
        page = hooked.http.get(f"{path}/deliveries", params={"limit": 2, **after}).json()
        found += [each["event_id"] for each in page["data"]]
        if not page["has_more"]:
            break
        after = {"after": page["next"]}
    assert found == sent[::-1]
    unknown = hooked.http.get(f"{path}/deliveries", params={"after": "evt_none"})
    problem_of(unknown, 422, "no_such_delivery")
    hooked.http.delete(path)


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ({"url": "http://example.org/x"}, "invalid_url", "TRAINYARD_WEBHOOK_HTTP"),
        ({"url": "https://127.0.0.1/x"}, "invalid_url", "TRAINYARD_WEBHOOK_NETWORKS"),
        ({"url": "ftp://example.org"}, "invalid_url", "such as https://"),
        ({"url": "https://u:p@example.org"}, "invalid_url", "no user and password"),
        ({"url": "https://no-such-host.invalid"}, "invalid_url", "cannot be resolved"),
        ({"url": "https://[::1"}, "invalid_url", "no URL"),
        ({"url": "https://127.0.0.1", "events": ["job.done"]}, "invalid_url", "127.0.0.1"),
        ({"url": ""}, "invalid", "url"),
        ({}, "invalid", "url"),
        ({"url": "https://127.0.0.1", "formats": "slack"}, "invalid", "did you mean format?"),
    ],
)
def test_a_webhook_that_cannot_be_meant_is_refused(
    http: httpx.Client, body: dict[str, Any], code: str, says: str
) -> None:
    problem = problem_of(http.post("/webhooks", json=body), 422, code)
    assert says in problem["detail"]


def test_an_event_that_there_is_not_is_refused_by_name(
    hooked: Server, receiver: WebhookReceiver
) -> None:
    body = {"url": receiver.url, "events": ["job.succeded"]}
    problem = problem_of(hooked.http.post("/webhooks", json=body), 422, "unknown_event")
    assert "did you mean job.succeeded?" in problem["detail"]
    assert problem["errors"][0]["pointer"] == "/events/0"
    assert problem_of(hooked.http.get("/webhooks/whk_none"), 404, "no_such_webhook")
