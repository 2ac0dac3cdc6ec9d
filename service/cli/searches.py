"""Commands that begin searches of supernets, and show and train what they have found."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli import terminal
from service.cli.exports import AsCsv, Output, export_items, is_export
from service.cli.figures import NONE, error_rate, loss
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
from service.cli.references import job_id_of
from service.cli.spec import gpus_of, labels, merged, parameters, without_none
from service.cli.spec_file import read_spec_file
from service.cli.submit import (
    Dataset,
    DryRun,
    FileOption,
    Gpus,
    Key,
    Label,
    MaxFailures,
    Name,
    Packed,
    Preemptible,
    Priority,
    Ranks,
    TrainDir,
    ValDir,
    Watch,
    WorkerLabel,
    explain,
)
from service.cli.tables import print_table
from service.cli.watch import show_submitted
from service.cli.weights import checkpoint_of
from service.cli.written_files import show_written
from service.contract.candidates import Candidate
from service.contract.flat_rows import CANDIDATE_COLUMNS
from service.contract.search_summaries import CandidateOrder, SearchSummary

_COLUMNS = ("ORDER", "GENERATION", "ORIGIN", "TOP-1", "TOP-5", "LOSS", "MULTIPLY-ADDS", "BLOCKS")
_MILLION = 1e6


def create(
    checkpoint: Annotated[
        str | None,
        typer.Argument(
            metavar="CHECKPOINT",
            help="The supernet: id, tag or @last; JOB@latest or JOB@best.",
            show_default=False,
        ),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            help="A parameter as KEY=VALUE, such as macs_limit; may be repeated.",
            show_default=False,
        ),
    ] = None,
    dataset: Dataset = None,
    train_dir: TrainDir = None,
    val_dir: ValDir = None,
    packed: Packed = None,
    name: Name = None,
    label: Label = None,
    priority: Priority = None,
    preemptible: Preemptible = None,
    gpus: Gpus = None,
    ranks: Ranks = None,
    worker_label: WorkerLabel = None,
    max_failures: MaxFailures = None,
    file: FileOption = None,
    watch: Watch = False,
    dry_run: DryRun = False,
    key: Key = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Search a supernet for its best path, and print the job's id.

    trainyard search create supernet@latest --dataset digits -p macs_limit=6357440 --watch
    """
    options: dict[str, Any] = {
        "params": parameters(param or []),
        "data": without_none(dataset=dataset, train_dir=train_dir, val_dir=val_dir, packed=packed),
        **{"name": name, "labels": labels("--label", label or []), "priority": priority},
        **{"preemptible": preemptible, "max_failures": max_failures},
        "resources": _resources(gpus, ranks, worker_label),
    }
    of_file = read_spec_file(file, '{"kind": "search", …}')
    with connect(server, token) as client:
        options["checkpoint"] = checkpoint_of(client, checkpoint) if checkpoint else None
        spec = merged({"kind": "search", **of_file}, options)
        if dry_run:
            explain(client, spec, as_json=as_json)
            return
        job = client.submit(spec, key=key)
        show_submitted(client, job, watch=watch, as_json=as_json)


def show(
    job_id: JobId, as_json: AsJson = False, server: Server = LOCAL_SERVER, token: Token = None
) -> None:
    """Show how far a search is, the best path, and those that none is smaller and as good as."""
    with connect(server, token) as client:
        summary = client.search_summary(job_id_of(client, job_id))
    if as_json:
        print_json(summary)
        return
    for title, text in _lines(summary):
        terminal.echo(f"{title:<12}{text}")
    print_table(_COLUMNS, map(_row, summary.front))
    if (more := summary.left_out.get("/front")) is not None:
        terminal.echo(f"{more} more are not shown: trainyard search candidates {summary.job_id}")


def candidates(
    job_id: JobId,
    order_by: Annotated[
        CandidateOrder, typer.Option(help="As they were asked for, the best or the smallest first.")
    ] = "fitness",
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="The first of them.")] = MOST,
    as_csv: AsCsv = False,
    output: Output = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """List what a search has measured, the best first."""
    exports = is_export(as_csv=as_csv, output=output, as_json=as_json)
    with connect(server, token) as client:
        found = client.candidates(job_id_of(client, job_id), order_by=order_by).first(limit)
    if exports:
        export_items(found, output, CANDIDATE_COLUMNS)
    elif as_json:
        print_json_lines(found)
    else:
        print_table(_COLUMNS, map(_row, found))


def download(
    job_id: JobId,
    to: Annotated[
        Path | None, typer.Option(help="Target folder; by default named after the search's id.")
    ] = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Download the table of a search that has ended, and its pictures.

    They are search.png, generations.png, front.png and choices.png; docs/search.md explains them.
    """
    with connect(server, token) as client:
        search = job_id_of(client, job_id)
        show_written(search, client.download_files(search, to or Path(search)), as_json=as_json)


def train(
    job_id: JobId,
    blocks: Annotated[
        str | None, typer.Option(help="Another of its candidates than the best, by its digits.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", help="A parameter as KEY=VALUE; may be repeated."),
    ] = None,
    name: Name = None,
    label: Label = None,
    gpus: Gpus = None,
    ranks: Ranks = None,
    worker_label: WorkerLabel = None,
    watch: Watch = False,
    key: Key = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Train the best path of a search as a network of its own, and print the new job's id."""
    resources = _resources(gpus, ranks, worker_label)
    fields: dict[str, Any] = {"params": parameters(param or []), **without_none(name=name)}
    fields |= {"labels": labels("--label", label or [])} if label else {}
    fields |= {"resources": resources} if resources else {}
    with connect(server, token) as client:
        search = job_id_of(client, job_id)
        path = blocks or client.best_candidate(search).blocks
        job = client.train_candidate(search, path, key=key, **fields)
        show_submitted(client, job, watch=watch, as_json=as_json)


def _resources(
    gpus: str | None, ranks: int | None, worker_label: list[str] | None
) -> dict[str, Any]:
    wanted = labels("--worker-label", worker_label or []) or None
    return without_none(gpus=gpus_of(gpus), ranks=ranks, labels=wanted)


def _lines(summary: SearchSummary) -> Iterator[tuple[str, str]]:
    yield "search", summary.job_id
    yield "measured", f"{summary.evaluated} of {summary.total} candidates"
    least, most = summary.least_multiply_adds, summary.most_multiply_adds
    span = "" if least is None or most is None else f", of {_macs(least)} to {_macs(most)}"
    yield "limit", f"{_macs(summary.macs_limit)} at {summary.macs_image_size} px{span}"
    if summary.workers > 1:
        yield "parts", f"trainyard jobs --label part_of:{summary.job_id}"
    if summary.best is not None:
        yield "best", summary.best.blocks
        yield "error", f"{error_rate(summary.best.top1_error)}, loss {loss(summary.best.loss)}"
        yield "size", _macs(summary.best.multiply_adds)


def _row(candidate: Candidate) -> tuple[str, ...]:
    return (
        str(candidate.order),
        str(candidate.generation) if candidate.generation else NONE,
        candidate.origin,
        error_rate(candidate.top1_error),
        error_rate(candidate.top5_error),
        loss(candidate.loss),
        _macs(candidate.multiply_adds),
        candidate.blocks,
    )


def _macs(multiply_adds: int) -> str:
    return f"{multiply_adds / _MILLION:,.2f} M"
