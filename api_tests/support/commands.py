"""The commands of `trainyard`, run in the process of the tests."""

from collections.abc import Callable

from typer.testing import CliRunner, Result

from service.cli import app

Run = Callable[..., Result]
"""Runs a command of these words; `stdin` is what is piped into it."""


def runner(server_url: str, **environ: str) -> Run:
    """Runs commands that ask this server; `environ` is what is set beside its address."""

    def invoked(*args: str, stdin: str | bytes | None = None, **more: str) -> Result:
        variables = {"TRAINYARD_SERVER": server_url} | environ | more
        return CliRunner(env=variables).invoke(app, list(args), input=stdin)

    return invoked
