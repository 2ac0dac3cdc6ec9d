"""What a check has found so far."""

from collections.abc import Iterable

from service.contract.data_report import CheckedSplit, DataProblem, DataReport
from workers.data.errors import InvalidData


class Findings:
    """Collects problems and splits of a data set."""

    def __init__(self) -> None:
        self._problems: list[DataProblem] = []
        self._splits: list[CheckedSplit] = []

    def add(self, error: InvalidData | str) -> None:
        """A problem that would end a job."""
        self._problems.append(DataProblem(ends_job=True, text=str(error)))

    def note(self, text: str) -> None:
        """Something to know that ends no job; said once."""
        note = DataProblem(ends_job=False, text=text)
        if note not in self._problems:
            self._problems.append(note)

    def add_split(self, split: CheckedSplit) -> None:
        """A split that was read, whatever is wrong with it."""
        self._splits.append(split)

    def report(self, data: str) -> DataReport:
        """The report about the data of this name."""
        problems = _first(self._problems, ends_job=True) + _first(self._problems, ends_job=False)
        return DataReport(
            data=data,
            ok=not any(problem.ends_job for problem in problems),
            splits=tuple(self._splits),
            problems=problems,
            problems_total=len(problems),
        )


def _first(problems: Iterable[DataProblem], *, ends_job: bool) -> tuple[DataProblem, ...]:
    return tuple(problem for problem in problems if problem.ends_job == ends_job)
