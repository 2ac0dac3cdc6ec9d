"""A run waits for its trial of `torch.compile`: no longer than pays, and it can be stopped."""

from contextlib import ExitStack

import torch

from workers.training.attempt_results import Stopped
from workers.training.calibration import Workload
from workers.training.execution import Execution
from workers.training.failed_trials import FailedTrial, failed_trial, keep_failed_trial
from workers.training.run_context import RunContext
from workers.training.trial_messages import TrialAnswer, TrialRequest
from workers.training.trial_process import TrialProcess

_SHARE_OF_RUN, _MOST_SECONDS = 0.03, 3600.0
_POLL_SECONDS = 0.5
_NOTE_SECONDS = 300.0


def compile_trial(
    context: RunContext, workload: Workload, eager: Execution, run_seconds: float
) -> float | None:
    """The time of a compiled step as a share of the eager one's; None where it is not known.

    Rank 0 tries it, in a process of its own, for 3 % of the run's seconds and an hour at most, and
    not where it has failed a short time ago; a note says why it is not known. Each rank gets the
    same answer. Raises Stopped, at every rank.
    """
    limit_seconds = min(_SHARE_OF_RUN * run_seconds, _MOST_SECONDS)
    if (failed := _failed(context, workload, eager, limit_seconds)) is not None:
        context.events.note(
            f"compiling is not tried again: at {failed.at:%Y-%m-%d %H:%M} UTC {failed.problem} on "
            "this worker; the run is eager"
        )
        return None
    limit = f"{limit_seconds / 60:.0f} minutes"
    context.events.note(
        f"a process of its own compiles the network, for {limit} at most, to see whether that is "
        "faster"
    )
    request = _request(context, workload, eager)
    answer = context.ranks.gathered(_answer(context, request, limit_seconds, limit))[0]
    if answer.eager_seconds and answer.compiled_seconds:
        return answer.compiled_seconds / answer.eager_seconds
    if answer.problem is None:
        fit = "a compiled step does not fit into memory beside the run"
        answer = TrialAnswer(problem=fit, lasts=True)
    _keep(context, workload, eager, answer)
    context.events.note(f"{answer.problem}; the run is eager")
    return None


def _failed(
    context: RunContext, workload: Workload, eager: Execution, limit_seconds: float
) -> FailedTrial | None:
    """What rank 0 knows of an earlier trial, at each rank."""
    device, now = context.ranks.device, context.now()
    known = failed_trial(workload, device, eager, limit_seconds, now)
    return context.ranks.gathered([known])[0][0]


def _keep(context: RunContext, workload: Workload, eager: Execution, answer: TrialAnswer) -> None:
    if not (context.ranks.is_first and answer.lasts and answer.problem is not None):
        return
    failed = FailedTrial(
        execution=eager.as_json(),
        problem=answer.problem,
        limit_seconds=answer.limit_seconds,
        at=context.now(),
    )
    keep_failed_trial(workload, context.ranks.device, failed)


def _request(context: RunContext, workload: Workload, eager: Execution) -> TrialRequest:
    return TrialRequest(
        recipe=workload.recipe.name,
        variant=workload.variant,
        params=workload.params.model_dump(mode="json"),
        classes=workload.classes,
        world_size=workload.world_size,
        execution=eager,
        device=str(context.ranks.device),
        threads=torch.get_num_threads(),
    )


def _answer(
    context: RunContext, request: TrialRequest, limit_seconds: float, limit: str
) -> TrialAnswer:
    ranks, began, notes = context.ranks, context.clock(), 0
    with ExitStack() as stack:
        trial = stack.enter_context(TrialProcess(request)) if ranks.is_first else None
        while True:
            # The other ranks wait in the exchange for this one.
            has_ended = trial is not None and trial.has_ended(_POLL_SECONDS)
            seconds = context.clock() - began
            is_late = trial is not None and seconds > limit_seconds
            if ranks.any(context.stop_asked()):
                raise Stopped("stopped before its first step, as asked")
            if ranks.any(has_ended or is_late):
                break
            context.events.pulse()
            if seconds >= (notes + 1) * _NOTE_SECONDS:
                notes += 1
                context.events.note(f"the network compiles since {seconds / 60:.0f} minutes")
        if trial is None:
            return TrialAnswer()
        return (
            trial.answer()
            if has_ended
            else TrialAnswer(
                problem=f"compiling took more than {limit}",
                lasts=True,
                limit_seconds=limit_seconds,
            )
        )
