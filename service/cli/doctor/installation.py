"""What the doctor looks at: a server by its address, and the folders of this machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path

import httpx

from service.contract.http_client import BadConnection, http_client, server_url

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)


@dataclass(frozen=True)
class ServerAnswer:
    """What a server says of itself; `error` says why there is no such answer.

    Its version and its volume are None where the token is not taken. `clock_offset_seconds` is how
    far its clock is before this machine's.
    """

    error: str | None = None
    ready: bool = False
    detail: str = ""
    version: str | None = None
    volume: str | None = None
    clock_offset_seconds: float | None = None
    token_status: int | None = None


@dataclass(frozen=True)
class Installation:
    """A server and the folders of this machine; a TRAINYARD_… variable goes before `data_dir`."""

    server: str
    token: str | None
    data_dir: Path
    environ: Mapping[str, str]
    mounts: Path = Path("/proc/self/mounts")

    @property
    def is_here(self) -> bool:
        """Whether this machine has folders of Trainyard at all."""
        names = ("TRAINYARD_VOLUME", "TRAINYARD_DATA_ROOT", "TRAINYARD_DATABASE_URL")
        return self.data_dir.is_dir() or any(self.environ.get(name) for name in names)

    @property
    def volume(self) -> Path:
        """The folder of the volume."""
        return Path(self.environ.get("TRAINYARD_VOLUME") or self.data_dir / "volume").absolute()

    @property
    def data_root(self) -> Path:
        """The folder of the data sets."""
        return Path(self.environ.get("TRAINYARD_DATA_ROOT") or self.data_dir / "data").absolute()

    @property
    def database_url(self) -> str | None:
        """The URL of the database, if the environment names one."""
        return self.environ.get("TRAINYARD_DATABASE_URL")

    @property
    def database_file(self) -> Path | None:
        """The SQLite file; None for another database."""
        if self.database_url is None:
            return (self.data_dir / "trainyard.db").absolute()
        kind, _, path = self.database_url.partition(":///")
        return Path(path).absolute() if kind == "sqlite" and path else None

    @cached_property
    def answer(self) -> ServerAnswer:
        """What the server says of itself, asked once."""
        try:
            with http_client(self.server, self.token, timeout=_TIMEOUT) as http:
                return _answer(http)
        except BadConnection as error:
            return ServerAnswer(error=str(error))
        except httpx.HTTPError as error:
            return ServerAnswer(error=f"nothing answers at {self.server} ({error})")

    @property
    def port(self) -> int:
        """The port of the server's address."""
        url = server_url(self.server)
        return url.port or (443 if url.scheme == "https" else 80)


def _answer(http: httpx.Client) -> ServerAnswer:
    begin = datetime.now(UTC)
    version = http.get("/version")
    middle = begin + (datetime.now(UTC) - begin) / 2
    body = _object(version)
    is_refused = version.status_code in (401, 403, 429) and "code" in body
    if "version" not in body and not is_refused:
        return ServerAnswer(error="what answers there is not a Trainyard server")
    ready = http.get("/readyz")
    asked = version if is_refused else http.get("/jobs", params={"limit": 1})
    return ServerAnswer(
        ready=ready.is_success,
        detail=str(_object(ready).get("detail", "")),
        version=body.get("version"),
        volume=body.get("volume"),
        clock_offset_seconds=_offset(version.headers.get("date"), middle),
        token_status=asked.status_code,
    )


def _object(response: httpx.Response) -> dict[str, str]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _offset(date: str | None, moment: datetime) -> float | None:
    if date is None:
        return None
    try:
        # The header has whole seconds: half of one is its mean error.
        told = parsedate_to_datetime(date) + timedelta(seconds=0.5)
    except ValueError:
        return None
    return (told - moment).total_seconds()
