"""What may be made of a checkpoint now."""

from sqlalchemy import Connection

from service.contract.access import Role
from service.contract.actions import JobAction
from service.contract.checkpoints import Checkpoint
from service.contract.specs import TrainSpec
from service.control.kinds.uses import train_longer, uses_of
from service.domain.access import SERVER, Caller
from service.store import jobs


def with_actions(tx: Connection, checkpoint: Checkpoint, by: Caller = SERVER) -> Checkpoint:
    """The checkpoint with the calls that the API would accept for it; a viewer may make none."""
    if not by.may(Role.USER):
        return checkpoint
    return checkpoint.model_copy(update={"actions": _actions_of(tx, checkpoint)})


def _actions_of(tx: Connection, checkpoint: Checkpoint) -> tuple[JobAction, ...]:
    if checkpoint.state != "published":
        return ()
    origin = jobs.get(tx, checkpoint.job_id)
    spec = origin.job.spec if origin is not None else None
    if not isinstance(spec, TrainSpec):
        return uses_of(checkpoint.id, checkpoint.recipe, None)
    # Final weights have no training state.
    longer = () if checkpoint.phase == "final" else (train_longer(checkpoint.id, spec),)
    return (*longer, *uses_of(checkpoint.id, checkpoint.recipe, spec))
