"""The tries of one message: leased, sent outside of any transaction, recorded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from service.control.webhooks.sender import POST_SECONDS, Answer, NotSent, Sender
from service.control.webhooks.signature import signed_headers
from service.domain.webhooks import wait_seconds
from service.store import webhook_deliveries, webhooks
from service.store.measurements import measure
from service.store.webhook_deliveries import DELIVERED, FAILED, LeasedDelivery
from service.store.webhooks import StoredWebhook

LEASE = timedelta(seconds=4 * POST_SECONDS)
"""How long a message waits whose server was killed while it sent it."""
_GONE = 410
_log = structlog.get_logger()


@dataclass(frozen=True)
class Outcome:
    """What came of a try: an answer, or why there is none."""

    answer: Answer | None
    error: str | None

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has taken the message."""
        return self.answer is not None and 200 <= self.answer.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants no messages any more."""
        return self.answer is not None and self.answer.status == _GONE


def lease(
    tx: Connection, webhook_id: str, now: datetime
) -> tuple[StoredWebhook, LeasedDelivery] | None:
    """Take the next message of a webhook; None if none is due."""
    stored = webhooks.get(tx, webhook_id)
    if stored is None or not stored.webhook.enabled:
        return None
    leased = webhook_deliveries.lease_next(tx, webhook_id, until=now + LEASE, now=now)
    return (stored, leased) if leased is not None else None


def send(sender: Sender, stored: StoredWebhook, leased: LeasedDelivery, now: datetime) -> Outcome:
    """Send a leased message once, signed by the secrets that are valid now."""
    message = leased.message
    body = message.body.encode()
    headers = signed_headers(stored.signing_secrets(now), message.event_id, body, now)
    try:
        answer = sender.post(stored.webhook.url, headers, body)
    except NotSent as error:
        return Outcome(None, str(error))
    if 300 <= answer.status < 400:
        return Outcome(answer, f"it redirects ({answer.status}), which is not followed")
    return Outcome(answer, None)


def record(
    tx: Connection,
    leased: LeasedDelivery,
    outcome: Outcome,
    *,
    first_seconds: float,
    draw: float,
    now: datetime,
) -> None:
    """Note the outcome, and when the next try comes; a receiver that is gone disables its webhook.

    Nothing is noted of a message whose lease ran out: another server has it.
    """
    message, tries = leased.message, leased.tries + 1
    answer = outcome.answer
    values: dict[str, Any] = {
        "tries": tries,
        "last_try_at": now,
        "status": answer.status if answer is not None else None,
        "answer": answer.text if answer is not None else None,
        "error": outcome.error,
    }
    if outcome.is_delivered:
        webhook_deliveries.record(tx, leased, values | {"state": DELIVERED, "next_try_at": None})
        measure(tx, "webhook_tries", 1, "delivered")
        return
    retry_after = answer.retry_after_seconds if answer is not None else None
    wait = wait_seconds(
        tries, first_seconds=first_seconds, draw=draw, retry_after_seconds=retry_after
    )
    if outcome.is_gone or wait is None:
        # In the order of every caller: the webhook, then its deliveries.
        webhooks.get(tx, message.webhook_id, lock=True)
        webhook_deliveries.record(tx, leased, values | {"state": FAILED, "next_try_at": None})
        measure(tx, "webhook_tries", 1, "given_up")
        ids = {"webhook_id": message.webhook_id, "event_id": message.event_id}
        _log.warning("webhook_given_up", **ids, tries=tries, status=values["status"])
        if outcome.is_gone:
            _disable(tx, message.webhook_id)
        return
    again = {"next_try_at": now + timedelta(seconds=wait)}
    webhook_deliveries.record(tx, leased, values | again)
    measure(tx, "webhook_tries", 1, "failed")


def _disable(tx: Connection, webhook_id: str) -> None:
    reason = "the receiver answered 410, by which it wants no messages any more"
    webhooks.change(tx, webhook_id, {"enabled": False, "disabled_reason": reason})
    webhook_deliveries.fail_pending(tx, webhook_id, reason)
    _log.warning("webhook_disabled", webhook_id=webhook_id)
