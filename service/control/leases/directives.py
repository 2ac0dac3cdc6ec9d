"""The reply to a live attempt's heartbeat, with its directive."""

from collections.abc import Sequence

from service.contract.agent import BeatReply, Directive, Purge
from service.contract.checkpoints import Checkpoint
from service.contract.jobs import JobState
from service.store.leases import LiveAttempt


def beat_reply(attempt: LiveAttempt, acked_seq: int, purging: Sequence[Checkpoint]) -> BeatReply:
    """The reply to one attempt; `purging` are the checkpoints whose folders it is to remove."""
    return BeatReply(
        job_id=attempt.job_id,
        attempt=attempt.number,
        directive=directive_for(attempt),
        acked_seq=acked_seq,
        purge=tuple(Purge(checkpoint_id=c.id, path=c.path) for c in purging),
    )


def directive_for(attempt: LiveAttempt) -> Directive:
    """What an attempt is to do: a cancel goes before a pause and a preemption."""
    if attempt.job_state is JobState.CANCELLING:
        return "stop" if attempt.stop_mode == "now" else "checkpoint_and_stop"
    is_to_save = attempt.job_state is JobState.PAUSING or attempt.is_preempted
    return "checkpoint_and_stop" if is_to_save else "continue"
