"""The commands of an agent to its attempts."""

from enum import Enum


class Command(Enum):
    """How an attempt is to end."""

    RELEASE = "save, end and give the job back"
    END_NOW = "end without saving"
