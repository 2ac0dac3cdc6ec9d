"""The command that gives a webhook a new secret."""

from datetime import timedelta
from typing import Annotated

import typer

from service.cli import terminal
from service.cli.durations import duration_of
from service.cli.figures import moment
from service.cli.options import LOCAL_SERVER, AsJson, Server, Token, connect, print_json
from service.cli.references import webhook_id_of
from service.cli.webhooks import WebhookId
from service.contract.webhooks import WebhookWithSecret


def rotate_secret(
    webhook_id: WebhookId,
    overlap: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="How long the old secret signs, too: 12h, 1d, 1w at most, or 0."
        ),
    ] = "1d",
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Give a webhook a new secret, and print it; the old one goes on signing for a time.

    The secret is shown this once. With --overlap 0 the new one alone signs from now on.
    """
    signs_for = timedelta() if overlap == "0" else duration_of("--overlap", overlap)
    with connect(server, token) as client:
        webhook = client.rotate_webhook_secret(
            webhook_id_of(client, webhook_id), overlap_seconds=int(signs_for.total_seconds())
        )
    if as_json:
        print_json(webhook)
        return
    terminal.echo_error(
        f"{webhook.id}: keep its new secret now, nobody can read it again. {_until(webhook)}"
    )
    terminal.echo(webhook.secret)


def _until(webhook: WebhookWithSecret) -> str:
    if webhook.previous_secret_expires_at is None:
        return "Messages are signed by it alone."
    return (
        "Messages are signed by the old one, too, until "
        f"{moment(webhook.previous_secret_expires_at)}: give it to the receiver before."
    )
