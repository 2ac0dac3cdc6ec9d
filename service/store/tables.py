"""The tables, as the migrations leave them; the ADR on foreign keys has the why of each."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

Number = BigInteger().with_variant(Integer(), "sqlite")


class Utc(TypeDecorator[datetime]):
    """A moment in UTC; a naive datetime is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "a moment without a zone"
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _id(name: str, refers_to: str | None = None, **options: Any) -> Column[str]:
    references = [ForeignKey(refers_to)] if refers_to is not None else []
    return Column(name, String(64), *references, nullable=False, **options)


def _checkpoint_pointer(name: str) -> Column[str | None]:
    return Column(name, String(64), ForeignKey("checkpoints.id"))


jobs = Table(
    "jobs",
    metadata,
    _id("id", primary_key=True),
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
    _checkpoint_pointer("latest_checkpoint"),
    _checkpoint_pointer("best_checkpoint"),
    _checkpoint_pointer("source_checkpoint"),
    Column("result", JSON),
    Column("parent_job_id", String(64)),
    Column("version", Integer, nullable=False),
    Index("ix_jobs_state_id", "state", "id"),
    Index("ix_jobs_recipe_id", "recipe", "id"),
    Index("ix_jobs_source_checkpoint", "source_checkpoint"),
    Index(
        "ix_jobs_queue",
        "queue_order",
        "id",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
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
    _id("job_id", "jobs.id", primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _id("worker_id", "workers.id"),
    _id("request_id"),
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
    UniqueConstraint("worker_id", "request_id"),
    Index(
        "ix_attempts_live",
        "worker_id",
        sqlite_where=text("state IN ('claimed', 'running', 'unreachable')"),
        postgresql_where=text("state IN ('claimed', 'running', 'unreachable')"),
    ),
)

workers = Table(
    "workers",
    metadata,
    _id("id", primary_key=True),
    Column("host", String(255), nullable=False),
    Column("process", JSON, nullable=False),
    Column("gpus", JSON, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("slots", Integer, nullable=False),
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

checkpoints = Table(
    "checkpoints",
    metadata,
    _id("id", primary_key=True),
    _id("job_id"),
    Column("attempt", Integer, nullable=False),
    Column("recipe", String(64), nullable=False),
    Column("variant", String(64), nullable=False),
    Column("step", Number, nullable=False),
    Column("phase", String(16), nullable=False),
    # Final weights come after the training state of the same step.
    Column("is_final", Boolean, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("bytes", Number, nullable=False),
    Column("path", Text, nullable=False),
    Column("pinned", Boolean, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("parent_checkpoint", String(64)),
    Column("manifest", JSON, nullable=False),
    # Those of the metrics that a list may be sorted by.
    Column("loss", Float),
    Column("top1_error", Float),
    Column("top5_error", Float),
    # Each serves a form of `latest` by its first row, however many checkpoints there are.
    Index("ix_checkpoints_of_job", "job_id", "state", "step", "is_final", "attempt"),
    Index("ix_checkpoints_newest", "state", "created_at", "id"),
    Index("ix_checkpoints_of_recipe", "recipe", "state", "created_at", "id"),
    Index("ix_checkpoints_of_variant", "recipe", "variant", "state", "created_at", "id"),
    Index("ix_checkpoints_of_variant_name", "variant", "state", "created_at", "id"),
    Index("ix_checkpoints_parent_checkpoint", "parent_checkpoint"),
    # Each serves a page of a sorted list from where it starts.
    *(
        Index(f"ix_checkpoints_{'_'.join((*narrowed, order))}", *narrowed, order, "id")
        for order in ("created_at", "step", "loss", "top1_error", "top5_error")
        for narrowed in ((), ("recipe",))
    ),
)

checkpoint_tags = Table(
    "checkpoint_tags",
    metadata,
    Column("tag", String(64), primary_key=True),
    _id("checkpoint_id", "checkpoints.id", primary_key=True),
    Index("ix_checkpoint_tags_checkpoint_id", "checkpoint_id"),
)

metrics = Table(
    "metrics",
    metadata,
    _id("job_id", primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("step", Number, primary_key=True, autoincrement=False),
    Column("value", Float, nullable=False),
)

deleted_jobs = Table("deleted_jobs", metadata, _id("job_id", primary_key=True))

events = Table(
    "events",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    _id("job_id"),
    Column("attempt", Integer),
    Column("kind", String(32), nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", Utc, nullable=False),
    Index("ix_events_job_id_number", "job_id", "number"),
    # A listener asks for what came after a number: none may come twice.
    sqlite_autoincrement=True,
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("body_sha256", String(64), nullable=False),
    _id("job_id"),
    Column("created_at", Utc, nullable=False),
)

server_heartbeats = Table(
    "server_heartbeats",
    metadata,
    _id("server_id", primary_key=True),
    Column("alive_at", Utc, nullable=False),
    # Set by a server that ended by itself: it does not count as alive.
    Column("stopped_at", Utc),
)
