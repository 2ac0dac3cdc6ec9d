"""The calls that read tables: all points of several jobs, and what an eval found out."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from service.client.calls.jobs import job
from service.client.calls.responses import parse_object, path_segment
from service.client.errors import TrainyardError, UnexpectedAnswer
from service.client.flow import Flow, send
from service.client.table_files import Rows
from service.contract.csv_text import plain_text
from service.contract.flat_rows import Row

_EVALUATION = "evaluation.json"


@dataclass(frozen=True)
class Evaluation:
    """What an eval found out: by class, and by class and predicted class the number of images."""

    classes: Rows
    confusion: Rows


def metric_table(
    job_ids: Sequence[str], names: Sequence[str] = (), *, since_step: int | None = None
) -> Flow[Rows]:
    """All that at most 100 jobs have measured: a row for each job and step, no point left out.

    All metrics if `names` is empty; only steps from `since_step` on.
    """
    ids = [job_ids] if isinstance(job_ids, str) else job_ids
    query = {"jobs": ",".join(ids), "names": ",".join(names) or None, "since_step": since_step}
    response = yield from send("GET", "/exports/metrics.csv", query=query)
    reader = csv.DictReader(io.StringIO(response.text))
    rows = [_point_row(row, response) for row in reader]
    return Rows(rows, reader.fieldnames or ())


def evaluation(job_id: str) -> Flow[Evaluation]:
    """What an eval found out; raises TrainyardError for a job that has no such result."""
    of = yield from job(job_id)
    if _EVALUATION not in ((of.result or {}).get("files") or {}):
        raise TrainyardError(f"{of.id} has no results by class: only an eval that succeeded has")
    path = f"/jobs/{path_segment(of.id)}/files/{_EVALUATION}"
    response = yield from send("GET", path)
    body = parse_object(response)
    try:
        return Evaluation(Rows(body["per_class"]), Rows(_confusion_rows(body)))
    except (KeyError, TypeError) as error:
        raise UnexpectedAnswer(response) from error


def _point_row(cells: dict[str, str], response: httpx.Response) -> Row:
    try:
        row: Row = {"job_id": cells.pop("job_id"), "job": plain_text(cells.pop("job")) or None}
        row["step"] = int(cells.pop("step"))
        time = cells.pop("time")
        row["time"] = datetime.fromisoformat(time) if time else None
        return row | {name: float(each) if each else None for name, each in cells.items()}
    except (KeyError, ValueError) as error:
        raise UnexpectedAnswer(response) from error


def _confusion_rows(body: dict[str, Any]) -> list[Row]:
    names = body["class_names"]
    return [
        {"class": name, "predicted": predicted, "images": images}
        for name, row in zip(names, body["confusion_matrix"], strict=True)
        for predicted, images in zip(names, row, strict=True)
        if images
    ]
