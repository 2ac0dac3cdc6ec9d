"""Webhooks in the database, and whether they are enabled."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from service.contract.webhooks import NewWebhook, Webhook
from service.store.webhook_tables import webhook_deliveries as deliveries
from service.store.webhook_tables import webhooks


@dataclass(frozen=True)
class StoredWebhook:
    """A webhook as its users see it, and the secret that signs."""

    webhook: Webhook
    secret: str


def add(tx: Connection, webhook_id: str, new: NewWebhook, secret: str, now: datetime) -> None:
    """Store a new webhook."""
    columns = new.model_dump(mode="json")
    more = {"secret": secret, "enabled": True, "created_at": now}
    tx.execute(insert(webhooks).values(id=webhook_id, **columns, **more))


def get(tx: Connection, webhook_id: str, *, lock: bool = False) -> StoredWebhook | None:
    """One webhook; `lock` locks its row until this transaction ends."""
    query = select(webhooks).where(webhooks.c.id == webhook_id)
    row = tx.execute(query.with_for_update() if lock else query).mappings().first()
    return _stored(row) if row is not None else None


def all_of(tx: Connection) -> list[StoredWebhook]:
    """Every webhook, oldest first."""
    rows = tx.execute(select(webhooks).order_by(webhooks.c.id)).mappings()
    return [_stored(row) for row in rows]


def count(tx: Connection) -> int:
    """How many there are."""
    return int(tx.execute(select(func.count()).select_from(webhooks)).scalar_one())


def change(tx: Connection, webhook_id: str, values: Mapping[str, Any]) -> None:
    """Set columns of a webhook."""
    if values:
        tx.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(**values))


def delete_webhook(tx: Connection, webhook_id: str) -> None:
    """Delete a webhook and its deliveries."""
    tx.execute(delete(deliveries).where(deliveries.c.webhook_id == webhook_id))
    tx.execute(delete(webhooks).where(webhooks.c.id == webhook_id))


def _stored(row: RowMapping) -> StoredWebhook:
    shown = {name: value for name, value in row.items() if name != "secret"}
    return StoredWebhook(Webhook.model_validate(shown), row["secret"])
