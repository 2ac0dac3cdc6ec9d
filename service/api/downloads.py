"""Files of the volume over HTTP."""

from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

from service.api.errors import problem
from service.api.responses import is_current, not_modified, sha256_headers
from service.contract.checkpoints import FileDigest
from service.volume_limiter import CallLimit


def download(
    request: Request, limit: CallLimit, path: Path, name: str, digest: FileDigest
) -> Response:
    """The bytes of a file, or those of the range that is asked for; the ETag is its sha256.

    Refused as unavailable if the volume has too many reads under way. The limit counts reads alone:
    a client that reads slowly, or not at all, holds nobody up.
    """
    headers = sha256_headers(digest)
    if is_current(request, headers["ETag"]):
        return not_modified(headers["ETag"])
    return _Download(limit, path, name, headers)


class _Download(FileResponse):
    """Refuses a range in the shape of every other refusal."""

    def __init__(self, limit: CallLimit, path: Path, name: str, headers: dict[str, str]) -> None:
        super().__init__(path, filename=name, headers=headers)
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal: Response | None = None

        async def shaped(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and message["status"] in (400, 416):
                refusal = _refusal(Request(scope), message)
                await refusal(scope, receive, send)
            elif refusal is None:
                async with self._limit.pause():
                    await send(message)

        async with self._limit.acquire():
            await super().__call__(scope, receive, shaped)


def _refusal(request: Request, start: Message) -> Response:
    if start["status"] == 400:
        detail = "the Range header cannot be read; write it as bytes=0-99"
        return problem(request, 400, "bad_range", detail)
    there = dict(start["headers"])[b"content-range"].decode()
    size = there.rpartition("/")[2]
    detail = f"the file has {size} bytes, and none in the range that is asked for"
    return problem(request, 416, "no_such_range", detail, headers={"Content-Range": there})
