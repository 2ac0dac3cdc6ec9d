"""The loop that sends webhooks, and a thread for each receiver that is being sent to."""

import threading
import time
from collections.abc import Sequence

import structlog

from service.context import WEBHOOKS, AppContext
from service.contract.loop import Loop
from service.control.webhooks import deliveries
from service.control.webhooks.fan_out import fan_out
from service.control.webhooks.sender import Sender
from service.store import webhook_deliveries, webhook_outbox
from service.store.measurements import Measurement
from service.store.outages import DATABASE_OUTAGES
from service.store.webhook_outbox import OUTBOX_METRIC

_EVERY_SECONDS = 1.0
_BATCH_EVENTS = 100
_log = structlog.get_logger()


class WebhookDispatcher:
    """Moves events into deliveries and starts a thread for each webhook that has some due.

    A receiver that hangs holds up its own thread alone, for 15 seconds a message; there are as
    many threads as webhooks at most. Of servers over one database each sends what no other holds.
    """

    def __init__(self, context: AppContext, sender: Sender) -> None:
        self._context, self._sender = context, sender
        self._lock, self._senders = threading.Lock(), dict[str, threading.Thread]()
        self.loop = Loop(WEBHOOKS, _EVERY_SECONDS, self._turn, log=_log, outages=DATABASE_OUTAGES)
        context.database.add_observer(self._hasten)

    def recover(self) -> None:
        """Before the start: what a server was sending that was killed is sent again.

        With PostgreSQL another server may be sending it: there the lease has to run out.
        """
        if self._context.database.is_sqlite:
            with self._context.database.write() as tx:
                webhook_deliveries.end_leases(tx)

    def join(self, timeout_seconds: float) -> None:
        """Wait for the messages under way, all together for so long."""
        deadline = time.monotonic() + timeout_seconds
        with self._lock:
            senders = list(self._senders.values())
        for sender in senders:
            sender.join(max(deadline - time.monotonic(), 0.0))

    def _hasten(self, measurements: Sequence[Measurement]) -> None:
        if any(each.metric == OUTBOX_METRIC for each in measurements):
            self.loop.hasten()

    def _turn(self) -> float | None:
        context = self._context
        with context.database.read() as tx:
            is_empty = webhook_outbox.is_empty(tx)
        moved = 0
        if not is_empty:
            with context.database.write() as tx:
                moved = fan_out(
                    tx,
                    limit=_BATCH_EVENTS,
                    public_url=context.settings.public_url,
                    now=context.now(),
                )
        with context.database.read() as tx:
            due = webhook_deliveries.webhooks_due(tx, context.now())
        for webhook_id in due:
            self._start(webhook_id)
        return 0.0 if moved == _BATCH_EVENTS else None

    def _start(self, webhook_id: str) -> None:
        with self._lock:
            if webhook_id in self._senders or self.loop.is_stopped():
                return
            name = f"webhook {webhook_id}"
            thread = threading.Thread(target=self._send, args=(webhook_id,), name=name, daemon=True)
            self._senders[webhook_id] = thread
        thread.start()

    def _send(self, webhook_id: str) -> None:
        try:
            while not self.loop.is_stopped() and self._send_next(webhook_id):
                pass
        except DATABASE_OUTAGES as error:
            # Its lease runs out, and then it is sent again: the answer is lost.
            text = str(error).split("\n")[0]
            _log.warning("webhook_waits", webhook_id=webhook_id, error=text)
        finally:
            with self._lock:
                del self._senders[webhook_id]

    def _send_next(self, webhook_id: str) -> bool:
        context = self._context
        with context.database.write() as tx:
            leased = deliveries.lease(tx, webhook_id, context.now())
        if leased is None:
            return False
        outcome = deliveries.send(self._sender, *leased, context.now())
        with context.database.write() as tx:
            deliveries.record(
                tx,
                leased[1],
                outcome,
                first_seconds=context.settings.webhook_retry_seconds,
                draw=context.draw(),
                now=context.now(),
            )
        return True
