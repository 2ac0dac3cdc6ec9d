"""What the control plane is told from outside: `TRAINYARD_…` variables, or arguments."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.domain.limits import parse_limits

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class Settings(BaseSettings):
    """Every value may come from the environment; an impossible one is refused at start."""

    model_config = SettingsConfigDict(
        env_prefix="TRAINYARD_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    database_url: str = "sqlite:///yard/trainyard.db"
    volume: Path = Path("yard/volume")
    data_root: Path = Path("yard/data")
    import_root: Path = Path("yard/imports")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    token: SecretStr | None = None
    """When set, agents and everybody who changes something must send it as a bearer token."""

    heartbeat_seconds: Seconds = 10.0
    start_seconds: Seconds = 30.0
    """A claimed attempt that was not heard of for this long goes back to the queue."""
    unreachable_seconds: Seconds = 60.0
    self_end_seconds: Seconds = 240.0
    reassign_seconds: Seconds = 300.0
    kill_grace_seconds: Seconds = 30.0
    stall_seconds: Seconds = 1800.0
    """An attempt that showed no progress for this long is ended, and tried again."""
    retry_backoff_seconds: Seconds = 10.0
    """Before the second try after a job's own fault; doubles each time, to ten minutes at most."""

    quick_failure_seconds: Seconds = 60.0
    """A failure so soon after its start speaks against the worker: three different jobs'
    quarantine it."""
    keepalive_seconds: Seconds = 15.0
    """Between two signs of life on a stream that has nothing to say."""
    limits: str = ""
    """How many jobs with a label run at once: `team=vision:2`, or `owner=*:4` for each owner."""

    tidy_seconds: Seconds = 60.0
    """Between two looks for removals that were let go and not done."""

    @field_validator("limits")
    @classmethod
    def _readable(cls, text: str) -> str:
        parse_limits(text)
        return text

    @model_validator(mode="after")
    def _no_two_attempts_at_once(self) -> "Settings":
        if self.heartbeat_seconds >= self.unreachable_seconds:
            raise ValueError("heartbeat_seconds must be less than unreachable_seconds")
        if self.heartbeat_seconds >= self.stall_seconds:
            raise ValueError("heartbeat_seconds must be less than stall_seconds")
        if self.unreachable_seconds >= self.reassign_seconds:
            raise ValueError("unreachable_seconds must be less than reassign_seconds")
        ended = self.self_end_seconds + self.kill_grace_seconds
        if ended >= self.reassign_seconds:
            raise ValueError(
                f"self_end_seconds + kill_grace_seconds is {ended:g}, and must be less than "
                f"reassign_seconds, {self.reassign_seconds:g}: else two workers could run one job"
            )
        return self
