"""One call on many jobs."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from service.contract.bulk import BulkRequest
from service.contract.model_json import json_of
from service.domain.access import SERVER, Caller


@dataclass(frozen=True)
class BulkCall:
    """A request with its idempotency key, the moment, what gives ids of new jobs, who sends it."""

    request: BulkRequest
    key: str | None
    now: datetime
    new_id: Callable[[], str]
    by: Caller = SERVER

    @property
    def digest(self) -> str:
        """The sha256 of what is asked for."""
        return hashlib.sha256(b"bulk " + json_of(self.request)).hexdigest()

    def key_of(self, job_id: str) -> str | None:
        """The key of the part of the call that is for one job."""
        if self.key is None:
            return None
        return hashlib.sha256(f"bulk {self.key} {job_id}".encode()).hexdigest()
