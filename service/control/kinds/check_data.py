"""Checks of data sets."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from service.contract.data_report import DataReport
from service.contract.jobs import Job
from service.contract.reading import read
from service.contract.specs import CheckDataSpec
from service.control.kinds.base import CheckedSubmission, Kind
from service.control.kinds.data import dataset_of
from service.store import data_counts


class CheckDataKind(Kind[CheckDataSpec]):
    """Checks of data sets by a worker, which reports what would end a job with them."""

    name = "check_data"

    def check(self, tx: Connection, spec: CheckDataSpec) -> CheckedSubmission[CheckDataSpec]:
        """See Kind."""
        dataset_of(tx, spec.data)
        return CheckedSubmission(spec)

    def note_success(
        self, tx: Connection, job: Job, result: Mapping[str, Any], now: datetime
    ) -> None:
        """See Kind: how many images and classes there are."""
        assert isinstance(job.spec, CheckDataSpec)
        # A worker of another version may report them otherwise.
        with suppress(ValidationError):
            data_counts.put(tx, job.spec.data, read(DataReport, result).splits, job.id, now)

    def title(self, spec: CheckDataSpec) -> str:
        """See Kind."""
        data = spec.data
        return f"check of {data.dataset or data.packed or data.train_dir or data.val_dir}"
