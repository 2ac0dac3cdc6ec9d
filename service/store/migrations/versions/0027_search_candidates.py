"""The candidates of searches, each with what was measured of it."""

import sqlalchemy as sa
from alembic import op

from service.store.schema import Number, Utc

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.create_table(
        "search_candidates",
        sa.Column("job_id", sa.String(64), nullable=False),
        sa.Column("blocks", sa.String(40), nullable=False),
        sa.Column("order", Number, nullable=False),
        sa.Column("generation", Number, nullable=False),
        sa.Column("origin", sa.String(32), nullable=False),
        sa.Column("multiply_adds", Number, nullable=False),
        sa.Column("top1_error", sa.Float(), nullable=False),
        sa.Column("top5_error", sa.Float(), nullable=False),
        sa.Column("loss", sa.Float(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_search_candidates_job_id"),
        sa.PrimaryKeyConstraint("job_id", "blocks", name="pk_search_candidates"),
    )
    op.create_index("ix_search_candidates_of_job", "search_candidates", ["job_id", "order"])


def downgrade() -> None:
    op.drop_table("search_candidates")
