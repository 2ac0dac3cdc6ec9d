"""However much the attempts of a worker have to say, a heartbeat is small enough for a server."""

from dataclasses import dataclass
from typing import Any, cast

from service.contract.agent import Beat, ReportedEvent
from workers.agent.attempt import Attempt
from workers.agent.heartbeat import beats_within

EVENT = ReportedEvent.model_validate(
    {"seq": 1, "kind": "note", "at": "2026-01-01T00:00:00Z", "body": {"message": "news"}}
)


@dataclass
class AttemptWithEvents:
    """An attempt with one event of some bytes."""

    number: int
    size: int

    def event_bytes(self) -> int:
        return self.size

    def beat(self) -> Beat:
        return Beat(job_id="job", attempt=self.number, token="", events=(EVENT,))


def test_attempts_whose_events_do_not_fit_keep_their_leases_and_send_them_later() -> None:
    attempts = cast(
        list[Attempt], [AttemptWithEvents(n, size) for n, size in enumerate([60, 50, 40])]
    )
    beats: list[Any] = list(beats_within(attempts, 100))
    assert [(beat.attempt, len(beat.events)) for beat in beats] == [(0, 1), (1, 0), (2, 1)]
