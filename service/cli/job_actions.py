"""Commands that cancel, pause, resume, retry and delete jobs."""

from typing import Annotated

import typer

from service.cli import terminal
from service.cli.exit_codes import BadInput, PartlyRefused
from service.cli.options import LOCAL_SERVER, AsJson, JobIds, Server, Token, connect, print_json
from service.cli.references import checkpoint_id_of, job_ids_of
from service.cli.spec import gpus_of, without_none
from service.contract.bulk import BulkReply, CancelMode
from service.contract.counts import count_text


def cancel(
    job_ids: JobIds,
    now: Annotated[
        bool, typer.Option("--now", help="Stop the jobs without saving a checkpoint.")
    ] = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Cancel jobs; a running job saves a checkpoint first."""
    mode: CancelMode = "now" if now else "graceful"
    with connect(server, token) as client:
        job_ids = job_ids_of(client, job_ids)
        if len(job_ids) > 1:
            _print_results(client.bulk("cancel", ids=job_ids, mode=mode))
        else:
            terminal.echo(client.cancel(job_ids[0], mode).state.value)


def pause(job_ids: JobIds, server: Server = LOCAL_SERVER, token: Token = None) -> None:
    """Pause jobs; a running job saves a checkpoint first."""
    with connect(server, token) as client:
        job_ids = job_ids_of(client, job_ids)
        if len(job_ids) > 1:
            _print_results(client.bulk("pause", ids=job_ids))
        else:
            terminal.echo(client.pause(job_ids[0]).state.value)


def resume(job_ids: JobIds, server: Server = LOCAL_SERVER, token: Token = None) -> None:
    """Resume paused or pausing jobs from their latest checkpoints."""
    with connect(server, token) as client:
        job_ids = job_ids_of(client, job_ids)
        if len(job_ids) > 1:
            _print_results(client.bulk("resume", ids=job_ids))
        else:
            terminal.echo(client.resume(job_ids[0]).state.value)


def retry(
    job_ids: JobIds,
    origin: Annotated[
        str, typer.Option("--from", help="Where to start: latest, start, or a checkpoint's id.")
    ] = "latest",
    gpus: Annotated[
        str | None,
        typer.Option(help="Other GPUs on each host than it had.", metavar="N|MIN:MAX"),
    ] = None,
    hosts: Annotated[int | None, typer.Option(help="Other hosts than it had.")] = None,
    ranks: Annotated[
        int | None, typer.Option(help="Other processes on each host's CPU than it had.")
    ] = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Submit copies of failed or cancelled jobs, and print the new jobs' ids."""
    others = without_none(gpus=gpus_of(gpus), hosts=hosts, ranks=ranks)
    with connect(server, token) as client:
        job_ids = job_ids_of(client, job_ids)
        if origin not in ("latest", "start"):
            origin = checkpoint_id_of(client, origin)
        if len(job_ids) > 1 and others:
            raise BadInput("--gpus, --hosts and --ranks are for one job at a time")
        if len(job_ids) > 1:
            reply = client.bulk("retry", ids=job_ids, origin=origin)
            print_json(reply) if as_json else _print_results(reply)
            return
        resources = None
        if others:
            known = client.job(job_ids[0]).spec.resources.model_dump(mode="json")
            resources = {**known, **others}
        job = client.retry(job_ids[0], origin, resources=resources)
    print_json(job) if as_json else terminal.echo(job.id)


def delete(job_ids: JobIds, server: Server = LOCAL_SERVER, token: Token = None) -> None:
    """Delete finished jobs; their pinned and tagged checkpoints are kept."""
    with connect(server, token) as client:
        job_ids = job_ids_of(client, job_ids)
        if len(job_ids) > 1:
            _print_results(client.bulk("delete", ids=job_ids))
        else:
            client.delete(job_ids[0])


def _print_results(reply: BulkReply) -> None:
    """A line for each job that was changed, and an error that names those that were refused."""
    for result in reply.results:
        if result.ok:
            job = result.job
            parts = ("deleted",) if job is None else (job.state.value,)
            new = (job.id,) if job is not None and job.id != result.id else ()
            terminal.echo(" ".join((result.id, *new, *parts)))
    refused = [result for result in reply.results if result.problem is not None]
    if refused:
        details = "; ".join(each.problem.detail for each in refused if each.problem is not None)
        raise PartlyRefused(
            f"{len(refused)} of {count_text(reply.matched, 'job')} refused: {details}"
        )
