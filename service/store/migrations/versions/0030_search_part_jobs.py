"""Which jobs are parts of a search, so that lists are read without them."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

_IS_SHOWN = sa.text("part_of IS NULL")
_INDEXES = {
    "ix_jobs_state_id": ["state", "id"],
    "ix_jobs_recipe_id_state": ["recipe", "id", "state"],
    "ix_jobs_kind_id_state": ["kind", "id", "state"],
    "ix_jobs_submitted_by_id_state": ["submitted_by", "id", "state"],
}
# SQLite checks no column: what is no JSON must not stop the migration.
_LABEL = {
    "sqlite": "CASE WHEN json_valid(labels) THEN json_extract(labels, '$.part_of') END",
    "postgresql": "labels ->> 'part_of'",
}
_IS_UNPUBLISHED = {
    "sqlite": "CASE WHEN json_valid(spec) THEN json_type(spec, '$.params.publish') = 'false' END",
    "postgresql": "spec #>> '{params,publish}' = 'false'",
}


def upgrade() -> None:
    op.add_column("jobs", sa.Column("part_of", sa.String(64), nullable=True))
    _fill(op.get_context().dialect.name)
    for name, columns in _INDEXES.items():
        op.drop_index(name, table_name="jobs")
        op.create_index(name, "jobs", [*columns, "part_of"], unique=False)
    op.create_index(
        "ix_jobs_shown", "jobs", ["id"], sqlite_where=_IS_SHOWN, postgresql_where=_IS_SHOWN
    )


def _fill(dialect: str) -> None:
    """From the label that each part was given; its row in search_parts may be gone."""
    label = _LABEL[dialect]
    op.execute(
        f"UPDATE jobs SET part_of = {label} WHERE kind = 'search' "
        f"AND {_IS_UNPUBLISHED[dialect]} AND length({label}) BETWEEN 1 AND 64"
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_shown", table_name="jobs")
    for name, columns in _INDEXES.items():
        op.drop_index(name, table_name="jobs")
        op.create_index(name, "jobs", columns, unique=False)
    op.drop_column("jobs", "part_of")
