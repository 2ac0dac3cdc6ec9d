"""Commands that list, show, make, change and delete webhooks."""

from typing import Annotated, Any, get_args

import typer

from service.cli import terminal
from service.cli.documents import Deletion
from service.cli.exit_codes import BadInput
from service.cli.figures import NONE, moment
from service.cli.options import (
    LOCAL_SERVER,
    AsJson,
    Server,
    Token,
    connect,
    print_json,
    print_json_lines,
)
from service.cli.references import webhook_id_of
from service.cli.spec import labels
from service.cli.tables import print_table
from service.contract.webhooks import EVENT_TYPES, Webhook, WebhookFormat

_COLUMNS = ("WEBHOOK", "NAME", "STATE", "FORMAT", "EVENTS", "ONLY", "URL", "WHY")
_EVENTS_HELP = f"Only this event; may be repeated: {', '.join(EVENT_TYPES)}."

WebhookId = Annotated[
    str, typer.Argument(metavar="WEBHOOK", help="Id, its unique beginning, name, or @last.")
]
Name = Annotated[str | None, typer.Option("--name", "-n", help="Its name in lists.")]
Event = Annotated[list[str] | None, typer.Option("--event", "-e", help=_EVENTS_HELP)]
Label = Annotated[
    list[str] | None,
    typer.Option("--label", "-l", help="Only of jobs with the label KEY=VALUE; may be repeated."),
]
Recipe = Annotated[str | None, typer.Option(help="Only of jobs of this recipe.")]


def list_webhooks(
    as_json: AsJson = False, server: Server = LOCAL_SERVER, token: Token = None
) -> None:
    """List the webhooks, oldest first."""
    with connect(server, token) as client:
        webhooks = client.webhooks()
    if as_json:
        print_json_lines(webhooks)
    else:
        print_table(_COLUMNS, map(_row, webhooks))


def show(
    webhook_id: WebhookId,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Show a webhook: where it is, and what it is told."""
    with connect(server, token) as client:
        webhook = client.webhook(webhook_id_of(client, webhook_id))
    _print(webhook, as_json)


def create(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where messages are sent by POST.")],
    name: Name = None,
    format: Annotated[
        str, typer.Option(metavar="FORMAT", help="standard, or slack or teams for their channels.")
    ] = "standard",
    event: Event = None,
    label: Label = None,
    recipe: Recipe = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Have a program or a channel be told of events, and print the secret that signs them.

    The secret is shown this once.
    """
    with connect(server, token) as client:
        made = client.create_webhook(
            url,
            name=name,
            format=_format_of(format),
            events=event or (),
            labels=labels("--label", label or []),
            recipe=recipe,
        )
    if as_json:
        print_json(made)
        return
    terminal.echo_error(
        f"{made.id}: keep its secret now, nobody can read it again. "
        f"`trainyard webhooks test {made.id}` sends a first message."
    )
    terminal.echo(made.secret)


def update(
    webhook_id: WebhookId,
    url: Annotated[str | None, typer.Option(help="Its new URL.")] = None,
    name: Name = None,
    event: Event = None,
    label: Label = None,
    recipe: Recipe = None,
    everything: Annotated[
        bool, typer.Option("--all-events", help="All events, of all jobs.")
    ] = False,
    enabled: Annotated[
        bool | None,
        typer.Option("--enable/--disable", help="Send what happens from now on, or nothing."),
    ] = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Change a webhook; events and labels that are given replace those that it had."""
    change: dict[str, Any] = {"url": url, "name": name, "recipe": recipe, "enabled": enabled}
    change = {field: value for field, value in change.items() if value is not None}
    if everything:
        if event or label or recipe is not None:
            raise BadInput("--all-events leaves out nothing: without --event, --label and --recipe")
        change |= {"events": [], "labels": {}, "recipe": None}
    if event:
        change["events"] = event
    if label:
        change["labels"] = labels("--label", label)
    if not change:
        raise BadInput("say what to change: see `trainyard webhooks update --help`")
    with connect(server, token) as client:
        webhook = client.change_webhook(webhook_id_of(client, webhook_id), change)
    _print(webhook, as_json)


def delete(
    webhook_id: WebhookId,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Delete a webhook with its deliveries; what waits is not sent any more."""
    with connect(server, token) as client:
        id_ = webhook_id_of(client, webhook_id)
        client.delete_webhook(id_)
    print_json(Deletion(id=id_)) if as_json else terminal.echo(f"deleted {id_}")


def _format_of(text: str) -> WebhookFormat:
    formats: tuple[WebhookFormat, ...] = get_args(WebhookFormat)
    for each in formats:
        if each == text:
            return each
    raise BadInput(f"--format {text} is none of {', '.join(formats)}")


def _print(webhook: Webhook, as_json: bool) -> None:
    if as_json:
        print_json(webhook)
        return
    rows = {
        "webhook": webhook.id,
        "name": webhook.name,
        "state": _state(webhook),
        "why": webhook.disabled_reason,
        "format": webhook.format,
        "url": webhook.url,
        "events": " ".join(webhook.events) or "all",
        "only": _filter(webhook),
        "created": moment(webhook.created_at),
        "old secret": _old_secret(webhook),
    }
    for title, text in rows.items():
        if text:
            terminal.echo(f"{title:<12}{text}")


def _row(webhook: Webhook) -> tuple[str, ...]:
    return (
        webhook.id,
        webhook.name or NONE,
        _state(webhook),
        webhook.format,
        " ".join(webhook.events) or "all",
        _filter(webhook) or NONE,
        webhook.url,
        webhook.disabled_reason or NONE,
    )


def _state(webhook: Webhook) -> str:
    return "enabled" if webhook.enabled else "disabled"


def _old_secret(webhook: Webhook) -> str | None:
    until = webhook.previous_secret_expires_at
    return f"signs, too, until {moment(until)}" if until is not None else None


def _filter(webhook: Webhook) -> str:
    pairs = [f"{key}={value}" for key, value in webhook.labels.items()]
    return " ".join([*pairs, *([f"recipe={webhook.recipe}"] if webhook.recipe else [])])
