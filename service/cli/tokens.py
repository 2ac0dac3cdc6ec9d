"""Commands that make, list and revoke access tokens."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from service.cli import figures, terminal
from service.cli.documents import Revocation
from service.cli.durations import duration_of
from service.cli.exit_codes import BadInput, UnknownReference
from service.cli.extras import require_extras
from service.cli.options import (
    LOCAL_SERVER,
    AsJson,
    Server,
    Token,
    connect,
    print_json,
    print_json_lines,
)
from service.cli.tables import print_table
from service.client import Client
from service.contract.access import AccessToken, NewAccessToken, Role

_COLUMNS = ("TOKEN", "NAME", "ROLE", "CREATED", "BY", "EXPIRES", "LAST USED", "REVOKED")

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        envvar="TRAINYARD_DATABASE_URL", help="With --admin: the server's database.", metavar="URL"
    ),
]


def create(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Whose it is, such as ann or gpu-7.")
    ] = None,
    role: Annotated[
        Role | None,
        typer.Option(help="A viewer reads, a user has own jobs, an admin may do everything."),
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="Hours, days or weeks: 12h, 30d, 8w.")
    ] = None,
    admin: Annotated[
        bool, typer.Option("--admin", help="Make an admin's here, in the database itself.")
    ] = False,
    data_dir: Annotated[
        Path, typer.Option(help="With --admin: the data folder, as given to `up`.")
    ] = Path("yard"),
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Make a token, and print its secret, which is shown this once.

    The first one is made with --admin on the server's machine; an SQLite database only while no
    server has it open. A server without tokens makes the first one by --role admin, too.
    """
    lifetime = duration_of("--expires", expires) if expires is not None else None
    expires_at = datetime.now(UTC) + lifetime if lifetime is not None else None
    if admin:
        if role not in (None, Role.ADMIN):
            raise BadInput(f"--admin makes a token with the role admin: leave out --role {role}")
        made = _create_here(name or "admin", expires_at, data_dir, database_url)
    elif name is None or role is None:
        raise BadInput("give a NAME and a --role: viewer, user, admin or worker")
    else:
        with connect(server, token) as client:
            made = client.create_token(name, role, expires_at=expires_at)
    _print_new(made, as_json)


def list_tokens(
    ended: Annotated[
        bool, typer.Option("--ended", help="Those that are revoked or have expired, instead.")
    ] = False,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """List the valid tokens: an admin sees all, everybody else the own ones."""
    with connect(server, token) as client:
        tokens = client.tokens(ended=ended)
    if as_json:
        print_json_lines(tokens)
    else:
        print_table(_COLUMNS, map(_row, tokens))


def revoke(
    reference: Annotated[
        str, typer.Argument(metavar="TOKEN", help="Its id, or the name of a valid one.")
    ],
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Revoke a token: it is refused from now on, and the sessions that it began end."""
    with connect(server, token) as client:
        token_id = _id_of(client, reference)
        client.revoke_token(token_id)
    print_json(Revocation(id=token_id)) if as_json else terminal.echo(f"revoked {token_id}")


def _create_here(
    name: str, expires_at: datetime | None, data_dir: Path, database_url: str | None
) -> NewAccessToken:
    require_extras("trainyard token create --admin", "server")
    from service.cli.server import create_admin_token
    from service.devserver.local_paths import LocalPaths

    paths = LocalPaths(data_dir, "127.0.0.1", 8000, os.environ)
    url = database_url or paths.environment()["TRAINYARD_DATABASE_URL"]
    return create_admin_token(url, name, expires_at)


def _print_new(token: NewAccessToken, as_json: bool) -> None:
    if as_json:
        print_json(token)
        return
    until = f", until {figures.moment(token.expires_at)}" if token.expires_at else ""
    terminal.echo_error(
        f"{token.id}: a token of {token.name} with the role {token.role}{until}. Keep it now: "
        "nobody can read it again. Send it as TRAINYARD_TOKEN or --token, or log in with it."
    )
    terminal.echo(token.secret)


def _id_of(client: Client, reference: str) -> str:
    if reference.startswith("tok_"):
        return reference
    named = [token.id for token in client.tokens() if token.name == reference]
    if not named:
        raise UnknownReference(
            f"no valid token has the id or the name {reference}: see `token list`"
        )
    return named[0]


def _row(token: AccessToken) -> tuple[str, ...]:
    return (
        token.id,
        token.name,
        token.role,
        figures.moment(token.created_at),
        token.created_by or figures.NONE,
        figures.moment(token.expires_at),
        figures.moment(token.last_used_at),
        figures.moment(token.revoked_at),
    )
