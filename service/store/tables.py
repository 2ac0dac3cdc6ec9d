"""The tables, as the migrations leave them; the ADR on foreign keys has the why of each."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from service.store.access_tables import access_tokens as access_tokens
from service.store.access_tables import audit_entries as audit_entries
from service.store.access_tables import sessions as sessions
from service.store.checkpoint_tables import checkpoints
from service.store.mlflow_tables import mlflow_runs as mlflow_runs
from service.store.sample_tables import sample_hours as sample_hours
from service.store.sample_tables import samples as samples
from service.store.schema import Number, Utc, id_column
from service.store.schema import metadata as metadata
from service.store.search_tables import search_candidates as search_candidates
from service.store.search_tables import search_parts as search_parts
from service.store.sweep_tables import sweeps as sweeps
from service.store.sweep_tables import trials as trials
from service.store.webhook_tables import webhook_deliveries as webhook_deliveries
from service.store.webhook_tables import webhook_outbox as webhook_outbox
from service.store.webhook_tables import webhooks as webhooks
from service.store.worker_tables import catalogs as catalogs
from service.store.worker_tables import volumes as volumes
from service.store.worker_tables import workers as workers


def _checkpoint_column(name: str) -> Column[str | None]:
    return Column(name, String(64), ForeignKey(checkpoints.c.id))


jobs = Table(
    "jobs",
    metadata,
    id_column("id", primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("recipe", String(64)),
    Column("variant", String(64)),
    Column("name", String(200)),
    Column("labels", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(32)),
    Column("message", Text),
    Column("created_at", Utc, nullable=False),
    Column("started_at", Utc),
    Column("finished_at", Utc),
    # The priority with its sign changed: one index has the queue in its order.
    Column("queue_order", Integer, nullable=False),
    Column("preemptible", Boolean, nullable=False, server_default=false()),
    # The workers on which jobs were preempted for it since it was queued; None where none was.
    Column("asked_workers", JSON(none_as_null=True)),
    Column("gpus", Integer, nullable=False),
    # The labels that its worker must have, as JSON with sorted keys.
    Column("needs", Text, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("progress", JSON, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("worker_losses", Integer, nullable=False),
    Column("not_before", Utc),
    Column("stop_mode", String(16)),
    _checkpoint_column("latest_checkpoint"),
    _checkpoint_column("best_checkpoint"),
    _checkpoint_column("source_checkpoint"),
    Column("result", JSON),
    Column("parent_job_id", String(64)),
    # The search that it measures for, which may be gone since.
    Column("part_of", String(64)),
    # The name of a token, which may be gone since.
    Column("submitted_by", String(64)),
    Column("version", Integer, nullable=False),
    # Lists leave out parts of searches: each index has what says so.
    Index("ix_jobs_state_id", "state", "id", "part_of"),
    # The list of a recipe, and the counts by recipe and state.
    Index("ix_jobs_recipe_id_state", "recipe", "id", "state", "part_of"),
    # The list of some kinds, and its counts by state.
    Index("ix_jobs_kind_id_state", "kind", "id", "state", "part_of"),
    Index(
        "ix_jobs_shown",
        "id",
        sqlite_where=text("part_of IS NULL"),
        postgresql_where=text("part_of IS NULL"),
    ),
    Index("ix_jobs_source_checkpoint", "source_checkpoint"),
    Index("ix_jobs_parent_job_id", "parent_job_id"),
    Index("ix_jobs_submitted_by_id_state", "submitted_by", "id", "state", "part_of"),
    Index(
        "ix_jobs_queue",
        "queue_order",
        "id",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
    Index(
        "ix_jobs_preemptible",
        "queue_order",
        sqlite_where=text("state = 'running' AND preemptible"),
        postgresql_where=text("state = 'running' AND preemptible"),
    ),
    Index(
        "ix_jobs_resource_class",
        "needs",
        "gpus",
        "queue_order",
        "id",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
)

limits = Table(
    "limits",
    metadata,
    Column("label", String(64), primary_key=True),
    # A value, or * for each value by itself.
    Column("value", String(255), primary_key=True),
    Column("most", Integer, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    id_column("job_id", "jobs.id", primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    id_column("worker_id", "workers.id"),
    id_column("request_id"),
    Column("token", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(32)),
    Column("message", Text),
    Column("created_at", Utc, nullable=False),
    Column("started_at", Utc),
    Column("finished_at", Utc),
    Column("renewed_at", Utc, nullable=False),
    Column("acked_seq", Number, nullable=False),
    # Its lease ran out with so many others that it was given one more window.
    Column("spared", Boolean, nullable=False),
    # The indices of the GPUs that it uses; None until its worker has told.
    Column("gpus", JSON(none_as_null=True)),
    # How many it was given on each host; None of a version that gave as many as the job's `gpus`.
    Column("gpu_count", Integer),
    # The queued job for which it was asked to give its place back; it may be gone since.
    Column("preempted_for", String(64)),
    UniqueConstraint("worker_id", "request_id"),
    Index(
        "ix_attempts_live",
        "worker_id",
        sqlite_where=text("state IN ('claimed', 'running', 'unreachable')"),
        postgresql_where=text("state IN ('claimed', 'running', 'unreachable')"),
    ),
)

metrics = Table(
    "metrics",
    metadata,
    id_column("job_id", primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("step", Number, primary_key=True, autoincrement=False),
    Column("value", Float, nullable=False),
)

# The points of a series that are not in rows (any more); the steps rise. Both columns have eight
# bytes for each point, the lowest first: a signed number, a floating-point number.
series_arrays = Table(
    "series_arrays",
    metadata,
    id_column("job_id", primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("steps", LargeBinary, nullable=False),
    Column("numbers", LargeBinary, nullable=False),
)

deleted_jobs = Table("deleted_jobs", metadata, id_column("job_id", primary_key=True))

events = Table(
    "events",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    id_column("job_id"),
    Column("attempt", Integer),
    Column("kind", String(32), nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", Utc, nullable=False),
    # Of the request that caused it; None for what the server does by itself.
    Column("request_id", String(64)),
    # The name of a token, which may be gone since.
    Column("actor", String(64)),
    Index("ix_events_job_id_number", "job_id", "number"),
    # A listener asks for what came after a number: none may come twice.
    sqlite_autoincrement=True,
)

# The span by which a job was submitted, as traceparent; only where traces are on.
job_traces = Table(
    "job_traces",
    metadata,
    id_column("job_id", primary_key=True),
    Column("traceparent", String(64), nullable=False),
)

# How many images and classes a worker has counted, by the folder or the split of a pack.
data_counts = Table(
    "data_counts",
    metadata,
    Column("place_sha256", String(64), primary_key=True),
    Column("images", Number, nullable=False),
    Column("classes", Number, nullable=False),
    id_column("job_id"),
    Column("counted_at", Utc, nullable=False),
    Index("ix_data_counts_job_id", "job_id"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("body_sha256", String(64), nullable=False),
    # Empty beside a reply.
    id_column("job_id"),
    Column("created_at", Utc, nullable=False),
    # The answer to a call on many jobs.
    Column("reply", Text),
)

server_heartbeats = Table(
    "server_heartbeats",
    metadata,
    id_column("server_id", primary_key=True),
    Column("alive_at", Utc, nullable=False),
    # Set by a server that ended by itself: it does not count as alive.
    Column("stopped_at", Utc),
)
