"""Commands that begin, list, show, steer and delete sweeps."""

import json
from collections.abc import Mapping
from itertools import islice
from typing import Annotated, Any

import typer

from service.cli import figures, terminal
from service.cli.documents import Deletion
from service.cli.figures import NONE, moment
from service.cli.options import (
    LOCAL_SERVER,
    MOST,
    AsJson,
    Server,
    SweepId,
    Token,
    connect,
    print_json,
    print_json_lines,
)
from service.cli.references import sweep_id_of
from service.cli.spec_file import read_spec_file
from service.cli.sweep_watch import best_text, ended_trials, require_a_success, watched
from service.cli.tables import print_table
from service.contract.counts import count_text
from service.contract.sweeps import Sweep, SweepState, Trial

_COLUMNS = ("SWEEP", "NAME", "STATE", "ENDED", "TRIALS", "STEPS", "BEST", "CREATED")
_TRIAL_COLUMNS = ("NUMBER", "STATE", "PARAMETERS", "VALUE", "STEPS", "JOB", "MESSAGE")


def create(
    file: Annotated[
        str,
        typer.Option("-f", "--file", help="A sweep in JSON or YAML, - for stdin."),
    ],
    key: Annotated[
        str | None,
        typer.Option("--idempotency-key", "--key", help="The same key makes no second sweep."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check it, with the training of every trial.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show its progress until it ends.")
    ] = False,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Begin a sweep, and print its id.

    trainyard sweep create -f sweep.yaml --dry-run

    trainyard sweep create -f sweep.yaml --watch
    """
    spec = read_spec_file(file, '{"job": …, "parameters": …}')
    with connect(server, token) as client:
        if dry_run:
            checked = client.check_sweep(spec)
            trials = count_text(checked.trial_count, "trial")
            text = f"It can run, with {trials} at most; nothing was stored."
            print_json(checked) if as_json else terminal.echo(text)
            return
        sweep = client.create_sweep(spec, key=key)
        if not watch:
            print_json(sweep) if as_json else terminal.echo(sweep.id)
            return
        ended = watched(client, sweep.id, as_json=as_json)
    if as_json:
        print_json(ended)
    require_a_success(ended)


def list_sweeps(
    state: Annotated[
        list[SweepState] | None, typer.Option(help="Only in this state; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="The newest of them.")] = 20,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """List the sweeps, newest first."""
    with connect(server, token) as client:
        sweeps = islice(client.sweeps(state=state), limit)
        if as_json:
            print_json_lines(sweeps)
        else:
            print_table(_COLUMNS, map(_row, sweeps))


def show(
    sweep_id: SweepId,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Show a sweep, and the best of its trials with its parameters, job and checkpoint."""
    with connect(server, token) as client:
        sweep = client.sweep(sweep_id_of(client, sweep_id))
    if as_json:
        print_json(sweep)
        return
    best = sweep.best
    rows = {
        "sweep": sweep.id,
        "name": sweep.name,
        "state": sweep.state.value,
        "message": sweep.message,
        "unreadable": sweep.unreadable,
        "owner": sweep.submitted_by,
        "created": moment(sweep.created_at),
        "finished": sweep.finished_at and moment(sweep.finished_at),
        "trials": _counts(sweep),
        "steps": str(sweep.steps),
        "best": best_text(sweep),
        "parameters": best and _parameters(best.parameters),
        "job": best and best.job_id,
        "checkpoint": best and best.checkpoint_id,
        "actions": ", ".join(sweep.actions),
    }
    for title, text in rows.items():
        if text:
            terminal.echo(f"{title:<12}{text}")


def trials(
    sweep_id: SweepId,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="The first of them.")] = MOST,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """List the trials of a sweep that have begun, by number."""
    with connect(server, token) as client:
        begun = islice(client.trials(sweep_id_of(client, sweep_id)), limit)
        if as_json:
            print_json_lines(begun)
        else:
            print_table(_TRIAL_COLUMNS, map(_trial_row, begun))


def pause(
    sweep_id: SweepId, as_json: AsJson = False, server: Server = LOCAL_SERVER, token: Token = None
) -> None:
    """Pause a sweep: no trial begins, and the running jobs save a checkpoint and stop."""
    with connect(server, token) as client:
        sweep = client.pause_sweep(sweep_id_of(client, sweep_id))
    print_json(sweep) if as_json else terminal.echo(sweep.state.value)


def resume(
    sweep_id: SweepId, as_json: AsJson = False, server: Server = LOCAL_SERVER, token: Token = None
) -> None:
    """Resume a paused sweep, with the jobs that were paused with it."""
    with connect(server, token) as client:
        sweep = client.resume_sweep(sweep_id_of(client, sweep_id))
    print_json(sweep) if as_json else terminal.echo(sweep.state.value)


def cancel(
    sweep_id: SweepId, as_json: AsJson = False, server: Server = LOCAL_SERVER, token: Token = None
) -> None:
    """Cancel a sweep: no trial begins, and the running jobs save a checkpoint and end."""
    with connect(server, token) as client:
        sweep = client.cancel_sweep(sweep_id_of(client, sweep_id))
    print_json(sweep) if as_json else terminal.echo(sweep.state.value)


def delete(
    sweep_id: SweepId, as_json: AsJson = False, server: Server = LOCAL_SERVER, token: Token = None
) -> None:
    """Delete a sweep that has ended; its jobs stay."""
    with connect(server, token) as client:
        id_ = sweep_id_of(client, sweep_id)
        client.delete_sweep(id_)
    print_json(Deletion(id=id_)) if as_json else terminal.echo(f"deleted {id_}")


def _row(sweep: Sweep) -> tuple[str, ...]:
    return (
        sweep.id,
        sweep.name or NONE,
        sweep.state.value,
        str(ended_trials(sweep)),
        str(sweep.trial_count),
        str(sweep.steps),
        best_text(sweep) or NONE,
        moment(sweep.created_at),
    )


def _trial_row(trial: Trial) -> tuple[str, ...]:
    return (
        str(trial.number),
        trial.state.value,
        _parameters(trial.parameters),
        figures.loss(trial.value),
        str(trial.steps),
        trial.job_id or NONE,
        trial.message or NONE,
    )


def _counts(sweep: Sweep) -> str:
    states = [f"{count} {state}" for state, count in sweep.trials.items() if count]
    return ", ".join([f"{ended_trials(sweep)} of {sweep.trial_count} ended", *states])


def _parameters(parameters: Mapping[str, Any]) -> str:
    """As `--param` takes them, with every digit."""
    return " ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value, allow_nan=False)}"
        for name, value in parameters.items()
    )
