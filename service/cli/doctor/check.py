"""What a check of the doctor is, and what it finds."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from service.cli.doctor.installation import Installation


class Status(StrEnum):
    """How a check ended; a warning says what may become a problem."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"


class Finding(BaseModel):
    """The end of a check: what is there, and how to mend it where something is wrong."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    status: Status
    detail: str
    cure: str | None = None


@dataclass(frozen=True)
class Check:
    """A check by its name; `run` looks at the installation and changes nothing."""

    name: str
    run: Callable[[Installation], Finding]

    def finding(self, installation: Installation) -> Finding:
        """The finding with the check's name; what the system refuses is a problem."""
        try:
            found = self.run(installation)
        except OSError as error:
            found = problem(
                f"the check could not look: {error}", "give this user the right to read it"
            )
        return found.model_copy(update={"name": self.name})


def ok(detail: str) -> Finding:
    """Nothing is wrong."""
    return Finding(status=Status.OK, detail=detail)


def warning(detail: str, cure: str) -> Finding:
    """It works, and may not go on to work."""
    return Finding(status=Status.WARNING, detail=detail, cure=cure)


def problem(detail: str, cure: str) -> Finding:
    """It does not work."""
    return Finding(status=Status.PROBLEM, detail=detail, cure=cure)


def skipped(detail: str) -> Finding:
    """There is nothing to look at."""
    return Finding(status=Status.SKIPPED, detail=detail)
