"""Calls of a server about its webhooks."""

from typing import Any

from api_tests.support.server import Server, wait_for
from api_tests.support.webhook_receiver import WebhookReceiver

LOCAL = {"webhook_networks": "127.0.0.0/8", "webhook_http": "true", "webhook_retry_seconds": "0.05"}


def hook(server: Server, receiver: WebhookReceiver, **fields: Any) -> dict[str, Any]:
    answer = server.http.post("/webhooks", json={"url": receiver.url, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def deliveries(server: Server, made: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.http.get(f"/webhooks/{made['id']}/deliveries").json()[
        "data"
    ]
    return found


def ended(server: Server, made: dict[str, Any], count: int = 1) -> list[dict[str, Any]]:
    """The deliveries, once there are so many and none waits."""

    def is_done() -> bool:
        found = deliveries(server, made)
        return len(found) >= count and all(each["state"] != "pending" for each in found)

    wait_for(is_done, "the deliveries")
    return deliveries(server, made)
