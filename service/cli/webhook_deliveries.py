"""Commands about what was sent to a webhook."""

import time
from itertools import islice
from typing import Annotated

import typer

from service.cli import terminal
from service.cli.exit_codes import Failed
from service.cli.figures import NONE, moment
from service.cli.options import (
    LOCAL_SERVER,
    MOST,
    AsJson,
    Server,
    Token,
    connect,
    print_json,
    print_json_lines,
)
from service.cli.references import webhook_id_of
from service.cli.tables import print_table
from service.cli.webhooks import WebhookId
from service.client import Client
from service.contract.webhooks import Delivery

_COLUMNS = ("EVENT", "TYPE", "STATE", "TRIES", "STATUS", "LAST TRY", "NEXT TRY", "ERROR")
_ANSWER_SECONDS = 20.0
"""The server waits 15 seconds for a receiver."""
_POLL_SECONDS = 0.5


def send_test(
    webhook_id: WebhookId,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Send a webhook a test message, and print what it answered.

    The exit status is 1 if it did not take the message.
    """
    with connect(server, token) as client:
        id_ = webhook_id_of(client, webhook_id)
        delivery = _tried(client, id_, client.send_test_webhook(id_))
    _print_outcome(id_, delivery, as_json=as_json)


def deliveries(
    webhook_id: WebhookId,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="The newest of them.")] = 20,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """List what was sent to a webhook and what waits, newest first."""
    with connect(server, token) as client:
        found = islice(client.deliveries(webhook_id_of(client, webhook_id)), limit)
        if as_json:
            print_json_lines(found)
        else:
            print_table(_COLUMNS, map(_row, found))


def redeliver(
    webhook_id: WebhookId,
    event_id: Annotated[str, typer.Argument(metavar="EVENT", help="Its id, as in `deliveries`.")],
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Send a message again, with the same id, and print what the receiver answered.

    The exit status is 1 if it did not take the message.
    """
    with connect(server, token) as client:
        id_ = webhook_id_of(client, webhook_id)
        delivery = _tried(client, id_, client.redeliver(id_, event_id))
    _print_outcome(id_, delivery, as_json=as_json)


def _tried(client: Client, webhook_id: str, sent: Delivery) -> Delivery:
    """The delivery once it has been tried, or as it is after 20 seconds."""
    deadline = time.monotonic() + _ANSWER_SECONDS
    delivery = sent
    while not _has_result(delivery, sent) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        found = (each for each in client.deliveries(webhook_id) if each.event_id == sent.event_id)
        delivery = next(found, delivery)
    return delivery


def _has_result(delivery: Delivery, sent: Delivery) -> bool:
    return delivery.state != "pending" or delivery.tries > sent.tries


def _print_outcome(webhook_id: str, delivery: Delivery, *, as_json: bool) -> None:
    if as_json:
        print_json(delivery)
    if delivery.state == "delivered":
        if not as_json:
            terminal.echo(f"delivered {delivery.event_id}: the receiver answered {delivery.status}")
        return
    answer = delivery.error or (delivery.status and f"the receiver answered {delivery.status}")
    then = f"; the next try is at {moment(delivery.next_try_at)}" if delivery.next_try_at else ""
    raise Failed(
        f"{delivery.event_id} is not delivered: {answer or 'it has not been tried yet'}{then}: see "
        f"`trainyard webhooks deliveries {webhook_id}`"
    )


def _row(delivery: Delivery) -> tuple[str, ...]:
    return (
        delivery.event_id,
        delivery.type,
        delivery.state,
        str(delivery.tries),
        NONE if delivery.status is None else str(delivery.status),
        moment(delivery.last_try_at),
        moment(delivery.next_try_at),
        delivery.error or NONE,
    )
