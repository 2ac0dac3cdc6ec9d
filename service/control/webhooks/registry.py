"""Making, changing and deleting webhooks, and their deliveries as users see them."""

import json
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.contract.nearest import unknown_name
from service.contract.webhooks import (
    EVENT_TYPES,
    MOST_WEBHOOKS,
    TEST_EVENT,
    Delivery,
    NewWebhook,
    Webhook,
    WebhookEdit,
    WebhookWithSecret,
)
from service.control.webhooks.formats import body_of
from service.domain.errors import Conflict, NotFound, Unprocessable
from service.store import audit, webhook_deliveries, webhooks
from service.store.webhook_deliveries import PENDING, Message
from service.store.webhooks import EarlierSecret, StoredWebhook, unexpired

MOST_EARLIER_SECRETS = 3
"""That sign beside the newest: a script that rotates too often makes no header without end."""


def create(
    tx: Connection, new: NewWebhook, *, webhook_id: str, secret: str, now: datetime
) -> WebhookWithSecret:
    """Make a webhook, whose URL the caller has checked; raises Conflict, Unprocessable."""
    _check_events(new.events)
    if webhooks.count(tx) >= MOST_WEBHOOKS:
        message = f"there are {MOST_WEBHOOKS} webhooks, which is the most: delete one first"
        raise Conflict("too_many_webhooks", message)
    webhooks.add(tx, webhook_id, new, secret, now)
    # Of its URL nothing: that may itself be a secret.
    audit.note(tx, "webhook.create", webhook_id, new.name or new.format)
    return WebhookWithSecret(
        **new.model_dump(), id=webhook_id, enabled=True, created_at=now, secret=secret
    )


def edit(tx: Connection, webhook_id: str, change: WebhookEdit, now: datetime) -> Webhook:
    """Change what a webhook is told and where; raises NotFound, Unprocessable."""
    before = _stored(tx, webhook_id, lock=True).webhook
    sent = change.model_dump(mode="json", exclude_unset=True)
    _check_events(sent.get("events", ()))
    if change.enabled and not before.enabled:
        sent["disabled_reason"] = None
    elif change.enabled is False and before.enabled:
        sent["disabled_reason"] = "disabled by a user"
        webhook_deliveries.fail_pending(tx, webhook_id, "the webhook was disabled")
    webhooks.change(tx, webhook_id, sent)
    audit.note(tx, "webhook.edit", webhook_id, ", ".join(sorted(change.model_fields_set)))
    return get(tx, webhook_id, now)


def rotate_secret(
    tx: Connection, webhook_id: str, *, secret: str, overlap: timedelta, now: datetime
) -> WebhookWithSecret:
    """Have a new secret sign from now on, beside the earlier ones for `overlap`; raises NotFound.

    An earlier secret that was to end sooner does so: of rotations one after the other, each secret
    that a receiver may still have goes on signing, the newest four in all.
    """
    stored = _stored(tx, webhook_id, lock=True)
    until = now + overlap
    before = (EarlierSecret(stored.secret, until), *stored.earlier)
    ending = [EarlierSecret(each.secret, min(each.expires_at, until)) for each in before]
    earlier = unexpired(ending, now)[:MOST_EARLIER_SECRETS]
    webhooks.replace_secret(tx, webhook_id, secret, earlier)
    audit.note(tx, "webhook.rotate", webhook_id, f"overlap of {overlap.total_seconds():.0f} s")
    shown = StoredWebhook(stored.webhook, secret, earlier).shown(now)
    return WebhookWithSecret(**shown.model_dump(), secret=secret)


def delete(tx: Connection, webhook_id: str) -> None:
    """Delete a webhook with its deliveries, also those that wait; raises NotFound."""
    webhook = _stored(tx, webhook_id, lock=True).webhook
    webhooks.delete_webhook(tx, webhook_id)
    audit.note(tx, "webhook.delete", webhook_id, webhook.name)


def get(tx: Connection, webhook_id: str, now: datetime) -> Webhook:
    """One webhook; raises NotFound."""
    return _stored(tx, webhook_id).shown(now)


def every(tx: Connection, now: datetime) -> list[Webhook]:
    """All webhooks, oldest first."""
    return [each.shown(now) for each in webhooks.all_of(tx)]


def send_test(
    tx: Connection, webhook_id: str, *, event_id: str, public_url: str, now: datetime
) -> Delivery:
    """Have a message be sent that says that it is a test; raises NotFound, Conflict."""
    webhook = _enabled(tx, webhook_id)
    data = {"event": {"kind": "test", "message": "a test of this webhook"}}
    body = body_of(webhook.format, TEST_EVENT, data, now, public_url)
    message = Message(webhook_id, event_id, TEST_EVENT, body)
    webhook_deliveries.add_all(tx, [message], now)
    audit.note(tx, "webhook.test", webhook_id, event_id)
    return Delivery(
        event_id=event_id,
        type=TEST_EVENT,
        state=PENDING,
        tries=0,
        created_at=now,
        next_try_at=now,
        body=json.loads(body),
    )


def deliveries(
    tx: Connection, webhook_id: str, after: str | None, limit: int
) -> tuple[list[Delivery], bool]:
    """Deliveries of a webhook, newest first, and whether there are more; raises NotFound."""
    _stored(tx, webhook_id)
    if after is not None and webhook_deliveries.get(tx, webhook_id, after) is None:
        raise Unprocessable("no_such_delivery", f"after: {after} is no delivery of it", "/after")
    found = webhook_deliveries.newest(tx, webhook_id, after, limit)
    return found[:limit], len(found) > limit


def redeliver(tx: Connection, webhook_id: str, event_id: str, now: datetime) -> Delivery:
    """Have a message be sent again, with the id that it had; raises NotFound, Conflict."""
    _enabled(tx, webhook_id)
    if webhook_deliveries.get(tx, webhook_id, event_id) is None:
        raise NotFound("no_such_delivery", f"{webhook_id} has no delivery of {event_id}")
    webhook_deliveries.send_again(tx, webhook_id, event_id, now)
    audit.note(tx, "webhook.redeliver", webhook_id, event_id)
    delivery = webhook_deliveries.get(tx, webhook_id, event_id)
    assert delivery is not None
    return delivery


def _enabled(tx: Connection, webhook_id: str) -> Webhook:
    webhook = _stored(tx, webhook_id, lock=True).webhook
    if not webhook.enabled:
        message = f"{webhook_id} is disabled ({webhook.disabled_reason}): enable it first"
        raise Conflict("webhook_disabled", message)
    return webhook


def _stored(tx: Connection, webhook_id: str, *, lock: bool = False) -> StoredWebhook:
    found = webhooks.get(tx, webhook_id, lock=lock)
    if found is None:
        raise NotFound("no_such_webhook", f"there is no webhook {webhook_id}")
    return found


def _check_events(events: Collection[str]) -> None:
    for number, event in enumerate(events):
        if event not in EVENT_TYPES:
            detail = unknown_name("event", event, EVENT_TYPES)
            raise Unprocessable("unknown_event", f"events: {detail}", f"/events/{number}")
