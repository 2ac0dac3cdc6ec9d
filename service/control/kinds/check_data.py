"""Checks of data sets."""

from sqlalchemy import Connection

from service.contract.specs import CheckDataSpec
from service.control.kinds.base import CheckedSubmission, Kind
from service.control.kinds.data import dataset_of


class CheckDataKind(Kind[CheckDataSpec]):
    """Checks of data sets by a worker, which reports what would end a job with them."""

    name = "check_data"

    def check(self, tx: Connection, spec: CheckDataSpec) -> CheckedSubmission[CheckDataSpec]:
        """See Kind."""
        dataset_of(tx, spec.data)
        return CheckedSubmission(spec)

    def title(self, spec: CheckDataSpec) -> str:
        """See Kind."""
        data = spec.data
        return f"check of {data.dataset or data.packed or data.train_dir or data.val_dir}"
