"""How many GPUs an attempt was given, of a job that may have different numbers of them."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column("attempts", sa.Column("gpu_count", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("attempts", "gpu_count")
