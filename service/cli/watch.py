"""The command that follows jobs until they end."""

from typing import Annotated

import typer

from service.cli import terminal
from service.cli.exit_codes import ExitCode, Failed
from service.cli.options import (
    LOCAL_SERVER,
    AsJson,
    JobIds,
    Server,
    Token,
    connect,
    print_json,
    print_json_lines,
)
from service.cli.progress import JobProgress
from service.cli.references import job_ids_of
from service.client import Client
from service.contract.counts import count_text
from service.contract.jobs import Job, JobState


def watch(
    job_ids: JobIds,
    timeout: Annotated[
        float | None, typer.Option(min=0, help="Stop waiting after this many seconds.")
    ] = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Show the progress of jobs until they end, one after another.

    The exit status is 1 unless each of them succeeded. Ctrl-C ends the command; the jobs go on.
    """
    ended = []
    with connect(server, token) as client:
        for job_id in job_ids_of(client, job_ids):
            ended.append(watched(client, job_id, as_json=as_json, timeout_seconds=timeout))
            if as_json:
                print_json_lines(ended[-1:])
    failed = [job for job in ended if job.state != JobState.SUCCEEDED]
    if len(ended) == 1:
        require_success(ended[0])
    elif failed:
        names = ", ".join(f"{job.id} {job.state.value}" for job in failed)
        raise Failed(f"{len(failed)} of {count_text(len(ended), 'job')} did not succeed: {names}")


def watched(
    client: Client, job_id: str, *, as_json: bool = False, timeout_seconds: float | None = None
) -> Job:
    """The job once it has ended; until then its progress is shown, on stderr if stdout is JSON.

    Ctrl-C ends the program, and says that the job goes on.
    """
    console = terminal.console(stderr=as_json)
    try:
        with JobProgress(console) as progress:
            return client.wait(job_id, progress.show, timeout_seconds=timeout_seconds)
    except KeyboardInterrupt:
        terminal.echo_error(
            f"{job_id} goes on: `trainyard watch {job_id}` shows it again, "
            f"`trainyard cancel {job_id}` ends it"
        )
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def show_submitted(client: Client, job: Job, *, watch: bool, as_json: bool) -> None:
    """Print a new job's id, or with `watch` its progress until it ends; raises Failed then."""
    shown = watched(client, job.id, as_json=as_json) if watch else job
    if as_json:
        print_json(shown)
    elif not watch:
        terminal.echo(job.id)
    if watch:
        require_success(shown)


def require_success(job: Job) -> None:
    """Raise Failed with the job's reason and message unless the job succeeded."""
    if job.state != JobState.SUCCEEDED:
        why = ": ".join(part for part in (job.reason, job.message) if part)
        raise Failed(f"{job.id} {job.state.value}{f' ({why})' if why else ''}")
