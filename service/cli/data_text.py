"""The report of a check of data as text."""

from collections.abc import Iterator

from pydantic import ValidationError

from service.contract.counts import count_text
from service.contract.data_report import DataReport
from service.contract.jobs import Job
from service.contract.reading import read


def check_text(job: Job) -> str | None:
    """The report of a check that has succeeded, a line each; None for other jobs."""
    if job.kind != "check_data" or job.result is None:
        return None
    try:
        return "\n".join(report_lines(read(DataReport, job.result)))
    except ValidationError:
        return None


def report_lines(report: DataReport) -> Iterator[str]:
    """A line for each problem and split, and the verdict as the last one."""
    for problem in report.problems:
        yield f"{'error' if problem.ends_job else 'note'}: {problem.text}"
    left = report.problems_total - len(report.problems)
    if left > 0:
        yield f"and {left} more, which the file data_report.json has"
    for split in report.splits:
        parts = [
            f"{split.name}: {count_text(split.images, 'image')} of "
            f"{count_text(split.classes, 'class', 'classes')}",
            f"at least {split.smallest_class} in each",
        ]
        if split.passed_over:
            parts.append(f"passed over: {split.passed_over}")
        yield ", ".join(parts)
    yield "nothing would end a job" if report.ok else "a job with this data would fail"
