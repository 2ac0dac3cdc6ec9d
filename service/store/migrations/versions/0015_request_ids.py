"""The id of the request that caused an event; an index that counts jobs by recipe and state."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("events", sa.Column("request_id", sa.String(64), nullable=True))
    op.drop_index("ix_jobs_recipe_id", table_name="jobs")
    op.create_index("ix_jobs_recipe_id_state", "jobs", ["recipe", "id", "state"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_jobs_recipe_id_state", table_name="jobs")
    op.create_index("ix_jobs_recipe_id", "jobs", ["recipe", "id"], unique=False)
    op.drop_column("events", "request_id")
