"""The table of runs in MLflow, as the migrations leave it."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, text

from service.store.schema import Utc, id_column, metadata

# No reference to the job: the run of a deleted one is still to be ended.
mlflow_runs = Table(
    "mlflow_runs",
    metadata,
    id_column("job_id", primary_key=True),
    Column("run_id", String(64)),
    # Of the job, as its run shows it.
    Column("version", Integer, nullable=False),
    Column("ended", Boolean, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_at", Utc, nullable=False),
    Column("leased_until", Utc),
    Column("error", Text),
    Index(
        "ix_mlflow_runs_next_try_at",
        "next_try_at",
        sqlite_where=text("NOT ended"),
        postgresql_where=text("NOT ended"),
    ),
)
