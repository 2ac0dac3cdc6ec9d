"""Commands that cancel, pause, resume, retry and delete jobs."""

from typing import Annotated, Literal

import typer

from service.cli import terminal
from service.cli.options import LOCAL_SERVER, AsJson, JobId, Server, Token, connect, print_json


def cancel(
    job_id: JobId,
    now: Annotated[
        bool, typer.Option("--now", help="Stop the job without saving a checkpoint.")
    ] = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Cancel a job; a running job saves a checkpoint first."""
    mode: Literal["now", "graceful"] = "now" if now else "graceful"
    with connect(server, token) as client:
        terminal.echo(client.cancel(job_id, mode).state.value)


def pause(job_id: JobId, server: Server = LOCAL_SERVER, token: Token = None) -> None:
    """Pause a job; a running job saves a checkpoint first."""
    with connect(server, token) as client:
        terminal.echo(client.pause(job_id).state.value)


def resume(job_id: JobId, server: Server = LOCAL_SERVER, token: Token = None) -> None:
    """Resume a paused or pausing job from its latest checkpoint."""
    with connect(server, token) as client:
        terminal.echo(client.resume(job_id).state.value)


def retry(
    job_id: JobId,
    origin: Annotated[
        str, typer.Option("--from", help="Where to start: latest, start, or a checkpoint's id.")
    ] = "latest",
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Submit a copy of a failed or cancelled job, and print the new job's id."""
    with connect(server, token) as client:
        job = client.retry(job_id, origin)
    print_json(job) if as_json else terminal.echo(job.id)


def delete(job_id: JobId, server: Server = LOCAL_SERVER, token: Token = None) -> None:
    """Delete a finished job; its pinned and tagged checkpoints are kept."""
    with connect(server, token) as client:
        client.delete(job_id)
