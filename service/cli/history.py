"""Commands that show what became of a job: its events, attempts and lineage."""

import time
from collections.abc import Iterator
from typing import Annotated

import typer

from service.cli import figures, terminal
from service.cli.exit_codes import BadInput
from service.cli.exports import AsCsv, Output, export, export_items, is_export
from service.cli.options import (
    LOCAL_SERVER,
    AsJson,
    JobId,
    Server,
    Token,
    connect,
    print_json,
    print_json_lines,
)
from service.cli.references import job_id_of
from service.cli.tables import print_table
from service.client import Client
from service.contract.flat_rows import EVENT_COLUMNS
from service.contract.job_lineage import JobLineage, RelatedJob
from service.contract.jobs import ENDED_JOBS, Attempt, Event

_POLL_SECONDS = 1.0


def events(
    job_id: JobId,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print new events until the job ends.")
    ] = False,
    after: Annotated[int, typer.Option(min=0, help="Only events with a higher number.")] = 0,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    output: Output = None,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """List the events of a job, the oldest first."""
    exports = is_export(as_csv=as_csv, output=output, as_json=as_json)
    if exports and follow:
        raise BadInput("--csv and --output take the events until now: leave --follow out")
    with connect(server, token) as client:
        whole_id = job_id_of(client, job_id)
        if exports:
            export_items(client.events(whole_id, after), output, EVENT_COLUMNS)
            return
        listed = _followed(client, whole_id, after) if follow else client.events(whole_id, after)
        for event in listed:
            if as_json:
                print_json_lines((event,))
            else:
                terminal.echo(_event_line(event))


def attempts(
    job_id: JobId,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    output: Output = None,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """List the attempts of a job, with their workers and how each ended."""
    exports = is_export(as_csv=as_csv, output=output, as_json=as_json)
    with connect(server, token) as client:
        listed = client.attempts(job_id_of(client, job_id))
    if exports:
        export(listed, output)
    elif as_json:
        print_json_lines(listed)
    else:
        titles = ("ATTEMPT", "WORKER", "GPUS", "STATE", "REASON", "STARTED", "RAN", "MESSAGE")
        print_table(titles, map(_attempt_row, listed))


def lineage(
    job_id: JobId, as_json: AsJson = False, server: Server = LOCAL_SERVER, token: Token = None
) -> None:
    """Show what a job retries, the checkpoint that it starts from, and the jobs that came of it."""
    with connect(server, token) as client:
        known = client.job_lineage(job_id_of(client, job_id))
    if as_json:
        print_json(known)
        return
    print_table(("HOW", "JOB", "KIND", "STATE", "CHECKPOINT", "NAME"), _lineage_rows(known))
    if known.has_more:
        terminal.echo_error(f"these are the newest {len(known.descendants)}; there are more")


def _followed(client: Client, job_id: str, after: int) -> Iterator[Event]:
    """The events with a number above `after` as they come, until the job has ended."""
    while True:
        # Known before the events are read, so that what is read then includes the last one.
        has_ended = client.job(job_id).state in ENDED_JOBS
        for event in client.events(job_id, after):
            after = event.number
            yield event
        if has_ended:
            return
        time.sleep(_POLL_SECONDS)


def _event_line(event: Event) -> str:
    attempt = "" if event.attempt is None else f"attempt {event.attempt}: "
    return f"{figures.moment(event.created_at)}  {event.kind:<12}  {attempt}{event.message}"


def _attempt_row(attempt: Attempt) -> tuple[str, ...]:
    begin, end = attempt.started_at, attempt.finished_at
    ran = (end - begin).total_seconds() if begin is not None and end is not None else None
    return (
        str(attempt.number),
        attempt.worker_id,
        figures.NONE if attempt.gpu_count is None else str(attempt.gpu_count),
        attempt.state.value,
        attempt.reason or figures.NONE,
        figures.moment(begin),
        figures.duration(ran),
        attempt.message or figures.NONE,
    )


def _lineage_rows(known: JobLineage) -> Iterator[tuple[str, ...]]:
    if known.parent is not None:
        yield _related_row(_parent_relation(known, known.parent), known.parent)
    if known.source is not None:
        source = known.source
        if source.job is not None:
            yield _related_row("starts from", source.job, source.id)
        else:
            none = figures.NONE
            yield ("starts from", source.job_id or none, none, none, source.id, none)
    for job in known.descendants:
        yield _related_row(_relation(known, job), job, job.source_checkpoint)


def _parent_relation(known: JobLineage, parent: RelatedJob) -> str:
    # A search is retried by a search; what has its architecture is of another kind.
    is_search = parent.kind == "search" and known.kind not in ("search", None)
    return "has the path of" if is_search else "retries"


def _relation(known: JobLineage, job: RelatedJob) -> str:
    if job.parent_job_id != known.job_id:
        return "used by"
    is_search = known.kind == "search" and job.kind != "search"
    return "its path is in" if is_search else "retried by"


def _related_row(how: str, job: RelatedJob, checkpoint: str | None = None) -> tuple[str, ...]:
    name = job.name or figures.NONE
    return (how, job.id, job.kind, job.state, checkpoint or figures.NONE, name)
