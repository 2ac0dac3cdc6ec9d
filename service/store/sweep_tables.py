"""The tables of sweeps, as the migrations leave them."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from service.store.schema import Number, Utc, id_column, metadata

sweeps = Table(
    "sweeps",
    metadata,
    id_column("id", primary_key=True),
    Column("name", String(200)),
    Column("state", String(16), nullable=False),
    Column("message", Text),
    Column("created_at", Utc, nullable=False),
    Column("finished_at", Utc),
    # The name of a token, which may be gone since.
    Column("submitted_by", String(64)),
    Column("spec", JSON, nullable=False),
    Index(
        "ix_sweeps_live",
        "id",
        sqlite_where=text("state IN ('running', 'paused', 'cancelling')"),
        postgresql_where=text("state IN ('running', 'paused', 'cancelling')"),
    ),
)

# A row comes with the job of the trial; its job may be deleted later.
trials = Table(
    "trials",
    metadata,
    Column("sweep_id", String(64), ForeignKey("sweeps.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("parameters", JSON, nullable=False),
    Column("job_id", String(64)),
    Column("state", String(16), nullable=False),
    Column("message", Text),
    # While it is live, what its job has measured is in the job.
    Column("value", Float),
    Column("steps", Number, nullable=False),
    # The values with which it came to each rung of successive halving, and the last step judged.
    Column("rungs", JSON, nullable=False),
    Column("judged_step", Number, nullable=False),
    # Its end was asked for by successive halving.
    Column("stopping", Boolean, nullable=False),
    # It was paused with its sweep, and is to go on with it.
    Column("paused_with_sweep", Boolean, nullable=False),
    Index("ix_trials_job_id", "job_id"),
    Index(
        "ix_trials_live",
        "sweep_id",
        sqlite_where=text("state = 'live'"),
        postgresql_where=text("state = 'live'"),
    ),
)
