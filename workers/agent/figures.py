"""What an agent does at one moment, in numbers."""

from dataclasses import dataclass

from service.contract.samples import Sample


@dataclass(frozen=True)
class AgentFigures:
    """The counts are since the agent's start; None for what is not known (yet)."""

    attempts: int
    free_slots: int
    waiting_bytes: int
    claims: int
    heartbeats_answered: int
    heartbeats_failed: int
    silence_seconds: float | None
    sample: Sample | None
