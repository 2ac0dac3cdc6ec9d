"""What is sent to webhooks: a row for each message and webhook, and who sends it now."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, or_, select, update

from service.contract.webhooks import Delivery
from service.store.webhook_tables import webhook_deliveries as deliveries

PENDING, DELIVERED, FAILED = "pending", "delivered", "failed"


@dataclass(frozen=True)
class Message:
    """What a webhook is sent of an event; the body is the same at each try."""

    webhook_id: str
    event_id: str
    type: str
    body: str


@dataclass(frozen=True)
class LeasedDelivery:
    """A message that its holder alone sends, until `leased_until`; `tries` were made before."""

    message: Message
    tries: int
    leased_until: datetime


def add_all(tx: Connection, messages: Sequence[Message], now: datetime) -> None:
    """Store messages that are to be sent now."""
    rows = [
        {
            "webhook_id": each.webhook_id,
            "event_id": each.event_id,
            "type": each.type,
            "body": each.body,
            "state": PENDING,
            "tries": 0,
            "created_at": now,
            "next_try_at": now,
        }
        for each in messages
    ]
    if rows:
        tx.execute(insert(deliveries), rows)


def webhooks_due(tx: Connection, now: datetime) -> list[str]:
    """The webhooks for which a message is due that nobody sends."""
    query = select(deliveries.c.webhook_id).where(*_due(now)).distinct()
    return list(tx.execute(query).scalars())


def lease_next(
    tx: Connection, webhook_id: str, *, until: datetime, now: datetime
) -> LeasedDelivery | None:
    """Take the message of a webhook that is due for longest; None if there is none.

    One that another server is taking is passed over.
    """
    query = select(deliveries).where(*_due(now), deliveries.c.webhook_id == webhook_id)
    query = query.order_by(deliveries.c.next_try_at, deliveries.c.event_id).limit(1)
    row = tx.execute(query.with_for_update(skip_locked=True)).mappings().first()
    if row is None:
        return None
    message = Message(webhook_id, row["event_id"], row["type"], row["body"])
    tx.execute(_one(webhook_id, message.event_id).values(leased_until=until))
    return LeasedDelivery(message, row["tries"], until)


def record(tx: Connection, leased: LeasedDelivery, values: Mapping[str, Any]) -> bool:
    """Set columns of a leased message and give it back; False if the lease ran out meanwhile."""
    message = leased.message
    statement = _one(message.webhook_id, message.event_id).where(
        deliveries.c.leased_until == leased.leased_until, deliveries.c.state == PENDING
    )
    return tx.execute(statement.values(**values, leased_until=None)).rowcount == 1


def end_leases(tx: Connection) -> None:
    """Give every message back: for the start of the only server of a database."""
    tx.execute(
        update(deliveries).where(deliveries.c.leased_until.is_not(None)).values(leased_until=None)
    )


def fail_pending(tx: Connection, webhook_id: str, error: str) -> None:
    """End the tries of all messages of a webhook."""
    pending = (deliveries.c.webhook_id == webhook_id) & (deliveries.c.state == PENDING)
    values = {"state": FAILED, "next_try_at": None, "error": error}
    tx.execute(update(deliveries).where(pending).values(**values))


def send_again(tx: Connection, webhook_id: str, event_id: str, now: datetime) -> None:
    """Have a message be sent now, as if it had not been tried."""
    values = {"state": PENDING, "tries": 0, "next_try_at": now, "leased_until": None}
    tx.execute(_one(webhook_id, event_id).values(**values))


def get(tx: Connection, webhook_id: str, event_id: str) -> Delivery | None:
    """One delivery."""
    query = select(deliveries).where(
        deliveries.c.webhook_id == webhook_id, deliveries.c.event_id == event_id
    )
    row = tx.execute(query).mappings().first()
    return _delivery(row) if row is not None else None


def newest(tx: Connection, webhook_id: str, after: str | None, limit: int) -> list[Delivery]:
    """Deliveries of a webhook, the newest first, after one of them; one above the limit if more."""
    query = select(deliveries).where(deliveries.c.webhook_id == webhook_id)
    if after is not None:
        mark = select(deliveries.c.created_at).where(
            deliveries.c.webhook_id == webhook_id, deliveries.c.event_id == after
        )
        created = mark.scalar_subquery()
        is_older = deliveries.c.created_at < created
        is_next = (deliveries.c.created_at == created) & (deliveries.c.event_id < after)
        query = query.where(or_(is_older, is_next))
    query = query.order_by(deliveries.c.created_at.desc(), deliveries.c.event_id.desc())
    return [_delivery(row) for row in tx.execute(query.limit(limit + 1)).mappings()]


def delete_ended_before(tx: Connection, moment: datetime, limit: int) -> int:
    """Delete at most `limit` ended deliveries of events before a moment; how many."""
    ended = select(deliveries.c.webhook_id, deliveries.c.event_id).where(
        deliveries.c.state != PENDING, deliveries.c.created_at < moment
    )
    return _delete(tx, ended, limit)


def delete_beyond(tx: Connection, most: int, limit: int) -> int:
    """Delete at most `limit` ended deliveries beyond the newest `most` of each webhook."""
    place = func.row_number().over(
        partition_by=deliveries.c.webhook_id,
        order_by=(deliveries.c.created_at.desc(), deliveries.c.event_id.desc()),
    )
    placed = select(
        deliveries.c.webhook_id, deliveries.c.event_id, deliveries.c.state, place.label("place")
    ).subquery()
    beyond = select(placed.c.webhook_id, placed.c.event_id).where(
        placed.c.place > most, placed.c.state != PENDING
    )
    return _delete(tx, beyond, limit)


def _delete(tx: Connection, query: Any, limit: int) -> int:
    keys = list(tx.execute(query.limit(limit)))
    for webhook_id, event_id in keys:
        tx.execute(
            delete(deliveries).where(
                deliveries.c.webhook_id == webhook_id, deliveries.c.event_id == event_id
            )
        )
    return len(keys)


def _due(now: datetime) -> tuple[Any, ...]:
    is_free = or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until < now)
    return deliveries.c.state == PENDING, deliveries.c.next_try_at <= now, is_free


def _one(webhook_id: str, event_id: str) -> Any:
    return update(deliveries).where(
        deliveries.c.webhook_id == webhook_id, deliveries.c.event_id == event_id
    )


def _delivery(row: RowMapping) -> Delivery:
    hidden = ("webhook_id", "leased_until", "body")
    shown = {name: value for name, value in row.items() if name not in hidden}
    return Delivery(**shown, body=json.loads(row["body"]))
