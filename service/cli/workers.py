"""Commands that list, drain and resume workers."""

from typing import Annotated

import typer

from service.cli import terminal
from service.cli.exports import AsCsv, Output, export, is_export
from service.cli.figures import NONE, moment, share, size
from service.cli.options import (
    LOCAL_SERVER,
    AsJson,
    Server,
    Token,
    WorkerId,
    connect,
    print_json,
    print_json_lines,
)
from service.cli.references import worker_id_of
from service.cli.tables import print_table
from service.contract.registration import Gpu
from service.contract.samples import Sample
from service.contract.workers import Worker

_COLUMNS = ("WORKER", "HOST", "STATE", "JOBS", "GPUS", "GPU", "CPU", "MEMORY", "DISK", "WHY")


def list_by_default(
    context: typer.Context,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """List, show, drain and resume workers; without a command, list them."""
    if context.invoked_subcommand is None:
        list_workers(as_json, server=server, token=token)


def list_workers(
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    output: Output = None,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """List the workers with what they run, and the use of their GPUs, CPU, memory and disk."""
    exports = is_export(as_csv=as_csv, output=output, as_json=as_json)
    with connect(server, token) as client:
        workers = client.workers()
    if exports:
        export(workers, output)
    elif as_json:
        print_json_lines(workers)
    else:
        print_table(_COLUMNS, map(_row, workers))


def show(
    worker_id: WorkerId, as_json: AsJson = False, server: Server = LOCAL_SERVER, token: Token = None
) -> None:
    """Show a worker: its GPUs, what it runs, and what it can run."""
    with connect(server, token) as client:
        worker = client.worker(worker_id_of(client, worker_id))
    if as_json:
        print_json(worker)
        return
    gpus = [_gpu_line(gpu) for gpu in worker.gpus]
    labels = [f"{key}={value}" for key, value in worker.labels.items()]
    rows: dict[str, list[str | None]] = {
        "worker": [worker.id],
        "host": [worker.host],
        "state": [worker.state.value],
        "why": [worker.message],
        "version": [worker.version],
        "labels": [" ".join(labels)],
        "slots": [str(worker.slots)],
        "hosts": [str(worker.hosts) if worker.hosts > 1 else None],
        "gpus": [*gpus],
        "jobs": [f"{job} {worker.job_names.get(job, '')}".rstrip() for job in worker.jobs],
        "recipes": [" ".join(worker.recipes)],
        "kinds": [" ".join(worker.kinds)],
        "registered": [moment(worker.registered_at)],
        "last seen": [moment(worker.last_seen_at)],
    }
    for title, lines in rows.items():
        for number, line in enumerate(filter(None, lines)):
            terminal.echo(f"{'' if number else title:<12}{line}")


def drain(
    worker_id: WorkerId,
    undo: Annotated[
        bool,
        typer.Option(
            "--undo", help="Let the worker claim jobs again; this also ends a quarantine."
        ),
    ] = False,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Drain a worker: it finishes its running jobs and claims no new ones."""
    if undo:
        resume(worker_id, as_json, server, token)
        return
    with connect(server, token) as client:
        worker = client.drain(worker_id_of(client, worker_id))
    print_json(worker) if as_json else terminal.echo(worker.state.value)


def resume(
    worker_id: WorkerId, as_json: AsJson = False, server: Server = LOCAL_SERVER, token: Token = None
) -> None:
    """Let a draining or quarantined worker claim jobs again."""
    with connect(server, token) as client:
        worker = client.resume_worker(worker_id_of(client, worker_id))
    print_json(worker) if as_json else terminal.echo(worker.state.value)


def _row(worker: Worker) -> tuple[str, ...]:
    sample = worker.sample or Sample()
    return (
        worker.id,
        worker.host,
        worker.state.value,
        str(len(worker.jobs)),
        _gpu_count(worker),
        share(_mean([gpu.use for gpu in sample.gpus])),
        share(sample.cpu_use),
        share(_part(sample.memory_used_bytes, sample.memory_total_bytes)),
        share(_part(sample.disk_used_bytes, sample.disk_total_bytes)),
        worker.message or "; ".join(map(_problem, worker.unusable_gpus)) or NONE,
    )


def _gpu_line(gpu: Gpu) -> str:
    problem = "" if gpu.problem is None else f"; not given out: {gpu.problem}"
    # Of a cluster's GPU the memory is not known.
    memory = f", {size(gpu.memory_bytes)}" if gpu.memory_bytes else ""
    return f"{gpu.index}: {gpu.name}{memory}{problem}"


def _gpu_count(worker: Worker) -> str:
    count = str(len(worker.gpus))
    return f"{worker.usable_gpu_count} of {count}" if worker.unusable_gpus else count


def _problem(gpu: Gpu) -> str:
    return f"GPU {gpu.index}: {gpu.problem}"


def _mean(uses: list[float | None]) -> float | None:
    known = [use for use in uses if use is not None]
    return sum(known) / len(known) if known else None


def _part(used: int | None, total: int | None) -> float | None:
    return used / total if used is not None and total else None
