"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

UTC = sa.DateTime(timezone=True)
SORTED = ("created_at", "step", "loss", "top1_error", "top5_error")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("worker_id", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("started_at", UTC, nullable=True),
        sa.Column("finished_at", UTC, nullable=True),
        sa.Column("heard_at", UTC, nullable=False),
        sa.Column("acked_seq", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_attempts")),
        sa.UniqueConstraint(
            "worker_id", "request_id", name=op.f("uq_attempts_worker_id_request_id")
        ),
    )
    op.create_index(
        "ix_attempts_live",
        "attempts",
        ["worker_id"],
        unique=False,
        sqlite_where=sa.text("state IN ('claimed', 'running', 'unreachable')"),
        postgresql_where=sa.text("state IN ('claimed', 'running', 'unreachable')"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("recipe", sa.String(length=64), nullable=False),
        sa.Column("variant", sa.String(length=64), nullable=False),
        sa.Column("step", NUMBER, nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("bytes", NUMBER, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("parent_checkpoint", sa.String(length=64), nullable=True),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("loss", sa.Float(), nullable=True),
        sa.Column("top1_error", sa.Float(), nullable=True),
        sa.Column("top5_error", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoints")),
    )
    op.create_index(
        "ix_checkpoints_of_variant_name",
        "checkpoints",
        ["variant", "state", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_checkpoints_parent_checkpoint", "checkpoints", ["parent_checkpoint"], unique=False
    )
    for order in SORTED:
        op.create_index(f"ix_checkpoints_{order}", "checkpoints", [order, "id"], unique=False)
        op.create_index(
            f"ix_checkpoints_recipe_{order}", "checkpoints", ["recipe", order, "id"], unique=False
        )
    op.create_table(
        "checkpoint_tags",
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("checkpoint_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("tag", "checkpoint_id", name=op.f("pk_checkpoint_tags")),
    )
    op.create_index(
        "ix_checkpoint_tags_checkpoint_id", "checkpoint_tags", ["checkpoint_id"], unique=False
    )
    op.create_index(
        "ix_checkpoints_newest", "checkpoints", ["state", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_checkpoints_of_job",
        "checkpoints",
        ["job_id", "state", "step", "is_final", "attempt"],
        unique=False,
    )
    op.create_index(
        "ix_checkpoints_of_recipe",
        "checkpoints",
        ["recipe", "state", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_checkpoints_of_variant",
        "checkpoints",
        ["recipe", "variant", "state", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "events",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_events")),
    )
    op.create_index("ix_events_job_id_number", "events", ["job_id", "number"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("recipe", sa.String(length=64), nullable=True),
        sa.Column("variant", sa.String(length=64), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("started_at", UTC, nullable=True),
        sa.Column("finished_at", UTC, nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("gpus", sa.Integer(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("not_before", UTC, nullable=True),
        sa.Column("stop_mode", sa.String(length=16), nullable=True),
        sa.Column("latest_checkpoint", sa.String(length=64), nullable=True),
        sa.Column("best_checkpoint", sa.String(length=64), nullable=True),
        sa.Column("source_checkpoint", sa.String(length=64), nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("parent_job_id", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(
        "ix_jobs_queue",
        "jobs",
        ["priority", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index("ix_jobs_recipe_id", "jobs", ["recipe", "id"], unique=False)
    op.create_index("ix_jobs_source_checkpoint", "jobs", ["source_checkpoint"], unique=False)
    op.create_index("ix_jobs_state_id", "jobs", ["state", "id"], unique=False)
    op.create_table(
        "metrics",
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("step", NUMBER, autoincrement=False, nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "name", "step", name=op.f("pk_metrics")),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("process", sa.JSON(), nullable=False),
        sa.Column("gpus", sa.JSON(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("registered_at", UTC, nullable=False),
        sa.Column("last_seen_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_index("ix_workers_state_id", "workers", ["state", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_workers_state_id", table_name="workers")
    op.drop_table("workers")
    op.drop_table("metrics")
    op.drop_index("ix_jobs_state_id", table_name="jobs")
    op.drop_index("ix_jobs_source_checkpoint", table_name="jobs")
    op.drop_index("ix_jobs_recipe_id", table_name="jobs")
    op.drop_index(
        "ix_jobs_queue",
        table_name="jobs",
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.drop_table("jobs")
    op.drop_table("idempotency_keys")
    op.drop_index("ix_events_job_id_number", table_name="events")
    op.drop_table("events")
    op.drop_index("ix_checkpoint_tags_checkpoint_id", table_name="checkpoint_tags")
    op.drop_table("checkpoint_tags")
    for order in SORTED:
        op.drop_index(f"ix_checkpoints_recipe_{order}", table_name="checkpoints")
        op.drop_index(f"ix_checkpoints_{order}", table_name="checkpoints")
    op.drop_index("ix_checkpoints_parent_checkpoint", table_name="checkpoints")
    op.drop_index("ix_checkpoints_of_variant_name", table_name="checkpoints")
    op.drop_index("ix_checkpoints_of_variant", table_name="checkpoints")
    op.drop_index("ix_checkpoints_of_recipe", table_name="checkpoints")
    op.drop_index("ix_checkpoints_of_job", table_name="checkpoints")
    op.drop_index("ix_checkpoints_newest", table_name="checkpoints")
    op.drop_table("checkpoints")
    op.drop_index(
        "ix_attempts_live",
        table_name="attempts",
        sqlite_where=sa.text("state IN ('claimed', 'running', 'unreachable')"),
        postgresql_where=sa.text("state IN ('claimed', 'running', 'unreachable')"),
    )
    op.drop_table("attempts")
