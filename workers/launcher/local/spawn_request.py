"""What the agent's launcher tells the warm process to start."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class SpawnRequest(BaseModel):
    """One attempt; an environment for each rank, `threads` for torch (None: its own choice)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    job_id: str
    spec_path: Path
    log_path: Path
    environments: tuple[dict[str, str], ...]
    threads: int | None


class SpawnEnded(BaseModel):
    """The warm process's word that an order's supervisor has ended, and everything below it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    status: int
