"""What others leave in an attempt's inbox."""

from dataclasses import dataclass
from enum import Enum

from service.contract.agent import BeatReply


@dataclass(frozen=True)
class Answer:
    """A beat's reply, and when the beat was sent."""

    reply: BeatReply
    sent_at: float


class Word(Enum):
    """What the agent itself tells an attempt."""

    RELEASE = "save, end and give the job back"
    END_NOW = "end without saving"
