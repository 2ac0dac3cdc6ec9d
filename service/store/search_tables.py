"""The table of what searches have measured, as the migrations leave it."""

from sqlalchemy import JSON, Column, Float, ForeignKey, Index, String, Table

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

# What a search waits for: a population that it wants measured, then the jobs that measure it.
# A row goes when its job has ended well and more is wanted, or with either job.
search_parts = Table(
    "search_parts",
    metadata,
    id_column("search_id", "jobs.id", primary_key=True),
    # From 1; 0 is a population that no job has been made for yet.
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("job_id", String(64), ForeignKey("jobs.id")),
    # Blocks, order, generation and origin of each candidate.
    Column("wanted", JSON, nullable=False),
    Column("created_at", Utc, nullable=False),
    # How many candidates of the search were known then.
    Column("known", Number, nullable=False),
    Index("ix_search_parts_job_id", "job_id", unique=True),
)
