"""The audit list: who has changed what, and when."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from service.contract.fields import IdText
from service.contract.job_queries import Since
from service.contract.text import CutTo, ShortText, Text

DETAIL_LENGTH = 200

ActionName = Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z]+)?$", max_length=32)]
"""A word such as `job.cancel`, or what it begins with, as `job`."""


class AuditEntry(BaseModel):
    """One thing that a caller of the API has changed, or was refused."""

    object: Literal["audit_entry"] = "audit_entry"
    number: int
    """Entries that were stored later have higher numbers."""
    created_at: datetime
    actor: ShortText | None = None
    """The name of the caller's token; null on a server without tokens, and for a stranger."""
    role: ShortText | None = None
    action: ShortText
    """What was done, such as `job.cancel`."""
    subject: IdText | None = None
    """The id of what it was done to."""
    detail: Annotated[str, CutTo(DETAIL_LENGTH)] | None = None
    request_id: IdText | None = None
    address: IdText | None = None
    """The address that the request came from."""


class AuditSelection(BaseModel):
    """Which entries are meant: those to which everything that is given applies."""

    actor: Annotated[Text, Field(min_length=1, max_length=64)] | None = None
    action: ActionName | None = None
    subject: Annotated[Text, Field(min_length=1, max_length=64)] | None = None
    since: Since | None = None
    until: Since | None = None
