"""The Python client of a yard: `TrainyardClient`, and one tree of errors.

TrainyardError
├── ServerUnreachable   no answer, after safe retries
├── ApiError            the server said no: `status`, `code`, `errors`
├── UnexpectedAnswer    whatever answered is no Trainyard server of this version
├── DownloadDamaged     the bytes that came are not the checkpoint's
└── StillRunning        `wait` ran out of time
"""

from service.client.client import LogPart, TrainyardClient
from service.client.errors import (
    ApiError,
    DownloadDamaged,
    ServerUnreachable,
    StillRunning,
    TrainyardError,
    UnexpectedAnswer,
)

__all__ = [
    "ApiError",
    "DownloadDamaged",
    "LogPart",
    "ServerUnreachable",
    "StillRunning",
    "TrainyardClient",
    "TrainyardError",
    "UnexpectedAnswer",
]
