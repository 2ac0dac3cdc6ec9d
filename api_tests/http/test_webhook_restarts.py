"""Messages to webhooks outlive servers and receivers, and two servers send none twice."""

import signal
from collections import Counter
from pathlib import Path

from standardwebhooks import Webhook as Verifier

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.postgres import Postgres
from api_tests.support.server import Server, two_servers, wait_for
from api_tests.support.webhook_calls import LOCAL, deliveries, ended, hook
from api_tests.support.webhook_receiver import WebhookReceiver


def test_what_was_committed_before_a_kill_is_sent_after_the_start(
    tmp_path: Path, receiver: WebhookReceiver
) -> None:
    server = Server(tmp_path, **LOCAL)
    made = hook(server, receiver)
    agent = FakeAgent(server)
    receiver.kill()
    jobs = [agent.submit()["id"] for _ in range(3)]
    server.stop(signal.SIGKILL)
    receiver.start()
    assert receiver.received == []
    server.start()
    ended(server, made, 3)
    told = [each.json["data"]["job"]["id"] for each in receiver.received]
    assert sorted(told) == sorted(jobs)
    agent.http.close()
    server.stop()


def test_a_message_whose_answer_was_lost_comes_again_with_its_id_and_no_other_does(
    tmp_path: Path, receiver: WebhookReceiver
) -> None:
    server = Server(tmp_path, **LOCAL)
    made = hook(server, receiver)
    path = f"/webhooks/{made['id']}/test"
    before = server.http.post(path).json()["event_id"]
    ended(server, made)
    receiver.answer(200, hang_seconds=60)
    lost = server.http.post(path).json()["event_id"]
    wait_for(lambda: len(receiver.received) == 2, "the message whose answer is lost")
    server.stop(signal.SIGKILL)
    receiver.answer(200)
    server.start()
    found = {each["event_id"]: each["state"] for each in ended(server, made, 2)}
    assert found == {before: "delivered", lost: "delivered"}
    assert Counter(each.event_id for each in receiver.received) == {before: 1, lost: 2}
    server.stop()


def test_what_waits_while_a_server_is_killed_is_then_signed_by_both_secrets_of_a_rotation(
    tmp_path: Path, receiver: WebhookReceiver
) -> None:
    server = Server(tmp_path, **LOCAL)
    made = hook(server, receiver)
    path = f"/webhooks/{made['id']}"
    receiver.kill()
    server.http.post(f"{path}/test")
    rotated = server.http.post(f"{path}/rotate-secret").json()
    server.stop(signal.SIGKILL)
    receiver.start()
    server.start()
    shown = server.http.get(path).json()
    assert shown["previous_secret_expires_at"] == rotated["previous_secret_expires_at"]
    ended(server, made)
    (message,) = receiver.received
    for secret in (made["secret"], rotated["secret"]):
        Verifier(secret).verify(message.body, message.headers)
    server.stop()


def test_two_servers_over_one_database_send_each_message_once(
    postgres: Postgres, tmp_path: Path, receiver: WebhookReceiver
) -> None:
    with two_servers(tmp_path, postgres.make(), **LOCAL) as servers:
        made = hook(servers[0], receiver)
        agent = FakeAgent(servers[0])
        jobs = [
            servers[number % 2].http.post("/jobs", json=agent.spec()).json()["id"]
            for number in range(20)
        ]
        servers[1].http.post(f"/webhooks/{made['id']}/test")
        wait_for(lambda: len(deliveries(servers[0], made)) == 20, "a page of deliveries")
        wait_for(lambda: len(receiver.received) >= 21, "the messages")
        ended(servers[0], made, 20)
        agent.http.close()
    assert set(Counter(each.event_id for each in receiver.received).values()) == {1}
    told = [each.json["data"]["job"]["id"] for each in receiver.received if "job" in each.body]
    assert sorted(told) == sorted(jobs)
