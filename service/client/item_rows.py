"""Items of any list as rows of a table."""

import json
from typing import Any

from pydantic import BaseModel

from service.contract.checkpoints import Checkpoint
from service.contract.flat_rows import Row, checkpoint_row, event_row, job_row
from service.contract.jobs import Event, Job


def row_of(item: object) -> Row:
    """A job, a checkpoint or an event as exports have them; of anything else each field.

    A field that has several values is JSON.
    """
    if isinstance(item, Job):
        return job_row(item)
    if isinstance(item, Checkpoint):
        return checkpoint_row(item)
    if isinstance(item, Event):
        return event_row(item)
    if isinstance(item, BaseModel):
        return {name: _cell(value) for name, value in item.model_dump().items()}
    return {"value": _cell(item)}


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        # A member of an enumeration is one, too.
        return str(value)
    if isinstance(value, list | tuple | dict | set):
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
    return value
