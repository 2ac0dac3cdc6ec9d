"""What the events of a heartbeat measure for the metrics of the server."""

from sqlalchemy import Connection

from service.contract.time_spent import TimeSpent
from service.control.leases.event_batch import EventBatch
from service.store.measurements import measure


def measure_batch(tx: Connection, batch: EventBatch) -> None:
    """Measure new checkpoints, and what the attempt has spent its time on since the last events."""
    for manifest, seconds in batch.published:
        measure(tx, "checkpoints_published", 1)
        measure(tx, "checkpoint_bytes", sum(file.bytes for file in manifest.files.values()))
        if seconds is not None and seconds >= 0:
            measure(tx, "checkpoint_save_seconds", seconds)
    before = batch.job.progress.time_spent or TimeSpent()
    spent = batch.new_time_spent
    if spent is None or spent == before:
        return
    earlier = before.model_dump()
    for part, total in spent.model_dump().items():
        # A new attempt counts from zero, and what its job spent before is added again.
        if total > earlier[part]:
            measure(
                tx, "attempt_time_seconds", total - earlier[part], part.removesuffix("_seconds")
            )
