"""How many images and classes workers have counted."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "data_counts",
        sa.Column("place_sha256", sa.String(length=64), nullable=False),
        sa.Column("images", number, nullable=False),
        sa.Column("classes", number, nullable=False),
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("counted_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("place_sha256", name=op.f("pk_data_counts")),
    )
    op.create_index("ix_data_counts_job_id", "data_counts", ["job_id"])


def downgrade() -> None:
    op.drop_table("data_counts")
