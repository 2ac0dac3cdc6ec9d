"""What the agent itself leaves in an attempt's inbox."""

from enum import Enum


class Command(Enum):
    """How an attempt is to end."""

    RELEASE = "save, end and give the job back"
    END_NOW = "end without saving"
