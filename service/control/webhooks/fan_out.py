"""What happened becomes one message for each webhook that is told of it."""

from datetime import datetime

from sqlalchemy import Connection

from service.control.webhooks.formats import body_of
from service.domain.webhooks import is_told
from service.store import webhook_deliveries, webhook_outbox, webhooks
from service.store.webhook_deliveries import Message


def fan_out(tx: Connection, *, limit: int, public_url: str, now: datetime) -> int:
    """Move the oldest events of the outbox into deliveries, in one transaction; how many events."""
    rows = webhook_outbox.take(tx, limit)
    if not rows:
        return 0
    present = [each.webhook for each in webhooks.all_of(tx)]
    messages = [
        Message(
            webhook.id,
            row.event_id,
            row.type,
            body_of(webhook.format, row.type, row.data, row.created_at, public_url),
        )
        for row in rows
        for webhook in present
        if is_told(webhook, row.type, row.data)
    ]
    webhook_deliveries.add_all(tx, messages, now)
    return len(rows)
