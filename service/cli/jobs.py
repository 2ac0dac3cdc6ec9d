"""Commands that submit, list, show and follow jobs."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, get_args

import typer

from service.cli import figures, terminal
from service.cli.data_text import check_text
from service.cli.exit_codes import BadInput
from service.cli.exports import AsCsv, Output, export_items, is_export
from service.cli.options import (
    LOCAL_SERVER,
    MOST,
    AsJson,
    JobId,
    Server,
    Token,
    connect,
    print_json,
    print_json_lines,
)
from service.cli.progress import figures_text, status_text
from service.cli.references import job_id_of
from service.cli.spec import parameter_texts
from service.cli.tables import print_table
from service.client import Client
from service.contract.flat_rows import JOB_COLUMNS
from service.contract.jobs import Job, JobState
from service.contract.specs import KindName

_KINDS: dict[str, KindName] = {kind: kind for kind in get_args(KindName)}
_LISTED = 20
_COLUMNS: tuple[str, ...] = ("JOB", "NAME", "RECIPE", "STATE", "STEP", "TOP-1 ERROR")
_KINDS_TEXT = f"[{'|'.join(_KINDS)}]"


def list_jobs(
    q: Annotated[
        str | None,
        typer.Option("--query", "-q", help="Only jobs with this in name, id or a label."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Only jobs of this name.")] = None,
    state: Annotated[
        list[JobState] | None, typer.Option(help="Only jobs in this state; may be repeated.")
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar=_KINDS_TEXT, help="Only jobs of this kind; may be repeated."),
    ] = None,
    recipe: Annotated[str | None, typer.Option(help="Only jobs of this recipe.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(help="Only jobs with this label, as key:value; may be repeated."),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(help="Only jobs with this parameter, as KEY=VALUE; may be repeated."),
    ] = None,
    created_after: Annotated[
        str | None, typer.Option(help="Only jobs created after this moment, in ISO 8601.")
    ] = None,
    submitted_by: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only jobs that this token submitted.")
    ] = None,
    mine: Annotated[
        bool, typer.Option("--mine", help="Only jobs that your own token submitted.")
    ] = False,
    parts: Annotated[
        bool, typer.Option("--parts", help="Also the jobs that measure for a search.")
    ] = False,
    order_by: Annotated[
        str | None,
        typer.Option(
            help="created_at, duration, priority or metrics.NAME; -created_at has the newest first."
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST, help="The most jobs to list; 20, and with --csv or --output all."
        ),
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    output: Output = None,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """List jobs, the newest first."""
    exports = is_export(as_csv=as_csv, output=output, as_json=as_json)
    with connect(server, token) as client:
        jobs = client.jobs(
            q=q,
            name=name,
            state=state,
            kind=[_kind(each) for each in kind] if kind else None,
            recipe=recipe,
            label=label,
            created_after=created_after,
            submitted_by=_own_name(client, submitted_by) if mine else submitted_by,
            params=parameter_texts(param or []),
            parts=parts,
            order_by=order_by,
        )
        if exports:
            export_items(jobs, output, JOB_COLUMNS, limit)
            return
        first_jobs = islice(jobs, limit or _LISTED)
        if as_json:
            print_json_lines(first_jobs)
        else:
            _print_jobs(list(first_jobs))


def show_job(
    job_id: JobId, as_json: AsJson = False, server: Server = LOCAL_SERVER, token: Token = None
) -> None:
    """Show a job."""
    with connect(server, token) as client:
        job = client.job(job_id_of(client, job_id))
    if as_json:
        print_json(job)
        return
    spent = figures.time_spent(job.progress.time_spent)
    rows = {
        "job": job.id,
        "name": job.name,
        "recipe": " ".join(filter(None, (job.kind, job.recipe, job.variant))),
        "state": status_text(job),
        "owner": job.submitted_by,
        "reason": job.reason,
        "message": job.message,
        "progress": f"step {job.progress.step} of {job.progress.total_steps}",
        "measured": figures_text(job),
        "time": None if spent == figures.NONE else spent,
        "checkpoint": job.latest_checkpoint,
        "check": check_text(job),
        "actions": ", ".join(action.name for action in job.actions),
    }
    for title, value in rows.items():
        lines = (value or "").split("\n") if title in ("message", "check") else [value]
        for number, line in enumerate(lines):
            if line:
                terminal.echo(f"{'' if number else title:<12}{line}")


def logs(
    job_id: JobId,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print new lines until the job ends.")
    ] = False,
    attempt: Annotated[
        int | None, typer.Option(min=1, help="Number of the attempt; by default the newest.")
    ] = None,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Print the log of an attempt of a job, by default of the newest one."""
    with connect(server, token) as client:
        job_id = job_id_of(client, job_id)
        texts = (
            client.follow_log(job_id, attempt=attempt) if follow else _log(client, job_id, attempt)
        )
        terminal.echo_log(texts)


def _log(client: Client, job_id: str, attempt: int | None) -> Iterator[str]:
    """The text of a log up to its present end, in parts."""
    cursor = None
    while True:
        part = client.logs(job_id, attempt=attempt, cursor=cursor)
        yield part.text
        cursor = part.cursor
        if part.end or not part.text:
            return


def _kind(name: str) -> KindName:
    # Typer has no list of literals.
    if name not in _KINDS:
        names = ", ".join(repr(kind) for kind in _KINDS)
        raise typer.BadParameter(f"{name!r} is not one of {names}.", param_hint="'--kind'")
    return _KINDS[name]


def _own_name(client: Client, submitted_by: str | None) -> str:
    if submitted_by is not None:
        raise BadInput("give --mine or --submitted-by NAME, not both")
    user = client.session().user
    if user is None:
        raise BadInput("--mine: this server has no tokens, and its jobs no owners: leave it out")
    return user


def _print_jobs(jobs: list[Job]) -> None:
    columns, rows = _COLUMNS, list(map(_row, jobs))
    if any(job.submitted_by is not None for job in jobs):
        columns = (*columns, "OWNER")
        owners = (job.submitted_by or figures.NONE for job in jobs)
        rows = [(*row, owner) for row, owner in zip(rows, owners, strict=True)]
    print_table(columns, rows)


def _row(job: Job) -> tuple[str, ...]:
    step = f"{job.progress.step}/{job.progress.total_steps}"
    # An eval has no series: what it measured is its result.
    error = job.metrics.get("top1_error", (job.result or {}).get("top1_error"))
    return (
        job.id,
        job.name or figures.NONE,
        job.recipe or figures.NONE,
        job.state.value,
        step,
        figures.error_rate(error),
    )
