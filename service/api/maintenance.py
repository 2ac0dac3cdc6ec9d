"""The routes that look at the volume itself: verify and collect."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from service.api.dependencies import Context, VolumeScan
from service.api.parameters import PathId
from service.api.refusals import refusals
from service.contract.checkpoints import Collection, Verification
from service.contract.json_types import Boolean
from service.control.checkpoints import index
from service.control.checkpoints.gc import Collector
from service.volume.folder import verify_published

router = APIRouter(prefix="/checkpoints", tags=["checkpoints"])


class Collect(BaseModel):
    """Whether to remove what nobody needs, or only to list it."""

    model_config = ConfigDict(extra="forbid")

    dry_run: Boolean = False


@router.post("/{checkpoint_id}/verify", responses=refusals(404, 410), dependencies=[VolumeScan])
def verify(checkpoint_id: PathId, context: Context) -> Verification:
    """Read every byte, and mark the checkpoint as damaged, or as whole again."""
    with context.database.read() as tx:
        checkpoint = index.readable(tx, checkpoint_id)
    problems = verify_published(context.volume.root, checkpoint)
    # What is missing in another folder, such as an empty mount point, is not damaged.
    context.volume.require()
    with context.database.write() as tx:
        return index.record_asked_verification(tx, checkpoint_id, problems, context.now())


@router.post("/gc", dependencies=[VolumeScan])
def collect(how: Collect, context: Context) -> Collection:
    """Remove folders that nobody needs: surplus of ended jobs, orphans, stale stages.

    What a newer version made is left.
    """
    collector = Collector(context.database, context.volume, context.now())
    garbage = collector.collect(dry_run=how.dry_run)
    left = collector.newer_folders()
    return Collection(dry_run=how.dry_run, data=tuple(garbage), left=tuple(left))
