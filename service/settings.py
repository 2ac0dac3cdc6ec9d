"""The settings of the control plane, from `TRAINYARD_…` variables and command-line options."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.contract.http_client import BadConnection, server_url
from service.contract.paths import RootFolder
from service.contract.secret_files import with_secret_files
from service.contract.tokens import BearerToken, check_token
from service.domain.limits import parse_limits
from service.domain.webhooks import networks_of

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class Settings(BaseSettings):
    """Each setting is a `TRAINYARD_…` variable; invalid values are refused at the start."""

    model_config = SettingsConfigDict(
        env_prefix="TRAINYARD_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    database_url: str = "sqlite:///yard/trainyard.db"
    """An SQLite file, or a PostgreSQL database, which any number of servers may share."""
    volume: RootFolder = Path("yard/volume")
    """The folder of the checkpoints, which the server and all workers mount."""
    data_root: RootFolder = Path("yard/data")
    """The folder below which the data sets of jobs are."""
    import_root: RootFolder = Path("yard/imports")
    """The folder below which weights are imported from."""
    host: str = "127.0.0.1"
    """The address to listen on; any but loopback needs a token."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    """The port to listen on."""
    token: BearerToken | None = None
    """The token of an admin, which workers may send, too. Once there is this or any other token,
    every request must send one, but for probes and the page's files."""
    worker_token: BearerToken | None = None
    """A token for workers alone; by itself it asks nobody else for one."""
    secrets_dir: Path | None = None
    """A folder whose files are settings, such as `/run/secrets` with `trainyard_token`."""
    session_seconds: Annotated[float, Field(gt=0, le=2_678_400, allow_inf_nan=False)] = 604_800.0
    """How long who has logged in on the page is known, 7 days by default."""
    requests_per_minute: Annotated[int, Field(ge=0, le=60_000_000)] = 12_000
    """How many requests one token may send, and one address without any; 0 is no limit. It holds
    once there is a token."""
    open_requests: Annotated[int, Field(ge=1, le=16_384)] = 512
    """How many streams and waiting polls one token, or one address, may have open. Each worker has
    one."""
    trusted_proxies: str = "127.0.0.1, ::1"
    """Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed;
    `none` believes nobody."""
    allowed_hosts: str = ""
    """Names of this server besides localhost, separated by commas."""

    heartbeat_seconds: Seconds = 10.0
    """How often a worker reports."""
    start_seconds: Seconds = 30.0
    """A claimed attempt without a heartbeat for this long goes back to the queue."""
    unreachable_seconds: Seconds = 60.0
    """A worker that was silent for this long is shown as unreachable."""
    self_end_seconds: Seconds = 240.0
    """A worker that has not reached the server for this long saves and ends its attempts."""
    reassign_seconds: Seconds = 300.0
    """An attempt without a heartbeat for this long is lost, and its job goes to another worker."""
    kill_grace_seconds: Seconds = 30.0
    """How long an attempt that is to end may take to save, before it is killed."""
    stall_seconds: Seconds = 1800.0
    """An attempt without progress for this long is ended, and the job is retried."""
    retry_backoff_seconds: Seconds = 10.0
    """The wait after a job's first failure; it doubles with each failure, up to ten minutes."""
    preempt_after_seconds: Seconds = 60.0
    """A preemptible job runs at least so long before it is asked to give its place back."""

    quick_failure_seconds: Seconds = 60.0
    """A failure within this time after the start counts against the worker; three different jobs
    that fail so soon quarantine it."""
    keepalive_seconds: Seconds = 15.0
    """The interval of keep-alive comments on a stream without events."""
    limits: str = ""
    """How many jobs with a label may run: `team=vision:2`, or `owner=*:4` for each owner."""

    audit_days: Annotated[int, Field(ge=1, le=36_500)] = 365
    """How long the audit list keeps an entry."""
    tidy_seconds: Seconds = 60.0
    """The interval of the loop that finishes interrupted removals."""

    public_url: Annotated[str, Field(pattern=r"^(https?://[!-~]+)?$", max_length=2048)] = ""
    """Where people find the page, such as `https://train.example.org`: for links in messages."""
    webhook_networks: str = ""
    """Networks besides the public ones to which webhooks may be sent: `10.0.0.0/8, 127.0.0.1`."""
    webhook_http: bool = False
    """Whether a webhook may have an `http://` URL."""
    webhook_retry_seconds: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = 5.0
    """The wait after the first try of a message; with 5 the last one comes three days later."""
    mlflow_uri: Annotated[str, Field(max_length=2048)] = ""
    """An MLflow server in which trainings and evals are shown, such as `http://mlflow:5000`."""
    mlflow_experiment: Annotated[str, Field(min_length=1, max_length=250)] = "trainyard"
    """The experiment of MLflow that has their runs; it is made if there is none."""
    mlflow_token: SecretStr | None = None
    """What MLflow asks for: a bearer token, or `user:password`."""
    mlflow_seconds: Seconds = 10.0
    """How often MLflow is told what has changed; the first wait after it did not answer."""
    access_log: bool = False
    """Whether the log has a line for each request: method, path, status, time, address."""

    root_path: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)*$")] = ""
    """The prefix under which a proxy serves this server, such as `/trainyard`."""

    @property
    def allowed_host_names(self) -> tuple[str, ...]:
        """The names in `allowed_hosts`, in lower case."""
        names = (name.strip().lower() for name in self.allowed_hosts.split(","))
        return tuple(name for name in names if name)

    @model_validator(mode="before")
    @classmethod
    def _secrets(cls, settings: dict[str, Any]) -> dict[str, Any]:
        return with_secret_files(settings, cls.model_fields)

    @field_validator("limits")
    @classmethod
    def _readable(cls, text: str) -> str:
        parse_limits(text)
        return text

    @field_validator("mlflow_uri")
    @classmethod
    def _callable_address(cls, text: str) -> str:
        try:
            url = server_url(text) if text else None
        except BadConnection:
            raise ValueError("it must be an address like http://host:5000") from None
        if url is not None and url.userinfo:
            raise ValueError("user and password belong into TRAINYARD_MLFLOW_TOKEN")
        return text

    @field_validator("mlflow_token")
    @classmethod
    def _sendable(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and ":" not in token.get_secret_value():
            check_token(token.get_secret_value())
        return token

    @field_validator("trusted_proxies")
    @classmethod
    def _of_proxies(cls, text: str) -> str:
        if text.strip().lower() == "none":
            return ""
        networks_of(text)
        return text

    @field_validator("webhook_networks")
    @classmethod
    def _of_networks(cls, text: str) -> str:
        networks_of(text)
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
