"""Whether what a supernet comes from has seen the images that are held out for a search."""

from sqlalchemy import Connection

from service.contract.checkpoints import Checkpoint
from service.contract.data_spec import DataSpec
from service.contract.holdout import keeps
from service.contract.specs import TrainSpec
from service.domain.search_checks import holdout_of
from service.domain.search_hints import SeenBy
from service.store import checkpoints, jobs

_MOST = 100
"""Trainings, of which each began from the one before: a longer lineage is told no further."""


def seen_by(tx: Connection, source: Checkpoint, every: int, data: DataSpec) -> SeenBy | None:
    """The last training that has seen what `every` holds out of the same data; None without one.

    `source` came of it, or of one that began from its weights. Nothing is known of what was
    imported, and of trainings that were deleted.
    """
    checkpoint: Checkpoint | None = source
    for _ in range(_MOST):
        stored = jobs.get(tx, checkpoint.job_id) if checkpoint is not None else None
        if checkpoint is None or stored is None or not isinstance(stored.job.spec, TrainSpec):
            return None
        spec, origin = stored.job.spec, stored.source_checkpoint
        trained = holdout_of(spec.params)
        if spec.data == data and not keeps(trained, every):
            return SeenBy(stored.job.id, checkpoint.id, trained)
        checkpoint = checkpoints.get(tx, origin) if origin is not None else None
    return None
