"""Where the next page of an ordered list of jobs begins, as a text that callers pass on."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal, InvalidOperation

_BEGIN = "after_"
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_YEARS = range(1970, 9999)
"""The years at both ends overflow in another time zone."""
_LARGEST_EXPONENT = 400
"""More than that of any float; no database takes every number."""
_EXACT = Context(prec=1000)


class NoCursor(ValueError):
    """A text that is no cursor of this order; the message says so."""


@dataclass(frozen=True)
class JobCursor:
    """The last job of a page: its id, and the value by which the list is ordered, if it has one.

    `read_at` is when the first page was read: a job that runs has its duration of that moment on
    each page. None in an order that does not change by itself, so that equal pages are equal.
    """

    order_by: str
    value: Decimal | None
    job_id: str
    read_at: datetime | None

    @property
    def text(self) -> str:
        """The cursor as a text."""
        # PostgreSQL gives 1e300 with all its zeros, for which a cursor has no room.
        value = str(_EXACT.normalize(self.value)) if self.value is not None else None
        read_at = self.read_at.isoformat() if self.read_at is not None else None
        parts = [self.order_by, value, self.job_id, read_at]
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
            datetime.fromisoformat(read_at) if read_at is not None else None,
        )
    except (ValueError, TypeError, binascii.Error, InvalidOperation, RecursionError):
        raise NoCursor("must be the `next` of the page before, as it was given") from None
    if cursor.order_by != order_by or not _is_sound(cursor):
        raise NoCursor(f"must be the `next` of a page in the order {order_by}")
    return cursor


def _is_sound(cursor: JobCursor) -> bool:
    """Whether every database takes what it has."""
    value, read_at = cursor.value, cursor.read_at
    return (
        _ID.fullmatch(cursor.job_id) is not None
        and (value is None or _is_number(value))
        and (read_at is None or (read_at.tzinfo is not None and read_at.year in _YEARS))
    )


def _is_number(value: Decimal) -> bool:
    return value.is_finite() and abs(value.adjusted()) <= _LARGEST_EXPONENT
