"""The tables of the samples of workers' use."""

from sqlalchemy import Column, Index, LargeBinary, Table, Text

from service.store.schema import Number, id_column, metadata

# The newest samples of the workers' use; `at` is in seconds since 1970.
samples = Table(
    "samples",
    metadata,
    id_column("worker_id", primary_key=True),
    Column("at", Number, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Index("ix_samples_at", "at"),
)

# All samples of a worker in an hour that is over, and coarse ones; `hour` is its begin.
sample_hours = Table(
    "sample_hours",
    metadata,
    id_column("worker_id", primary_key=True),
    Column("hour", Number, primary_key=True, autoincrement=False),
    Column("fine", LargeBinary, nullable=False),
    Column("coarse", LargeBinary, nullable=False),
    Index("ix_sample_hours_hour", "hour"),
)
