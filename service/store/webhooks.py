"""Webhooks in the database: whether they are enabled, and the secrets that sign."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from service.contract.webhooks import NewWebhook, Webhook
from service.store.webhook_tables import webhook_deliveries as deliveries
from service.store.webhook_tables import webhooks


@dataclass(frozen=True)
class EarlierSecret:
    """A secret that a rotation has replaced: it signs beside the new one until it ends."""

    secret: str
    expires_at: datetime


_EARLIER = TypeAdapter(tuple[EarlierSecret, ...])


@dataclass(frozen=True)
class StoredWebhook:
    """A webhook, the secret that signs, and those before it, the newest first."""

    webhook: Webhook
    secret: str
    earlier: tuple[EarlierSecret, ...] = ()

    def signing_secrets(self, now: datetime) -> tuple[str, ...]:
        """The secrets that sign a message which is sent now, the newest first."""
        return (self.secret, *(each.secret for each in unexpired(self.earlier, now)))

    def shown(self, now: datetime) -> Webhook:
        """The webhook as its users see it: until when an earlier secret signs, if one does."""
        ends = (each.expires_at for each in unexpired(self.earlier, now))
        return self.webhook.model_copy(
            update={"previous_secret_expires_at": max(ends, default=None)}
        )


def unexpired(earlier: Sequence[EarlierSecret], now: datetime) -> tuple[EarlierSecret, ...]:
    """Those that have not ended."""
    return tuple(each for each in earlier if now < each.expires_at)


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


def replace_secret(
    tx: Connection, webhook_id: str, secret: str, earlier: Sequence[EarlierSecret]
) -> None:
    """Have a new secret sign, and beside it those of `earlier`, the newest first."""
    change(tx, webhook_id, {"secret": secret, "earlier_secrets": _column(earlier)})


def delete_expired_secrets(tx: Connection, now: datetime) -> int:
    """Delete the secrets that have ended; of how many webhooks."""
    query = select(webhooks).where(webhooks.c.earlier_secrets.is_not(None)).order_by(webhooks.c.id)
    changed = 0
    for stored in map(_stored, tx.execute(query.with_for_update()).mappings()):
        kept = unexpired(stored.earlier, now)
        if len(kept) < len(stored.earlier):
            change(tx, stored.webhook.id, {"earlier_secrets": _column(kept)})
            changed += 1
    return changed


def delete_webhook(tx: Connection, webhook_id: str) -> None:
    """Delete a webhook and its deliveries."""
    tx.execute(delete(deliveries).where(deliveries.c.webhook_id == webhook_id))
    tx.execute(delete(webhooks).where(webhooks.c.id == webhook_id))


def _stored(row: RowMapping) -> StoredWebhook:
    hidden = ("secret", "earlier_secrets")
    shown = {name: value for name, value in row.items() if name not in hidden}
    earlier = _EARLIER.validate_python(row["earlier_secrets"] or ())
    return StoredWebhook(Webhook.model_validate(shown), row["secret"], earlier)


def _column(earlier: Sequence[EarlierSecret]) -> Any:
    return _EARLIER.dump_python(tuple(earlier), mode="json") or None
