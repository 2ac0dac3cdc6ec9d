"""The table of what searches have measured, as the migrations leave it."""

from sqlalchemy import Column, Float, Index, String, Table

from service.contract.architectures import MOST_PLACES
from service.store.schema import Number, Utc, id_column, metadata

# A row is written once and never changed: the same fitness may be told many times.
search_candidates = Table(
    "search_candidates",
    metadata,
    id_column("job_id", "jobs.id", primary_key=True),
    Column("blocks", String(MOST_PLACES), primary_key=True),
    Column("order", Number, nullable=False),
    Column("generation", Number, nullable=False),
    Column("origin", String(32), nullable=False),
    Column("multiply_adds", Number, nullable=False),
    Column("top1_error", Float, nullable=False),
    Column("top5_error", Float, nullable=False),
    # None is one that is not finite.
    Column("loss", Float),
    Column("created_at", Utc, nullable=False),
    Index("ix_search_candidates_of_job", "job_id", "order"),
)
