"""The command that shows who has changed what."""

from itertools import islice
from typing import Annotated

import typer

from service.cli.figures import NONE, moment
from service.cli.options import (
    LOCAL_SERVER,
    MOST,
    AsJson,
    Server,
    Token,
    connect,
    print_json_lines,
)
from service.cli.tables import print_table
from service.contract.audit import AuditEntry

_COLUMNS = ("TIME", "ACTOR", "ROLE", "ACTION", "SUBJECT", "DETAIL", "ADDRESS", "REQUEST")


def audit(
    actor: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only what this token did.")
    ] = None,
    action: Annotated[
        str | None, typer.Option(help="Only this, such as job.cancel, or job for all of its kind.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option(metavar="ID", help="Only what was done to this, by its whole id.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only from this moment on, in ISO 8601.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only before this moment.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="The newest of them.")] = 50,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """List who has changed what, and what was refused, newest first; for admins alone."""
    with connect(server, token) as client:
        entries = client.audit(
            actor=actor, action=action, subject=subject, since=since, until=until
        )
        found = islice(entries, limit)
        if as_json:
            print_json_lines(found)
        else:
            print_table(_COLUMNS, map(_row, found))


def _row(entry: AuditEntry) -> tuple[str, ...]:
    return (
        moment(entry.created_at),
        entry.actor or NONE,
        entry.role or NONE,
        entry.action,
        entry.subject or NONE,
        entry.detail or NONE,
        entry.address or NONE,
        entry.request_id or NONE,
    )
