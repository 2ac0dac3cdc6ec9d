"""What a worker is told from outside: `TRAINYARD_…` variables, or arguments."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, CliSuppress, NoDecode, SettingsConfigDict


class WorkerSettings(BaseSettings):
    """Every value may be an argument (`--data-root DIR`) or a variable (`TRAINYARD_DATA_ROOT`)."""

    model_config = SettingsConfigDict(
        env_prefix="TRAINYARD_",
        frozen=True,
        extra="ignore",
        cli_kebab_case=True,
        cli_hide_none_type=True,
        cli_prog_name="python -m workers",
    )

    server: str = Field("http://127.0.0.1:8000", description="where the control plane is")
    volume: Path = Field(
        Path("yard/volume"), description="the folder of checkpoints and logs, shared by all"
    )
    data_root: Path = Field(Path("yard/data"), description="where data folders are")
    import_root: Path = Field(Path("yard/imports"), description="where weights to import are")
    slots: Annotated[int, Field(ge=1, le=1024)] = Field(1, description="attempts at once")
    on_drain: Literal["wait", "release"] = Field(
        "release",
        description="at the first SIGTERM: let the running attempts finish, or save and give back",
    )
    labels: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict, description="what jobs may ask for: name=value,name=value"
    )
    token: CliSuppress[SecretStr | None] = None
    """Sent as a bearer token; a variable only, for arguments are for everybody to see."""

    @field_validator("labels", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        pairs = [pair.partition("=") for pair in value.split(",") if pair]
        if not all(name and equals for name, equals, _ in pairs):
            raise ValueError("write labels as name=value,name=value")
        return {name: label for name, _, label in pairs}

    @field_validator("volume", "data_root", "import_root")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()
