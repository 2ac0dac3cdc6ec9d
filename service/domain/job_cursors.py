"""Where the next page of an ordered list of jobs begins, as a text that callers pass on."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

_BEGIN = "after_"


class NoCursor(ValueError):
    """A text that is no cursor of this order; the message says so."""


@dataclass(frozen=True)
class JobCursor:
    """The last job of a page: its id, and the value by which the list is ordered, if it has one.

    `read_at` is when the first page was read: a job that runs has its duration of that moment on
    each page.
    """

    order_by: str
    value: Decimal | None
    job_id: str
    read_at: datetime

    @property
    def text(self) -> str:
        """The cursor as a text."""
        value = str(self.value) if self.value is not None else None
        parts = [self.order_by, value, self.job_id, self.read_at.isoformat()]
        encoded = base64.urlsafe_b64encode(json.dumps(parts, allow_nan=False).encode())
        return _BEGIN + encoded.decode().rstrip("=")


def cursor_of(text: str, order_by: str) -> JobCursor:
    """The cursor that a text stands for; raises NoCursor for any other text and order."""
    try:
        encoded = text.removeprefix(_BEGIN)
        parts = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        order, value, job_id, read_at = parts
        cursor = JobCursor(
            str(order),
            Decimal(value) if value is not None else None,
            str(job_id),
            datetime.fromisoformat(read_at),
        )
    except (ValueError, TypeError, binascii.Error, InvalidOperation, RecursionError):
        raise NoCursor("must be the `next` of the page before, as it was given") from None
    is_sound = cursor.value is None or cursor.value.is_finite()
    if cursor.order_by != order_by or not is_sound or cursor.read_at.tzinfo is None:
        raise NoCursor(f"must be the `next` of a page in the order {order_by}")
    return cursor
