"""The settings of a worker, from `TRAINYARD_…` variables and command-line arguments."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, CliSuppress, NoDecode, SettingsConfigDict

from service.contract.fields import LABEL_KEY, LabelKey, LabelValue
from service.contract.http_client import server_url
from service.contract.paths import RootFolder
from service.contract.secret_files import with_secret_files
from service.contract.tokens import BearerToken


class WorkerSettings(BaseSettings):
    """Each setting is an argument (`--data-root DIR`) or a variable (`TRAINYARD_DATA_ROOT`)."""

    model_config = SettingsConfigDict(
        env_prefix="TRAINYARD_",
        frozen=True,
        extra="ignore",
        cli_kebab_case=True,
        cli_hide_none_type=True,
        cli_prog_name="python -m workers",
    )

    server: str = Field("http://127.0.0.1:8000", description="URL of the control plane")
    volume: RootFolder = Field(
        Path("yard/volume"), description="folder of checkpoints and logs, shared by all workers"
    )
    data_root: RootFolder = Field(Path("yard/data"), description="folder of the data sets")
    import_root: RootFolder = Field(Path("yard/imports"), description="folder of weights to import")
    slots: Annotated[int, Field(ge=1, le=1024)] = Field(1, description="most attempts at once")
    launcher: str = Field("local", description="what starts the ranks of an attempt")
    ray_address: str | None = Field(
        None, description="HOST:PORT of the Ray cluster's head, for the launcher ray"
    )
    last_claim_seconds: Annotated[float, Field(ge=0)] = Field(
        300.0, description="before the time limit of the launcher's machines: claim nothing then"
    )
    on_drain: Literal["wait", "release"] = Field(
        "release",
        description="at the first SIGTERM: wait for the running attempts, or release their jobs",
    )
    labels: Annotated[dict[LabelKey, LabelValue], NoDecode] = Field(
        default_factory=dict, description="labels that jobs can require, as name=value,name=value"
    )
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] | None = Field(
        None, description="port of this worker's own metrics for Prometheus; by default none"
    )
    metrics_host: str = Field(
        "127.0.0.1", description="address of the metrics, which anyone who reaches it can read"
    )
    health_file: Path | None = Field(
        None,
        description="file that says that this worker lives, which `python -m workers.health` "
        "reads; by default none",
    )
    secrets_dir: Path | None = Field(
        None,
        description="folder whose files are settings, such as /run/secrets with trainyard_token",
    )
    token: CliSuppress[BearerToken | None] = None
    """The bearer token; a variable or a file, since every user of a machine can see arguments."""

    @model_validator(mode="before")
    @classmethod
    def _secrets(cls, settings: dict[str, Any]) -> dict[str, Any]:
        return with_secret_files(settings, cls.model_fields)

    @field_validator("labels", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        pairs = [pair.partition("=") for pair in value.split(",") if pair]
        if not all(name and equals for name, equals, _ in pairs):
            raise ValueError("write labels as name=value,name=value")
        for name, _, _ in pairs:
            if not re.match(LABEL_KEY, name):
                raise ValueError(
                    f"{name!r} is no name of a label: begin with a letter or a digit, and go on "
                    "with letters, digits and . _ / -"
                )
        labels = {name: label for name, _, label in pairs}
        if len(labels) < len(pairs):
            raise ValueError("a label is there twice: give each name one value")
        return labels

    @field_validator("server")
    @classmethod
    def _address(cls, value: str) -> str:
        server_url(value)
        return value

    @field_validator("ray_address")
    @classmethod
    def _host_and_port(cls, value: str | None) -> str | None:
        if value is None:
            return None
        host, _, port = value.rpartition(":")
        if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise ValueError(
                f"{value!r} is no HOST:PORT: write the address of the cluster's head, such as "
                "head.example:6379; `auto` and ray:// are not taken"
            )
        return value

    @field_validator("volume", "data_root", "import_root")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()
