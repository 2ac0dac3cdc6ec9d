"""The jobs that measure candidates for a search, with what each is to measure."""

import sqlalchemy as sa
from alembic import op

from service.store.schema import Number, Utc

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_table(
        "search_parts",
        sa.Column("search_id", sa.String(64), nullable=False),
        sa.Column("number", Number, autoincrement=False, nullable=False),
        sa.Column("job_id", sa.String(64), nullable=True),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("known", Number, nullable=False),
        sa.ForeignKeyConstraint(["search_id"], ["jobs.id"], name="fk_search_parts_search_id"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_search_parts_job_id"),
        sa.PrimaryKeyConstraint("search_id", "number", name="pk_search_parts"),
    )
    op.create_index("ix_search_parts_job_id", "search_parts", ["job_id"], unique=True)


def downgrade() -> None:
    op.drop_table("search_parts")
