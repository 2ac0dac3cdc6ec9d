"""Commands that print series: what jobs have measured, and the use of hosts and GPUs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from service.cli import figures, terminal
from service.cli.exit_codes import BadInput
from service.cli.exports import AsCsv, Output, export, is_export
from service.cli.options import (
    LOCAL_SERVER,
    AsJson,
    JobId,
    JobIds,
    Server,
    Token,
    WorkerId,
    connect,
    print_json,
)
from service.cli.references import job_id_of, job_ids_of, worker_id_of
from service.cli.tables import print_table
from service.client.table_files import Rows
from service.contract.flat_rows import Row

Points = Annotated[
    int | None, typer.Option(min=2, max=10_000, help="The most points of each series.")
]
Series = Mapping[str, Sequence[tuple[int, float]]]


def metrics(
    job_ids: JobIds,
    name: Annotated[
        list[str] | None,
        typer.Option(help="A metric, such as loss; may be repeated. By default all of them."),
    ] = None,
    since_step: Annotated[int | None, typer.Option(min=0, help="Only from this step on.")] = None,
    max_points: Points = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    output: Output = None,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Print what a job has measured, a line for each step.

    With --csv and --output every point of one or several jobs, without a job's --max-points.
    """
    exports = is_export(as_csv=as_csv, output=output, as_json=as_json)
    with connect(server, token) as client:
        ids = job_ids_of(client, job_ids)
        if exports:
            export(client.metric_table(ids, name or (), since_step=since_step), output)
            return
        if len(ids) > 1:
            raise BadInput(
                "name one job, or write several with --csv or --output; see compare, too"
            )
        series = client.metrics(ids[0], name or (), since_step=since_step, max_points=max_points)
    if as_json:
        terminal.echo_json(json.dumps(dict(series), allow_nan=False))
        return
    print_table(("STEP", *(each.upper() for each in series)), _by_step(series))


def compare(
    job_ids: JobIds,
    metric: Annotated[str, typer.Option(help="The metric that is compared.")] = "top1_error",
    max_points: Points = 20,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Compare jobs: where their parameters differ, and one metric of each, step by step."""
    with connect(server, token) as client:
        ids = job_ids_of(client, job_ids)
        if len(ids) < 2:
            raise BadInput("name two or more jobs to compare")
        jobs = [client.job(each) for each in ids]
        series = {
            job.id: client.metrics(job.id, (metric,), max_points=max_points).get(metric, [])
            for job in jobs
        }
    specs = [_flat(job.spec.model_dump(mode="json")) for job in jobs]
    names = list(dict.fromkeys(name for spec in specs for name in spec))
    values = {name: [spec.get(name, figures.NONE) for spec in specs] for name in names}
    different = {name: row for name, row in values.items() if len(set(row)) > 1}
    if as_json:
        body = {"jobs": ids, "differences": different, "metric": metric, "series": series}
        terminal.echo_json(json.dumps(body, allow_nan=False))
        return
    last = [figures.loss(each[-1][1]) if each else figures.NONE for each in series.values()]
    rows = [("state", *(job.state.value for job in jobs)), (f"last {metric}", *last)]
    print_table(("", *ids), [*rows, *((name, *row) for name, row in different.items())])
    terminal.echo("")
    print_table(("STEP", *ids), _by_step(series))


def job_samples(
    job_id: JobId,
    max_points: Points = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    output: Output = None,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Print how busy the hosts and GPUs of a job's attempts were while they ran."""
    exports = is_export(as_csv=as_csv, output=output, as_json=as_json)
    with connect(server, token) as client:
        samples = client.job_samples(job_id_of(client, job_id), max_points=max_points)
    if exports:
        rows = (
            {"attempt": each.attempt, "worker_id": each.worker_id, **row}
            for each in samples.attempts
            for row in _sample_rows(each.series)
        )
        export(Rows(rows), output)
        return
    if as_json:
        print_json(samples)
        return
    for attempt in samples.attempts:
        terminal.echo(f"attempt {attempt.attempt} on {attempt.worker_id}")
        _print_samples(attempt.series)


def worker_samples(
    worker_id: WorkerId,
    max_points: Points = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    output: Output = None,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Print how busy a worker's host and GPUs were, for at most seven days."""
    exports = is_export(as_csv=as_csv, output=output, as_json=as_json)
    with connect(server, token) as client:
        samples = client.worker_samples(worker_id_of(client, worker_id), max_points=max_points)
    if exports:
        export(Rows(_sample_rows(samples.series)), output)
    elif as_json:
        print_json(samples)
    else:
        _print_samples(samples.series)


def _sample_rows(series: Series) -> Iterator[Row]:
    """A row for each moment that a series has a value of."""
    values = {name: dict(points) for name, points in series.items()}
    for seconds in sorted({at for points in values.values() for at in points}):
        found = {name: points[seconds] for name, points in values.items() if seconds in points}
        yield {"time": datetime.fromtimestamp(seconds, UTC), **found}


def _print_samples(series: Series) -> None:
    names = tuple(each.upper() for each in series)
    rows = (
        (figures.moment(datetime.fromtimestamp(int(row[0]), UTC)), *row[1:])
        for row in _by_step(series)
    )
    print_table(("WHEN", *names), rows)


def _by_step(series: Series) -> Iterator[tuple[str, ...]]:
    """A row for each step that a series has a value of."""
    values = [dict(points) for points in series.values()]
    for step in sorted({step for points in values for step in points}):
        yield (str(step), *(figures.loss(points.get(step)) for points in values))


def _flat(value: object, path: str = "") -> dict[str, str]:
    """By the path of each field of a specification its value as JSON."""
    if isinstance(value, Mapping):
        flat: dict[str, str] = {}
        for name, each in value.items():
            flat |= _flat(each, f"{path}.{name}" if path else str(name))
        return flat
    return {path: json.dumps(value, ensure_ascii=False, allow_nan=False)}
