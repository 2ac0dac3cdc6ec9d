"""An attempt as the stand-in for the control plane knows it."""

from typing import Any

from service.contract.agent import (
    BeatReply,
    Claim,
    Purge,
    Report,
    ReportedEvent,
)


class FakeAttempt:
    """What the control plane knows of an attempt."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.events: list[ReportedEvent] = []
        self.beats = 0
        self.directive: Any = "continue"
        self.lease_lost = False
        self.purge: tuple[Purge, ...] = ()
        self.purged: list[str] = []
        self.report: Report | None = None

    def take(self, events: tuple[ReportedEvent, ...]) -> None:
        """Add the events that are new; they must follow the last one without a gap."""
        for event in events:
            if event.seq > self.acked_seq:
                assert event.seq == self.acked_seq + 1
                self.events.append(event)

    @property
    def acked_seq(self) -> int:
        return self.events[-1].seq if self.events else 0

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def reply(self) -> BeatReply:
        return BeatReply(
            job_id=self.claim.job_id,
            attempt=self.claim.attempt,
            directive=self.directive,
            lease_lost=self.lease_lost,
            acked_seq=self.acked_seq,
            purge=self.purge,
        )
