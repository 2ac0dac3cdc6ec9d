"""Commands that change the course of a job, or of a worker."""

from typing import Annotated, Literal

import typer

from service.cli.options import LOCAL_SERVER, AsJson, JobId, Server, Token, connect, print_json

WorkerId = Annotated[str, typer.Argument(metavar="WORKER", help="A worker's id.")]


def cancel(
    job_id: JobId,
    now: Annotated[bool, typer.Option("--now", help="Without saving a checkpoint.")] = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """End a job; a running one saves a checkpoint first."""
    mode: Literal["now", "graceful"] = "now" if now else "graceful"
    with connect(server, token) as client:
        typer.echo(client.cancel(job_id, mode).state.value)


def pause(job_id: JobId, server: Server = LOCAL_SERVER, token: Token = None) -> None:
    """Have a job save a checkpoint and rest."""
    with connect(server, token) as client:
        typer.echo(client.pause(job_id).state.value)


def resume(job_id: JobId, server: Server = LOCAL_SERVER, token: Token = None) -> None:
    """Let a paused or pausing job go on from its checkpoint."""
    with connect(server, token) as client:
        typer.echo(client.resume(job_id).state.value)


def retry(
    job_id: JobId,
    origin: Annotated[
        str, typer.Option("--from", help="latest, start, or a checkpoint's id.")
    ] = "latest",
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Queue a finished job again, and print the new one's id."""
    with connect(server, token) as client:
        job = client.retry(job_id, origin)
    print_json(job) if as_json else typer.echo(job.id)


def delete(job_id: JobId, server: Server = LOCAL_SERVER, token: Token = None) -> None:
    """Forget a finished job; its pinned and tagged checkpoints are kept."""
    with connect(server, token) as client:
        client.delete(job_id)


def drain(
    worker_id: WorkerId,
    undo: Annotated[
        bool, typer.Option("--undo", help="Let it claim again; ends a quarantine, too.")
    ] = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Have a worker finish what it runs and claim nothing new."""
    with connect(server, token) as client:
        worker = client.resume_worker(worker_id) if undo else client.drain(worker_id)
    typer.echo(worker.state.value)
