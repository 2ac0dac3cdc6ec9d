"""The limit on the resource classes of the queue: each claim looks at all of them."""

from collections.abc import Collection

from sqlalchemy import Connection

from service.domain.errors import Conflict
from service.domain.offers import JobNeeds
from service.store import resource_classes
from service.store.job_needs import column_of_needs

MOST_CLASSES = 500
TOO_MANY_CLASSES = "too_many_resource_classes"
"""The code of the refusal, which passes once some jobs have started."""


def check_class_limit(tx: Connection, needs: JobNeeds, among: Collection[JobNeeds] = ()) -> None:
    """Raise Conflict for needs that no queued job has, if the queue has its most classes.

    `among` are those of jobs that will be queued in the same transaction.
    """
    if needs in among or resource_classes.has_queued_job(tx, needs):
        return
    if resource_classes.count(tx) + _count_new(tx, among) >= MOST_CLASSES:
        raise Conflict(
            TOO_MANY_CLASSES,
            f"the queue has jobs with {MOST_CLASSES} different resources or labels of workers: "
            "give this job resources that others have, or wait until some have started",
        )


def _count_new(tx: Connection, among: Collection[JobNeeds]) -> int:
    """How many resource classes the queue has not, of those of some jobs."""
    classes = {(column_of_needs(each), each.gpus): each for each in among}
    return sum(not resource_classes.has_queued_job(tx, each) for each in classes.values())
