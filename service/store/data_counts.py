"""How many images and classes workers have counted in folders and packs: the last count of each."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from service.contract.data_spec import DataSpec
from service.contract.split_counts import SplitCounts
from service.store.tables import data_counts

_PUT = {
    dialect: insert_.on_conflict_do_update(
        index_elements=["place_sha256"],
        set_={
            name: insert_.excluded[name] for name in ("images", "classes", "job_id", "counted_at")
        },
    )
    for dialect, insert_ in (
        ("sqlite", sqlite.insert(data_counts)),
        ("postgresql", postgresql.insert(data_counts)),
    )
}


@dataclass(frozen=True)
class StoredCount:
    """The count of a split, by a worker that ran a job."""

    images: int
    classes: int
    job_id: str
    counted_at: datetime


def put(
    tx: Connection, data: DataSpec, splits: Iterable[SplitCounts], job_id: str, now: datetime
) -> None:
    """Store what the worker of a job has counted; a named data set is always the same."""
    rows = {
        place: {"images": each.images, "classes": each.classes}
        for each in splits
        if (place := _place(data, each.name)) is not None
    }
    if rows:
        common = {"job_id": job_id, "counted_at": now}
        # In one order: two transactions must not wait for each other.
        values = [{"place_sha256": place} | rows[place] | common for place in sorted(rows)]
        tx.execute(_PUT[tx.dialect.name], values)


def get(tx: Connection, data: DataSpec) -> dict[str, StoredCount]:
    """By split, `train` and `val`, the last count of those that were counted."""
    places = {_place(data, split): split for split in ("train", "val")}
    query = select(data_counts).where(
        data_counts.c.place_sha256.in_([place for place in places if place is not None])
    )
    return {
        places[row.place_sha256]: StoredCount(row.images, row.classes, row.job_id, row.counted_at)
        for row in tx.execute(query)
    }


def delete_of_job(tx: Connection, job_id: str) -> None:
    """Delete the counts by the worker of a job."""
    tx.execute(delete(data_counts).where(data_counts.c.job_id == job_id))


def _place(data: DataSpec, split: str) -> str | None:
    """A digest of where a split's images are; None for a named data set and a split left out."""
    if data.packed is not None:
        place = f"pack {split} {data.packed}"
    else:
        folder = data.train_dir if split == "train" else data.val_dir
        if folder is None:
            return None
        place = f"folder {folder}"
    return hashlib.sha256(place.encode()).hexdigest()
