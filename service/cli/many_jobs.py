"""What a command does with many jobs: by calls that each change a part of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from service.cli import terminal
from service.cli.completion import jobs_beginning_with
from service.cli.exit_codes import BadInput, PartlyRefused
from service.cli.options import print_json
from service.cli.references import job_ids_of
from service.client import Client, TrainyardError
from service.contract.bulk import MOST_JOBS, BulkAction, BulkReply, BulkResult
from service.contract.counts import count_text
from service.contract.job_queries import LISTS

_NAMED_REFUSALS = 20

JobIdsOrNone = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[JOB...]",
        help="Ids, their unique beginnings, names, @last.",
        autocompletion=jobs_beginning_with,
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        help="In place of ids all jobs with this, as state=failed, label=team:vision or "
        "param.learning_rate=0.5; may be repeated.",
    ),
]


@dataclass(frozen=True)
class JobChoice:
    """The jobs that a command is for: those with the ids, or all that a filter means.

    Of a filter, those older than the job `after` alone, where it has one.
    """

    ids: list[str] = field(default_factory=list)
    filter: dict[str, Any] | None = None
    after: str | None = None

    @property
    def is_one(self) -> bool:
        """Whether it is one job, which a call of its own is for."""
        return len(self.ids) == 1


def chosen_jobs(
    client: Client, references: Sequence[str] | None, where: Sequence[str] | None
) -> JobChoice:
    """The jobs that the arguments of a command name, or mean by `--where`; raises BadInput."""
    if references and where:
        raise BadInput("name the jobs, or say by --where which are meant: one of the two")
    if references:
        return JobChoice(job_ids_of(client, references))
    if not where:
        raise BadInput("name the jobs, or say by --where which are meant, as --where state=failed")
    wanted: dict[str, Any] = {}
    for text in where:
        name, is_pair, value = text.partition("=")
        if not (name and is_pair and value):
            raise BadInput(f"--where {text}: write NAME=VALUE, as in state=failed")
        if name in LISTS:
            wanted.setdefault(name, []).append(value)
        elif name in wanted:
            raise BadInput(f"--where {text}: {name} is given twice, and no job has two")
        else:
            wanted[name] = value
    after = wanted.pop("after", None)
    if not wanted:
        raise BadInput(f"--where after={after}: say which jobs are meant, too, as state=failed")
    if wanted.keys() == {"parts"}:
        raise BadInput(
            f"--where parts={wanted['parts']}: alone it means every job; say which are meant, as "
            "label=part_of:SEARCH for the parts of a search"
        )
    return JobChoice(filter=wanted, after=after)


def change_jobs(
    client: Client, action: BulkAction, jobs: JobChoice, *, as_json: bool, **fields: Any
) -> None:
    """Print a line for each job that was changed, or one document with the results of all jobs.

    Raises PartlyRefused, which names those that were refused.
    """
    refused: list[BulkResult] = []
    matched = 0
    changes = _replies(client, action, jobs, fields)
    for reply in _as_document(changes) if as_json else _as_lines(changes):
        matched += reply.matched
        refused += [result for result in reply.results if result.problem is not None]
    if refused:
        details = [each.problem.detail for each in refused[:_NAMED_REFUSALS] if each.problem]
        more = len(refused) - len(details)
        listed = "; ".join([*details, *([f"and {more:,} more"] if more else [])])
        raise PartlyRefused(f"{len(refused):,} of {count_text(matched, 'job')} refused: {listed}")


def _as_lines(changes: Iterator[BulkReply]) -> Iterator[BulkReply]:
    for reply in changes:
        for result in reply.results:
            if result.ok:
                terminal.echo(_line(result))
        yield reply


def _as_document(changes: Iterator[BulkReply]) -> Iterator[BulkReply]:
    parts: list[BulkReply] = []
    try:
        for reply in changes:
            parts.append(reply)
            yield reply
    finally:
        # What was changed before an error is changed.
        if parts:
            print_json(_merged(parts))


def _merged(parts: Sequence[BulkReply]) -> BulkReply:
    """The reply that one call would have given, of however many jobs."""
    results = tuple(result for part in parts for result in part.results)
    return BulkReply.model_construct(
        matched=sum(part.matched for part in parts),
        results=results,
        next=parts[-1].next,
        left=parts[-1].left,
    )


def _replies(
    client: Client, action: BulkAction, jobs: JobChoice, fields: dict[str, Any]
) -> Iterator[BulkReply]:
    """The reply of each call; how far they are is told on stderr, where one is not enough."""
    done, after, left = 0, jobs.after, 0
    try:
        for reply in _calls(client, action, jobs, fields):
            yield reply
            done, after = done + reply.matched, reply.next
            left = reply.left if jobs.filter is not None else len(jobs.ids) - done
            if left > 0:
                terminal.echo_error(f"{done:,} of {count_text(done + left, 'job')} done")
    except TrainyardError:
        if done:
            then = f": go on with --where after={after} beside the others" if after else ""
            terminal.echo_error(f"{count_text(done, 'job')} done, {left:,} not yet{then}")
        raise


def _calls(
    client: Client, action: BulkAction, jobs: JobChoice, fields: dict[str, Any]
) -> Iterator[BulkReply]:
    if jobs.filter is None:
        for start in range(0, len(jobs.ids), MOST_JOBS):
            yield client.bulk(action, ids=jobs.ids[start : start + MOST_JOBS], **fields)
        return
    after, is_first = jobs.after, True
    while is_first or after is not None:
        reply = client.bulk(action, filter=jobs.filter, limit=MOST_JOBS, after=after, **fields)
        yield reply
        after, is_first = reply.next, False


def _line(result: BulkResult) -> str:
    job = result.job
    parts = ("deleted",) if job is None else (job.state.value,)
    new = (job.id,) if job is not None and job.id != result.id else ()
    return " ".join((result.id, *new, *parts))
