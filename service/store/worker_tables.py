"""The tables of workers, of the volume that they share, and of what they can run."""

from sqlalchemy import JSON, Column, Index, Integer, String, Table, Text

from service.store.schema import Utc, id_column, metadata

workers = Table(
    "workers",
    metadata,
    id_column("id", primary_key=True),
    Column("host", String(255), nullable=False),
    Column("process", JSON, nullable=False),
    Column("gpus", JSON, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("hosts", Integer, nullable=False, server_default="1"),
    Column("version", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("message", Text),
    Column("registered_at", Utc, nullable=False),
    Column("last_seen_at", Utc, nullable=False),
    # What failed before it says nothing (any more) of the worker.
    Column("trusted_at", Utc, nullable=False),
    # None for a worker of a version before catalogs: it can do what is built in.
    Column("catalog_digest", String(64)),
    # Why its volume is not the server's; None if it is, or if the worker has never told.
    Column("volume_problem", Text),
    Index("ix_workers_state_id", "state", "id"),
)

volumes = Table(
    "volumes",
    metadata,
    # One row: a database belongs to one volume.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("volume_id", String(64), nullable=False),
    Column("created_at", Utc, nullable=False),
)

catalogs = Table(
    "catalogs",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("body", Text, nullable=False),
    Column("created_at", Utc, nullable=False),
)
