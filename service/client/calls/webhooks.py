"""The calls for webhooks, and for what was sent to them."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.client.calls.responses import listed, paginate, path_segment, requested
from service.client.flow import Flow, ItemFlow, send
from service.client.pages import ItemList
from service.contract.webhooks import Delivery, Webhook, WebhookFormat, WebhookWithSecret


def webhooks() -> Flow[ItemList[Webhook]]:
    """All webhooks, without their secrets, oldest first."""
    return listed(Webhook, "/webhooks")


def webhook(webhook_id: str) -> Flow[Webhook]:
    """One webhook, without its secret."""
    return requested(Webhook, "GET", _path(webhook_id))


def create_webhook(
    url: str,
    *,
    name: str | None = None,
    format: WebhookFormat = "standard",
    events: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    recipe: str | None = None,
) -> Flow[WebhookWithSecret]:
    """Have a receiver be told of events from now on; without `events`, of all.

    `labels` and `recipe` narrow those of jobs. The secret is in the answer, and nowhere else.
    """
    body = {
        "url": url,
        "name": name,
        "format": format,
        "events": list(events),
        "labels": dict(labels or {}),
        "recipe": recipe,
    }
    # Not sent again: a second one would send every message twice.
    return requested(WebhookWithSecret, "POST", "/webhooks", body=body, repeats=False)


def change_webhook(webhook_id: str, change: Mapping[str, Any]) -> Flow[Webhook]:
    """Change the fields of a webhook that `change` has: url, name, events, labels, recipe, enabled.

    `enabled` true begins again with what happens from now on.
    """
    return requested(Webhook, "PATCH", _path(webhook_id), body=dict(change))


def rotate_webhook_secret(
    webhook_id: str, *, overlap_seconds: int | None = None
) -> Flow[WebhookWithSecret]:
    """Make a new secret, which is in the answer and nowhere else, and signs from now on.

    Those before it go on signing beside it for `overlap_seconds`: a day, 7 days at most, 0 to end
    them at once. Where the answer was lost, rotate again: that ends none of them earlier.
    """
    body = {} if overlap_seconds is None else {"overlap_seconds": overlap_seconds}
    # Not sent again: the secret of the first answer would be an earlier one then.
    path = f"{_path(webhook_id)}/rotate-secret"
    return requested(WebhookWithSecret, "POST", path, body=body, repeats=False)


def delete_webhook(webhook_id: str) -> Flow[None]:
    """Delete a webhook with its deliveries; what waits is not sent any more."""
    yield from send("DELETE", _path(webhook_id))


def send_test_webhook(webhook_id: str) -> Flow[Delivery]:
    """Send the webhook a message of the type `webhook.test`; `deliveries` tells what came of it."""
    return requested(Delivery, "POST", f"{_path(webhook_id)}/test", repeats=False)


def deliveries(webhook_id: str) -> ItemFlow[Delivery]:
    """What was sent to the webhook and what waits, newest first."""
    return paginate(Delivery, f"{_path(webhook_id)}/deliveries", {})


def redeliver(webhook_id: str, event_id: str) -> Flow[Delivery]:
    """Send a message again, with the same id, whatever came of it before."""
    path = f"{_path(webhook_id)}/deliveries/{path_segment(event_id)}/redeliver"
    return requested(Delivery, "POST", path, repeats=False)


def _path(webhook_id: str) -> str:
    return f"/webhooks/{path_segment(webhook_id)}"
