"""The earlier secrets of webhooks, which go on signing for a time after a rotation."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column("webhooks", sa.Column("earlier_secrets", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("webhooks", "earlier_secrets")
