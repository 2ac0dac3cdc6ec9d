"""Where a checkpoint comes from, and what came of it."""

from sqlalchemy import Connection

from service.contract.checkpoint_lineage import Lineage
from service.domain.errors import NotFound
from service.store import jobs
from service.store import lineage as store


def of(tx: Connection, checkpoint_id: str) -> Lineage:
    """From the checkpoint to the root, and to its children; raises NotFound."""
    entry = store.entry_of(tx, checkpoint_id)
    if entry is None:
        raise NotFound("no_such_checkpoint", f"there is no checkpoint {checkpoint_id}")
    ancestors = store.ancestors_of(tx, entry)
    job = jobs.get(tx, entry.job_id)
    uses = store.uses_of(tx, checkpoint_id)
    return Lineage(
        checkpoint=entry,
        spec=job.job.spec.model_dump(mode="json") if job is not None else None,
        ancestors=tuple(ancestors),
        complete=([entry, *ancestors])[-1].parent_checkpoint is None,
        children=tuple(store.children_of(tx, checkpoint_id)),
        jobs=tuple(use.job_id for use in uses),
        uses=tuple(uses),
    )
