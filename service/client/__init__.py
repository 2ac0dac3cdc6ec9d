"""The Python client of a Trainyard server: `TrainyardClient`, and its exceptions.

TrainyardError
├── InvalidConnection   the server's address, the token or a proxy cannot be used
├── InvalidRequest      a value of the request has no form in JSON or HTTP
├── ServerUnreachable   no answer, after the retries that are safe
├── ApiError            the server refused the request: `status`, `code`, `errors`
├── UnexpectedAnswer    the answer is not one of a Trainyard server of this version
├── DownloadDamaged     the downloaded bytes do not have the expected sha256
└── StillRunning        the job did not end within the time given to `wait`
"""

from service.client.client import TrainyardClient
from service.client.errors import (
    ApiError,
    DownloadDamaged,
    InvalidConnection,
    InvalidRequest,
    ServerUnreachable,
    StillRunning,
    TrainyardError,
    UnexpectedAnswer,
)
from service.client.follow import LogPart

__all__ = [
    "ApiError",
    "DownloadDamaged",
    "InvalidConnection",
    "InvalidRequest",
    "LogPart",
    "ServerUnreachable",
    "StillRunning",
    "TrainyardClient",
    "TrainyardError",
    "UnexpectedAnswer",
]
