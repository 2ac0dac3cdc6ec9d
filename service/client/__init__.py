"""The Python client of a Trainyard server: `Client`, `AsyncClient`, and their exceptions.

TrainyardError
├── InvalidConnection   the server's address, the token or a proxy cannot be used
├── InvalidRequest      a value of the request has no form in JSON or HTTP
├── ServerUnavailable   nobody answers now; the same request may succeed later
│   ├── ServerUnreachable   no answer, after the retries that are safe
│   └── ServerBusy          (also an ApiError) 429, 502, 503 or 504, after the retries
├── ApiError            the server answered with an error: `status`, `code`, `errors`
│   ├── NotFound            there is nothing of this name
│   ├── Refused             the request cannot be done as it is
│   │   ├── Unauthorized        the token is missing or wrong, or may not do this
│   │   └── Conflict            the state of the job or checkpoint does not allow it
│   └── ServerError         the server failed
├── UnexpectedAnswer    the answer is not one of a Trainyard server of this version
├── DownloadDamaged     the downloaded bytes do not have the expected sha256
├── MissingPackage      (also an ImportError) pandas, torch or the workers are not installed
└── Timeout             (also a TimeoutError) the time that was given is over
    └── StillRunning        the job did not end within the time given to `wait`
"""

from service.client.async_checkpoint import AsyncCheckpoint
from service.client.async_client import AsyncClient
from service.client.async_job import AsyncJob
from service.client.async_search import AsyncFoundPath, AsyncSearch
from service.client.calls.follow import LogPart
from service.client.checkpoint import Checkpoint
from service.client.client import Client
from service.client.errors import (
    ApiError,
    Conflict,
    DownloadDamaged,
    InvalidConnection,
    InvalidRequest,
    MissingPackage,
    NotFound,
    Refused,
    ServerBusy,
    ServerError,
    ServerUnavailable,
    ServerUnreachable,
    StillRunning,
    Timeout,
    TrainyardError,
    Unauthorized,
    UnexpectedAnswer,
    is_transient,
)
from service.client.job import Job
from service.client.search import FoundPath, Search
from service.client.series import MetricSeries

TrainyardClient = Client
"""The first name of `Client`."""

__all__ = [
    "ApiError",
    "AsyncCheckpoint",
    "AsyncClient",
    "AsyncFoundPath",
    "AsyncJob",
    "AsyncSearch",
    "Checkpoint",
    "Client",
    "Conflict",
    "DownloadDamaged",
    "FoundPath",
    "InvalidConnection",
    "InvalidRequest",
    "Job",
    "LogPart",
    "MetricSeries",
    "MissingPackage",
    "NotFound",
    "Refused",
    "Search",
    "ServerBusy",
    "ServerError",
    "ServerUnavailable",
    "ServerUnreachable",
    "StillRunning",
    "Timeout",
    "TrainyardClient",
    "TrainyardError",
    "Unauthorized",
    "UnexpectedAnswer",
    "is_transient",
]
