"""Commands that cancel, pause, resume, retry and delete jobs."""

from typing import Annotated

import typer

from service.cli import terminal
from service.cli.documents import Deletion
from service.cli.exit_codes import BadInput
from service.cli.many_jobs import JobIdsOrNone, Where, change_jobs, chosen_jobs
from service.cli.options import LOCAL_SERVER, AsJson, Server, Token, connect, print_json
from service.cli.references import checkpoint_id_of
from service.cli.spec import gpus_of, without_none
from service.contract.bulk import CancelMode


def cancel(
    job_ids: JobIdsOrNone = None,
    where: Where = None,
    now: Annotated[
        bool, typer.Option("--now", help="Stop the jobs without saving a checkpoint.")
    ] = False,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Cancel jobs; a running job saves a checkpoint first."""
    mode: CancelMode = "now" if now else "graceful"
    with connect(server, token) as client:
        jobs = chosen_jobs(client, job_ids, where)
        if not jobs.is_one:
            change_jobs(client, "cancel", jobs, as_json=as_json, mode=mode)
            return
        job = client.cancel(jobs.ids[0], mode)
    print_json(job) if as_json else terminal.echo(job.state.value)


def pause(
    job_ids: JobIdsOrNone = None,
    where: Where = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Pause jobs; a running job saves a checkpoint first."""
    with connect(server, token) as client:
        jobs = chosen_jobs(client, job_ids, where)
        if not jobs.is_one:
            change_jobs(client, "pause", jobs, as_json=as_json)
            return
        job = client.pause(jobs.ids[0])
    print_json(job) if as_json else terminal.echo(job.state.value)


def resume(
    job_ids: JobIdsOrNone = None,
    where: Where = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Resume paused or pausing jobs from their latest checkpoints."""
    with connect(server, token) as client:
        jobs = chosen_jobs(client, job_ids, where)
        if not jobs.is_one:
            change_jobs(client, "resume", jobs, as_json=as_json)
            return
        job = client.resume(jobs.ids[0])
    print_json(job) if as_json else terminal.echo(job.state.value)


def retry(
    job_ids: JobIdsOrNone = None,
    where: Where = None,
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
        jobs = chosen_jobs(client, job_ids, where)
        if origin not in ("latest", "start"):
            origin = checkpoint_id_of(client, origin)
        if not jobs.is_one and others:
            raise BadInput("--gpus, --hosts and --ranks are for one job at a time")
        if not jobs.is_one:
            change_jobs(client, "retry", jobs, as_json=as_json, origin=origin)
            return
        resources = None
        if others:
            known = client.job(jobs.ids[0]).spec.resources.model_dump(mode="json")
            resources = {**known, **others}
        job = client.retry(jobs.ids[0], origin, resources=resources)
    print_json(job) if as_json else terminal.echo(job.id)


def delete(
    job_ids: JobIdsOrNone = None,
    where: Where = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Delete finished jobs; their pinned and tagged checkpoints are kept."""
    with connect(server, token) as client:
        jobs = chosen_jobs(client, job_ids, where)
        if not jobs.is_one:
            change_jobs(client, "delete", jobs, as_json=as_json)
            return
        client.delete(jobs.ids[0])
    if as_json:
        print_json(Deletion(id=jobs.ids[0]))
