"""What an attempt is told to do."""

from collections.abc import Sequence

from service.contract.agent import BeatReply, Directive, Purge
from service.contract.checkpoints import Checkpoint
from service.contract.jobs import JobState
from service.store.attempts import HeldAttempt


def order(held: HeldAttempt, acked_seq: int, purging: Sequence[Checkpoint]) -> BeatReply:
    """The reply to a live attempt's beat."""
    return BeatReply(
        job_id=held.job_id,
        attempt=held.number,
        directive=_directive(held),
        acked_seq=acked_seq,
        purge=tuple(Purge(checkpoint_id=c.id, path=c.path) for c in purging),
    )


def _directive(held: HeldAttempt) -> Directive:
    if held.job_state is JobState.PAUSING:
        return "checkpoint_and_stop"
    if held.job_state is not JobState.CANCELLING:
        return "continue"
    return "stop" if held.stop_mode == "now" else "checkpoint_and_stop"
