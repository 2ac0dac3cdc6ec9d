"""The commands of an agent to its attempts."""

from enum import Enum


class Command(Enum):
    """How an attempt is to end; the value is the reason that its job's history shows.

    With `RELEASE` and `DECLINE` it saves, ends and gives the job back, with `END_NOW` it saves not.
    """

    RELEASE = "the worker is shutting down, and gave the job back"
    DECLINE = "this worker's machines take no new attempt now, and it gave the job back"
    END_NOW = "the worker was ended"
