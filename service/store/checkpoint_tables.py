"""The tables of checkpoints, as the migrations leave them."""

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, String, Table, Text, text

from service.store.schema import Number, Utc, id_column, metadata

checkpoints = Table(
    "checkpoints",
    metadata,
    id_column("id", primary_key=True),
    id_column("job_id"),
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
    # Few are pinned, of very many.
    Index(
        "ix_checkpoints_pinned",
        "created_at",
        "id",
        sqlite_where=text("pinned = 1"),
        postgresql_where=text("pinned"),
    ),
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
    id_column("checkpoint_id", "checkpoints.id", primary_key=True),
    Index("ix_checkpoint_tags_checkpoint_id", "checkpoint_id"),
)
