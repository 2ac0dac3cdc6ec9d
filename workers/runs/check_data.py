"""The check of a data set as an attempt: one rank, no training."""

import hashlib
from typing import Any

from service.contract.checkpoints import FileDigest
from service.contract.data_report import REPORT_FILE, DataReport
from service.contract.specs import CheckDataSpec
from workers.cpu_cores import cores_of_rank
from workers.data.checks.data_set import check_data
from workers.exchange.whole import whole_file
from workers.training.attempt_results import Stopped
from workers.training.run_context import RunContext

_REPORTS = 50


def run(context: RunContext) -> dict[str, Any]:
    """Check the data that the spec names; the result is the report. Raises NoDataRoot, Stopped."""
    spec, events = context.claim.spec, context.events
    assert isinstance(spec, CheckDataSpec)
    if not context.ranks.is_first:
        return {}
    events.report("started", {"total_steps": 1, "resumed_from": None, "step": 0}, "started")
    report = check_data(
        spec.data,
        context.assignment.data_root,
        batch_size=spec.batch_size,
        processes=cores_of_rank(1),
        progress=_ProgressReports(context).report,
    )
    for problem in report.problems:
        events.log(problem.text)
    return report.as_result() | {"files": {REPORT_FILE: _written(context, report).model_dump()}}


def _written(context: RunContext, report: DataReport) -> FileDigest:
    body = report.model_dump_json(indent=1).encode()
    folder = context.attempt_folder / "files"
    folder.mkdir(exist_ok=True)
    with whole_file(folder / REPORT_FILE) as partial:
        partial.write_bytes(body)
    return FileDigest(bytes=len(body), sha256=hashlib.sha256(body).hexdigest())


class _ProgressReports:
    """An event at every fiftieth part, and a sign of life for each image."""

    def __init__(self, context: RunContext) -> None:
        self._events, self._stop_asked = context.events, context.stop_asked
        self._part = -1

    def report(self, done: int, total: int) -> None:
        """What `check_data` calls; raises Stopped once asked to stop."""
        if self._stop_asked():
            raise Stopped("stopped in a check of data, as asked; it begins again")
        part = done * _REPORTS // max(total, 1)
        if part > self._part:
            self._part = part
            body = {"phase": "check_data", "step": done, "total_steps": max(total, 1)}
            self._events.report("progress", body, f"{done} of {total} images")
        else:
            self._events.pulse()
