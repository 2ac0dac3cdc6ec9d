"""The command that shows what a server does, as it does it."""

import select
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer
from rich.live import Live

from service.cli import terminal
from service.cli.exit_codes import BadInput, ExitCode
from service.cli.options import LOCAL_SERVER, Server, Token, connect
from service.cli.top_screen import Scene, screen_of
from service.client import Client, ServerUnavailable
from service.contract.jobs import JobState

_AT_WORK = (JobState.RUNNING, JobState.PAUSING, JobState.CANCELLING)
_MOST_JOBS = 200


def top(
    every: Annotated[
        float, typer.Option(min=0.5, max=60, metavar="SECONDS", help="How often it is drawn.")
    ] = 2.0,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Show the running jobs, the queue and the workers as they change; q or Ctrl-C ends it."""
    console = terminal.console()
    if not terminal.is_screen(console):
        raise BadInput(
            "top draws on a terminal, and this is none: `trainyard jobs` and `trainyard workers` "
            "print what there is"
        )
    with connect(server, token) as client:
        # A server that is not there is an error; one that goes away later is waited for.
        scene = _scene(client, server)
        try:
            with _single_keys(), Live(console=console, screen=True, auto_refresh=False) as live:
                while True:
                    live.update(screen_of(scene, console.height), refresh=True)
                    if _is_ended_within(every):
                        return
                    scene = _next(client, scene)
        except KeyboardInterrupt:
            raise typer.Exit(ExitCode.INTERRUPTED) from None


def _next(client: Client, before: Scene) -> Scene:
    try:
        return _scene(client, before.server)
    except ServerUnavailable as error:
        return replace(before, problem=str(error))


def _scene(client: Client, server: str) -> Scene:
    queued = islice(client.jobs(state=JobState.QUEUED, parts=True), _MOST_JOBS)
    return Scene(
        server,
        list(islice(client.jobs(state=_AT_WORK, parts=True), _MOST_JOBS)),
        sorted(queued, key=lambda job: (job.queue_position is None, job.queue_position)),
        [each for each in client.workers() if each.state not in ("gone", "lost")],
        datetime.now(UTC),
    )


@contextmanager
def _single_keys() -> Iterator[None]:
    """Have each key arrive as it is pressed, without being shown."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _is_ended_within(seconds: float) -> bool:
    """Wait for a key; whether it was q."""
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(ready) and sys.stdin.read(1) in ("q", "Q", "")
