"""The command that follows a sweep until it ends."""

from typing import Annotated

import typer
from rich.console import Console

from service.cli import figures, terminal
from service.cli.exit_codes import ExitCode, Failed
from service.cli.options import (
    LOCAL_SERVER,
    AsJson,
    Server,
    SweepId,
    Token,
    connect,
    print_json,
)
from service.cli.progress_bar import ProgressBar
from service.cli.references import sweep_id_of
from service.client import Client
from service.contract.sweeps import Sweep, SweepState, TrialState


def watch(
    sweep_id: SweepId,
    timeout: Annotated[
        float | None, typer.Option(min=0, help="Stop waiting after this many seconds.")
    ] = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Show how many trials of a sweep have ended, and the best value, until it ends.

    The exit status is 1 if it was cancelled or no trial succeeded. Ctrl-C ends the command; the
    sweep goes on.
    """
    with connect(server, token) as client:
        id_ = sweep_id_of(client, sweep_id)
        ended = watched(client, id_, as_json=as_json, timeout_seconds=timeout)
    if as_json:
        print_json(ended)
    require_a_success(ended)


def watched(
    client: Client, sweep_id: str, *, as_json: bool = False, timeout_seconds: float | None = None
) -> Sweep:
    """The sweep once it has ended; until then its progress is shown, on stderr if stdout is JSON.

    Ctrl-C ends the program, and says that the sweep goes on.
    """
    try:
        with _SweepProgress(terminal.console(stderr=as_json)) as progress:
            return client.wait_for_sweep(sweep_id, progress.show, timeout_seconds=timeout_seconds)
    except KeyboardInterrupt:
        terminal.echo_error(
            f"{sweep_id} goes on: `trainyard sweep watch {sweep_id}` shows it again, "
            f"`trainyard sweep cancel {sweep_id}` ends it"
        )
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def require_a_success(sweep: Sweep) -> None:
    """Raise Failed with the sweep's message if it was cancelled, or no trial of it succeeded."""
    why = f": {sweep.message}" if sweep.message else ""
    if sweep.state != SweepState.FINISHED:
        raise Failed(f"{sweep.id} {sweep.state.value}{why}")
    if not sweep.trials.get(TrialState.SUCCEEDED):
        raise Failed(
            f"{sweep.id} {sweep.state.value}, and no trial succeeded{why}: see "
            f"`trainyard sweep trials {sweep.id}`"
        )


def ended_trials(sweep: Sweep) -> int:
    """How many trials of a sweep have begun and ended."""
    return sum(sweep.trials.values()) - sweep.trials.get(TrialState.LIVE, 0)


def best_text(sweep: Sweep) -> str | None:
    """The best value so far, with its metric and trial; None before the first."""
    if sweep.best is None:
        return None
    objective = sweep.spec.get("objective") if isinstance(sweep.spec, dict) else None
    metric = objective.get("metric") if isinstance(objective, dict) else None
    return f"{metric or 'value'} {figures.loss(sweep.best.value)} (trial {sweep.best.number})"


class _SweepProgress(ProgressBar):
    """A bar of the trials on a terminal, and in a file a line whenever a trial begins or ends."""

    def __init__(self, console: Console) -> None:
        self._console = console
        super().__init__(console, "")
        self._line = ""

    def show(self, sweep: Sweep) -> None:
        """Update the bar, or print a line if it differs from the one before."""
        ended, best = ended_trials(sweep), best_text(sweep)
        live = f"{sweep.trials.get(TrialState.LIVE, 0)} live"
        parts = [live, *([f"best {best}"] if best else [])]
        if self.is_shown:
            self.update(
                sweep.state.value, done=ended, total=sweep.trial_count, figures=", ".join(parts)
            )
            return
        trials = f"{ended} of {sweep.trial_count} trials ended"
        line = f"{sweep.state.value}: {', '.join((trials, *parts))}"
        if line != self._line:
            self._line = line
            self._console.print(terminal.visible(line), soft_wrap=True)
