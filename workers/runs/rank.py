"""One rank of an attempt, from `spec.json` to its last event: the frame around every kind."""

import pkgutil
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import FrameType

from service.contract.agent import AttemptResult
from service.contract.ids import new_id
from service.contract.jobs import Reason
from service.contract.oom_kills import count_oom_kills
from service.contract.specs import EvalSpec, SearchSpec, TrainSpec
from workers.attempt_dir import Assignment, AttemptDir
from workers.kinds import KINDS
from workers.launcher.process_exit import UNUSABLE_GPU_STATUS
from workers.runs.first_step_span import first_step_span
from workers.training.attempt_results import Stopped, result_of
from workers.training.device_check import gpu_problem
from workers.training.distributed import Ranks, RanksNotConnected, joined
from workers.training.event_files import EventFiles
from workers.training.events import Events
from workers.training.run_context import RunContext
from workers.training.time_account import TimeAccount


def run_rank(spec_path: Path, find_problem: Callable[[], str | None] = gpu_problem) -> int:
    """Run this rank of the attempt whose folder holds `spec_path`.

    Returns 0 once rank 0 has written the `ended` event, or this rank has nothing left to report.
    SIGTERM at any rank finishes the step, saves, and ends the attempt as released.

    `find_problem` says why the rank's GPU cannot be used; the rank of a job with GPUs then writes
    it to its log and returns UNUSABLE_GPU_STATUS, and no job with GPUs runs on the CPU unseen.
    """
    attempt_dir = AttemptDir(spec_path.parent)
    assignment = attempt_dir.assignment()
    # Before the ranks join: those whose GPU works would wait for this one.
    problem = find_problem() if assignment.claim.spec.resources.gpu_count else None
    if problem is not None:
        sys.stderr.write(f"{problem}\n")
        return UNUSABLE_GPU_STATUS
    signals: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        signals.append(number)

    signal.signal(signal.SIGTERM, ask)
    try:
        with joined() as ranks:
            status = _run_joined(attempt_dir, assignment, ranks, lambda: bool(signals))
            # Only now: a volume may hang while the last event is written.
            if ranks.is_first:
                ranks.let_others_end()
            return status
    except RanksNotConnected as error:
        traceback.print_exc()
        result, is_first = result_of(error, assignment.claim), error.rank == 0
        with closing(Events(attempt_dir, _now, writes=is_first)) as events:
            events.report("ended", result.model_dump(mode="json"))
        if not is_first:
            _leave_failure(attempt_dir, error.rank, result)
        return 0 if is_first else 1


def _run_joined(
    attempt_dir: AttemptDir, assignment: Assignment, ranks: Ranks, stop_asked: Callable[[], bool]
) -> int:
    mirror = _event_files(assignment)
    with (
        closing(Events(attempt_dir, _now, writes=ranks.is_first, mirror=mirror)) as events,
        first_step_span(assignment.claim, is_first=ranks.is_first) as note_first_step,
    ):
        context = RunContext(
            assignment=assignment,
            attempt_folder=attempt_dir.folder,
            ranks=ranks,
            events=events,
            stop_asked=stop_asked,
            clock=monotonic,
            now=_now,
            new_id=_new_id,
            times=TimeAccount(monotonic),
            note_first_step=note_first_step,
        )
        return _run(context)


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
            is_stored = ranks.report_failure(result.model_dump_json())
            _leave_failure(AttemptDir(context.attempt_folder), ranks.rank, result)
            return 0 if is_stored else 1
        # An exchange that broke off is another rank's failure, if that rank says so.
        reported = ranks.reported_failure() if isinstance(error, RuntimeError) else None
        result = result if reported is None else AttemptResult.model_validate_json(reported)
    line = f"{result.outcome}: {result.message}" if result.message else result.outcome
    result = result.model_copy(update={"time_spent": context.times.spent()})
    context.events.report("ended", result.model_dump(mode="json"), line)
    ranks.wait_for_first()
    return 0


def _leave_failure(attempt_dir: AttemptDir, rank: int, result: AttemptResult) -> None:
    # For the agent, should rank 0 hang; without space on the volume the log still has the stack.
    with suppress(OSError):
        attempt_dir.put_failure(rank, result.model_dump_json())


def _event_files(assignment: Assignment) -> EventFiles | None:
    spec = assignment.claim.spec
    # To measure given candidates has no course to show, and may be one of hundreds of parts.
    is_search = isinstance(spec, SearchSpec) and spec.params.candidates is None
    is_measured = is_search or isinstance(spec, TrainSpec | EvalSpec)
    return EventFiles(assignment.shared_volume, assignment.claim) if is_measured else None


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return new_id("ckpt")
