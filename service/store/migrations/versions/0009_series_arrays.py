"""Arrays of the points of a series: a new table, which fills as jobs measure."""

import struct

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_POINT_BYTES = 8
_ARRAYS = "SELECT job_id, name, steps, numbers FROM series_arrays WHERE job_id = :job_id"
# A point in a row is newer than the one of its step in an array.
_ADD_ROW = (
    "INSERT INTO metrics (job_id, name, step, value) VALUES (:job_id, :name, :step, :value)"
    " ON CONFLICT DO NOTHING"
)


def upgrade() -> None:
    op.create_table(
        "series_arrays",
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("steps", sa.LargeBinary(), nullable=False),
        sa.Column("numbers", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "name", name=op.f("pk_series_arrays")),
    )


def downgrade() -> None:
    tx = op.get_bind()
    job_ids = tx.execute(sa.text("SELECT DISTINCT job_id FROM series_arrays")).scalars().all()
    for job_id in job_ids:
        for series in tx.execute(sa.text(_ARRAYS), {"job_id": job_id}).all():
            count = len(series.steps) // _POINT_BYTES
            steps = struct.unpack(f"<{count}q", series.steps)
            values = struct.unpack(f"<{count}d", series.numbers)
            of_series = {"job_id": job_id, "name": series.name}
            tx.execute(
                sa.text(_ADD_ROW),
                [
                    of_series | {"step": step, "value": value}
                    for step, value in zip(steps, values, strict=True)
                ],
            )
    op.drop_table("series_arrays")
