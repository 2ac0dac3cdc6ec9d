"""Whose jobs are, in the commands."""

from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from api_tests.support.access import bearer, make_token
from api_tests.support.context_server import context, server
from api_tests.support.specs import SPEC
from api_tests.support.threaded_server import ThreadedServer
from service.cli import app
from service.context import AppContext
from service.contract.access import Role

__all__ = ["context", "server"]

Run = Callable[..., Result]


@pytest.fixture
def run(server: ThreadedServer) -> Run:
    """Runs a command with a token, or without one."""

    def invoked(secret: str | None, *arguments: str) -> Result:
        variables = {"TRAINYARD_SERVER": server.url, "TRAINYARD_TOKEN": secret}
        return CliRunner(env=variables).invoke(app, list(arguments))

    return invoked


def _submit(server: ThreadedServer, secret: str | None, name: str) -> str:
    headers = bearer(secret) if secret is not None else {}
    answer = server.http.post("/jobs", json=SPEC | {"name": name}, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_jobs_are_listed_with_their_owners_and_narrowed_to_ones_own(
    run: Run, server: ThreadedServer, context: AppContext
) -> None:
    bob, eve = (make_token(context, name, Role.USER).secret for name in ("bob", "eve"))
    first, second = _submit(server, bob, "first"), _submit(server, eve, "second")
    head, *rows = run(bob, "jobs").stdout.splitlines()
    assert head.split()[-1] == "OWNER"
    assert [(row.split()[0], row.split()[-1]) for row in rows] == [(second, "eve"), (first, "bob")]
    own = run(bob, "jobs", "--mine").stdout
    assert (first in own, second in own) == (True, False)
    others = run(bob, "jobs", "--submitted-by", "eve").stdout
    assert (first in others, second in others) == (False, True)
    both = run(bob, "jobs", "--mine", "--submitted-by", "eve")
    assert (both.exit_code, "--submitted-by NAME, not both" in both.stderr) == (2, True)
    assert "owner       eve\n" in run(bob, "show", second).stdout


def test_a_server_without_tokens_has_no_owners(run: Run, server: ThreadedServer) -> None:
    job = _submit(server, None, "of nobody")
    assert "OWNER" not in run(None, "jobs").stdout
    assert "owner" not in run(None, "show", job).stdout
    mine = run(None, "jobs", "--mine")
    assert (mine.exit_code, "this server has no tokens" in mine.stderr) == (2, True)
