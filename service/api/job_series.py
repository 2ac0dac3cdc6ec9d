"""The route of the series of many jobs, which a list draws beside each of them."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, TypeAdapter

from service.api.parameters import Whole
from service.api.responses import UNCHANGED, body_etag, conditional, is_current, not_modified
from service.context import AppContext
from service.contract.fields import IdText
from service.contract.text import CutTo
from service.control.jobs import history
from service.control.jobs.history import Point

router = APIRouter(prefix="/jobs", tags=["jobs"])

MOST_JOBS = 100
MOST_POINTS = 200
_MOST_KEPT = 2048
_POINTS: TypeAdapter[list[tuple[int, float]]] = TypeAdapter(list[tuple[int, float]])
_ID = r"[A-Za-z0-9_.-]{1,64}"
IDS_PATTERN = f"^{_ID}(,{_ID}){{0,{MOST_JOBS - 1}}}$"
"""A comma-separated list of ids."""


class SeriesOfJob(BaseModel):
    """A job's (step, value) pairs; none if it has not measured it, or if there is no such job."""

    id: IdText
    points: Annotated[list[Point], CutTo(MOST_POINTS)]


class SeriesOfJobs(BaseModel):
    """One series of each of some jobs, in the order in which they were asked for."""

    object: Literal["list"] = "list"
    data: Annotated[list[SeriesOfJob], CutTo(MOST_JOBS)]


class SeriesPages:
    """Draws one series of many jobs; what a job has measured is drawn once for each version."""

    def __init__(self, context: AppContext) -> None:
        self._database = context.database
        self._drawn: dict[tuple[str, int, str, int], bytes] = {}

    def reply(
        self, request: Request, job_ids: Sequence[str], name: str, max_points: int
    ) -> Response:
        """The answer, or 304 if no job has changed."""
        with self._database.read() as tx:
            versions = history.versions(tx, job_ids)
            asked = [job_ids, [versions.get(each) for each in job_ids], name, max_points]
            etag = body_etag(json.dumps(asked, allow_nan=False).encode())
            if is_current(request, etag):
                return not_modified(etag)
            keys = {each: (each, versions.get(each, 0), name, max_points) for each in job_ids}
            drawn = {each: self._drawn.get(key) for each, key in keys.items()}
            missing = [each for each in versions if drawn[each] is None]
            if missing:
                charts = history.series_of_jobs(tx, missing, name, max_points)
                drawn |= {each: _POINTS.dump_json(charts.get(each, [])) for each in missing}
        self._keep({keys[each]: drawn[each] or b"[]" for each in missing})
        parts = (b'{"id":"%b","points":%b}' % (i.encode(), drawn[i] or b"[]") for i in job_ids)
        return conditional(request, b'{"object":"list","data":[%b]}' % b",".join(parts), etag)

    def _keep(self, drawn: dict[tuple[str, int, str, int], bytes]) -> None:
        if len(self._drawn) + len(drawn) > _MOST_KEPT:
            self._drawn.clear()
        self._drawn.update(drawn)


def few_ids(value: Any) -> Any:
    """The list as it is; raises ValueError for too many ids, by their number."""
    if isinstance(value, str) and value.count(",") >= MOST_JOBS:
        raise ValueError(f"must have at most {MOST_JOBS} ids; ask for the others by another call")
    return value


@router.get("/series", response_model=SeriesOfJobs, responses=UNCHANGED)
def series_of_jobs(
    request: Request,
    ids: Annotated[
        str, Query(pattern=IDS_PATTERN, max_length=65 * MOST_JOBS), BeforeValidator(few_ids)
    ],
    name: Annotated[str, Query(pattern=r"^[^\x00]+$", max_length=64)] = "loss",
    max_points: Annotated[int, Query(ge=2, le=MOST_POINTS), Whole] = 40,
) -> Response:
    """One series of each of at most 100 jobs, thinned as a chart is; `ids` is comma-separated."""
    pages: SeriesPages = request.app.state.series_pages
    return pages.reply(request, list(dict.fromkeys(ids.split(","))), name, max_points)
