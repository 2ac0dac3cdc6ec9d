"""How many jobs with a label may run at once."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select

from service.contract.jobs import JobState
from service.domain.limits import EACH, Limit
from service.store.tables import jobs, limits

_COUNTED_STATES = (JobState.RUNNING, JobState.PAUSING, JobState.CANCELLING)
_ALL = select(limits)


def put(tx: Connection, new: Sequence[Limit]) -> None:
    """Replace all limits."""
    tx.execute(delete(limits))
    if new:
        rows = [{"label": one.label, "value": one.value, "most": one.most} for one in new]
        tx.execute(insert(limits), rows)


def reached(tx: Connection) -> dict[tuple[str, str], int]:
    """Each label (key, value) that has as many jobs running as it may, with its limit."""
    at_limit: dict[tuple[str, str], int] = {}
    by_label: dict[str, dict[str, int]] = {}
    for row in tx.execute(_ALL):
        by_label.setdefault(row.label, {})[row.value] = row.most
    for label, most in by_label.items():
        value = jobs.c.labels[label].as_string()
        counted = select(value.label("value"), func.count().label("running")).where(
            jobs.c.state.in_(_COUNTED_STATES), value.is_not(None)
        )
        for row in tx.execute(counted.group_by(value)):
            limit = most.get(row.value, most.get(EACH))
            if limit is not None and row.running >= limit:
                at_limit[label, row.value] = limit
    return at_limit


def lock(tx: Connection, labels: Sequence[str]) -> bool:
    """Lock the limits on these labels against other claims; False if there is none."""
    query = select(limits.c.label).where(limits.c.label.in_(labels))
    rows = tx.execute(query.order_by(limits.c.label, limits.c.value).with_for_update()).all()
    return bool(rows)
