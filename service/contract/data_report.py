"""What a check of a data set found, as `data_report.json` has it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict

from service.contract.split_counts import SplitCounts
from service.contract.text import CutTo, Message, ShortText

REPORT_FILE = "data_report.json"
MOST_IN_RESULT = 20
"""How many problems a job's result has; the file has the others, too."""

_MOST_PROBLEMS = 100_000
_MOST_SPLITS = 2


class DataProblem(BaseModel):
    """A problem of the data; `ends_job` if a training or an eval would fail of it.

    `text` names the file or folder, and what to change.
    """

    model_config = ConfigDict(frozen=True)

    ends_job: bool
    text: Message


class CheckedSplit(SplitCounts):
    """One split: its images and classes, those of the smallest class, and what is passed over."""

    smallest_class: int = 0
    passed_over: Message = ""


class DataReport(BaseModel):
    """The report of a check; `ok` if nothing would end a job.

    Problems are in the order of the splits and their images, and those that end a job first.
    `problems_total` counts those that are left out, too.
    """

    model_config = ConfigDict(frozen=True)

    data: ShortText
    ok: bool
    splits: Annotated[tuple[CheckedSplit, ...], CutTo(_MOST_SPLITS)]
    problems: Annotated[tuple[DataProblem, ...], CutTo(_MOST_PROBLEMS)]
    problems_total: int

    def as_result(self) -> dict[str, Any]:
        """The report as a job's result: with the first problems alone."""
        short = self.model_copy(update={"problems": self.problems[:MOST_IN_RESULT]})
        return short.model_dump(mode="json")
