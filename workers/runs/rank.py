"""One rank of an attempt, from `spec.json` to its last event: the frame around every kind."""

import pkgutil
import signal
import traceback
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import FrameType

from service.contract.agent import AttemptResult
from service.contract.ids import new_id
from service.contract.jobs import Reason
from service.contract.oom_kills import count_oom_kills
from service.contract.specs import EvalSpec, TrainSpec
from workers.attempt_dir import Assignment, AttemptDir
from workers.kinds import KINDS
from workers.runs.first_step_span import first_step_span
from workers.training.attempt_results import Stopped, result_of
from workers.training.distributed import RanksNotConnected, joined
from workers.training.event_files import EventFiles
from workers.training.events import Events
from workers.training.run_context import RunContext
from workers.training.time_account import TimeAccount


def run_rank(spec_path: Path) -> int:
    """Run this rank of the attempt whose folder holds `spec_path`.

    Returns 0 once rank 0 has written the `ended` event, or this rank has nothing left to report.
    SIGTERM at any rank finishes the step, saves, and ends the attempt as released.
    """
    attempt_dir = AttemptDir(spec_path.parent)
    assignment = attempt_dir.assignment()
    signals: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        signals.append(number)

    signal.signal(signal.SIGTERM, ask)
    try:
        with (
            joined() as ranks,
            closing(
                Events(attempt_dir, _now, writes=ranks.is_first, mirror=_event_files(assignment))
            ) as events,
            first_step_span(assignment.claim, is_first=ranks.is_first) as note_first_step,
        ):
            context = RunContext(
                assignment=assignment,
                attempt_folder=attempt_dir.folder,
                ranks=ranks,
                events=events,
                stop_asked=lambda: bool(signals),
                clock=monotonic,
                now=_now,
                new_id=_new_id,
                times=TimeAccount(monotonic),
                note_first_step=note_first_step,
            )
            return _run(context)
    except RanksNotConnected as error:
        traceback.print_exc()
        with closing(Events(attempt_dir, _now, writes=error.is_first)) as events:
            events.report("ended", result_of(error, assignment.claim).model_dump(mode="json"))
        return 0 if error.is_first else 1


def _run(context: RunContext) -> int:
    ranks, claim, oom_kills = context.ranks, context.claim, count_oom_kills()
    try:
        run = pkgutil.resolve_name(KINDS[claim.spec.kind])
        result = AttemptResult(outcome="succeeded", reason=Reason.FINISHED, result=run(context))
    except Stopped as stopped:
        result = result_of(stopped, claim)
    except Exception as error:
        traceback.print_exc()
        result = result_of(error, claim, oom_killed=count_oom_kills() > oom_kills)
        if not ranks.is_first:
            return 0 if ranks.report_failure(result.model_dump_json()) else 1
        # An exchange that broke off is another rank's failure, if that rank says so.
        reported = ranks.reported_failure() if isinstance(error, RuntimeError) else None
        result = result if reported is None else AttemptResult.model_validate_json(reported)
    line = f"{result.outcome}: {result.message}" if result.message else result.outcome
    result = result.model_copy(update={"time_spent": context.times.spent()})
    context.events.report("ended", result.model_dump(mode="json"), line)
    return 0


def _event_files(assignment: Assignment) -> EventFiles | None:
    spec = assignment.claim.spec
    is_measured = isinstance(spec, TrainSpec | EvalSpec)
    return EventFiles(assignment.shared_volume, assignment.claim) if is_measured else None


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return new_id("ckpt")
