"""Commands that change a waiting job, and that submit a job again with changes."""

from typing import Annotated, Any

import typer

from service.cli import terminal
from service.cli.exit_codes import BadInput
from service.cli.options import LOCAL_SERVER, AsJson, JobId, Server, Token, connect, print_json
from service.cli.references import job_id_of
from service.cli.spec import labels, merged, parameters
from service.contract.jobs import Job

Name = Annotated[str | None, typer.Option("--name", "-n", help="Its new name.")]
Label = Annotated[
    list[str] | None,
    typer.Option("--label", "-l", help="A label as KEY=VALUE; KEY= removes it; may be repeated."),
]
Priority = Annotated[int | None, typer.Option(help="From -1000 to 1000; higher ones go first.")]

Preemptible = Annotated[
    bool | None,
    typer.Option(help="Whether it gives its place to a job of a higher priority."),
]


def edit(
    job_id: JobId,
    name: Name = None,
    label: Label = None,
    priority: Priority = None,
    preemptible: Preemptible = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Change the name, labels or place in the queue of a job; labels that are not named stay."""
    changed = labels("--label", label or [])
    if name is None and not changed and priority is None and preemptible is None:
        raise BadInput("say what to change: --name, --label, --priority or --preemptible")
    with connect(server, token) as client:
        job = client.job(job_id_of(client, job_id))
        new = _changed(job, changed) if changed else None
        job = client.edit(job.id, name=name, labels=new, priority=priority, preemptible=preemptible)
    print_json(job) if as_json else terminal.echo(job.id)


def clone(
    job_id: JobId,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", help="Another value, as KEY=VALUE; may be repeated."),
    ] = None,
    name: Name = None,
    label: Label = None,
    priority: Priority = None,
    preemptible: Preemptible = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Submit a job again, with other values where some are given, and print the new job's id.

    Unlike a retry it begins anew, and may differ from the job that it copies.
    """
    with connect(server, token) as client:
        job = client.job(job_id_of(client, job_id))
        if job.kind not in ("train", "eval", "check_data", "search"):
            raise BadInput(
                f"{job.id} is an {job.kind}: `trainyard checkpoints` has a command for it"
            )
        spec = _submission_of(job)
        changes = {"params": parameters(param or []), "name": name, "priority": priority}
        changes["preemptible"] = preemptible
        if label:
            spec["labels"] = _changed(job, labels("--label", label))
        copy = client.submit(merged(spec, changes))
    print_json(copy) if as_json else terminal.echo(copy.id)


def _changed(job: Job, changes: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in (job.labels | changes).items() if value}


def _submission_of(job: Job) -> dict[str, Any]:
    spec: dict[str, Any] = job.spec.model_dump(mode="json", exclude_none=True)
    return {**spec, "kind": job.kind}
