"""The check of a data set as an attempt: one rank, no training."""

import hashlib
from typing import Any

from service.contract.checkpoints import FileDigest
from service.contract.data_report import REPORT_FILE, DataReport
from service.contract.specs import CheckDataSpec
from workers.cpu_cores import cores_of_rank
from workers.data.checks.data_set import check_data
from workers.exchange.whole import whole_file
from workers.runs.progress_reports import ProgressReports
from workers.training.run_context import RunContext


def run(context: RunContext) -> dict[str, Any]:
    """Check the data that the spec names; the result is the report. Raises NoDataRoot, Stopped."""
    spec, events = context.claim.spec, context.events
    assert isinstance(spec, CheckDataSpec)
    if not context.ranks.is_first:
        return {}
    events.report("started", {"total_steps": 1, "resumed_from": None, "step": 0}, "started")
    reports = ProgressReports(
        context,
        phase="check_data",
        unit="images",
        stopped="stopped in a check of data, as asked; it begins again",
    )
    report = check_data(
        spec.data,
        context.assignment.data_root,
        batch_size=spec.batch_size,
        processes=cores_of_rank(1),
        progress=reports.report,
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
