"""What became of the searches of a chaos run: whether it shows anything of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from service.contract.jobs import Job, JobState

PROMISING = 20
"""Of so many searches under faults some succeed, and some of these in several attempts."""


@dataclass(frozen=True)
class SearchCounts:
    """How many searches there were, how many succeeded, and how many of these were disturbed.

    A search that was not disturbed has succeeded in its first attempt.
    """

    all: int = 0
    succeeded: int = 0
    disturbed: int = 0

    @classmethod
    def of(cls, jobs: Sequence[Job], *, undisturbed: int) -> Self:
        """Of the jobs of a round, of which so many searches ran before any fault."""
        searches = [job for job in jobs if job.kind == "search"]
        succeeded = [job for job in searches if job.state is JobState.SUCCEEDED]
        disturbed = sum(job.attempt > 1 for job in succeeded)
        return cls(len(searches) - undisturbed, len(succeeded) - undisturbed, disturbed)

    def __add__(self, other: "SearchCounts") -> "SearchCounts":
        return SearchCounts(
            self.all + other.all,
            self.succeeded + other.succeeded,
            self.disturbed + other.disturbed,
        )

    def problems(self) -> Iterator[str]:
        """A sentence for what a run of so many searches does not show, though it should."""
        if self.all < PROMISING:
            return
        if not self.succeeded:
            yield f"none of {self.all} searches succeeded, so that no table was compared"
        elif not self.disturbed:
            yield f"none of {self.succeeded} searches that succeeded was disturbed by a fault"

    def __str__(self) -> str:
        return (
            f"{self.succeeded} of {self.all} searches succeeded, "
            f"{self.disturbed} of them in several attempts"
        )
