"""What workers can do: their catalogs, each stored once by its digest."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "catalogs",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_catalogs")),
    )
    op.add_column("workers", sa.Column("catalog_digest", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("workers", "catalog_digest")
    op.drop_table("catalogs")
