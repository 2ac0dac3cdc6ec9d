"""Files of the volume over HTTP."""

from fastapi import Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Receive, Scope, Send

from service.api.errors import problem
from service.api.responses import is_current, not_modified, sha256_headers
from service.context import AppContext
from service.control.checkpoints.files import VolumeFile, open_published


def download(request: Request, context: AppContext, file: VolumeFile) -> Response:
    """The bytes of a file, or those of the range that is asked for; the ETag is its sha256.

    Refused as unavailable if the volume has too many reads under way, and if the file does not have
    that sha256. The limit counts reads alone: a client that reads slowly, or not at all, holds
    nobody up.
    """
    headers = sha256_headers(file.digest)
    if is_current(request, headers["ETag"]):
        return not_modified(headers["ETag"])
    return _Download(context, file, headers)


class _Download(FileResponse):
    """Refuses a range in the shape of every other refusal."""

    def __init__(self, context: AppContext, file: VolumeFile, headers: dict[str, str]) -> None:
        super().__init__(file.path, filename=file.name, headers=headers)
        self._context, self._file = context, file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal: Response | None = None
        limit = self._context.volume_limiter.downloads

        async def shaped(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and message["status"] in (400, 416):
                refusal = _refusal(Request(scope), message)
                await refusal(scope, receive, send)
            elif refusal is None:
                async with limit.pause():
                    await send(message)

        volume, digests = self._context.volume, self._context.file_digests
        async with limit.acquire():
            file = await run_in_threadpool(open_published, volume, self._file, digests)
            with file:
                # The name of the open file: what is at its path may be another one by now.
                self.path = f"/proc/self/fd/{file.fileno()}"
                await super().__call__(scope, receive, shaped)


def _refusal(request: Request, start: Message) -> Response:
    if start["status"] == 400:
        detail = "the Range header cannot be read; write it as bytes=0-99"
        return problem(request, 400, "bad_range", detail)
    there = dict(start["headers"])[b"content-range"].decode()
    size = there.rpartition("/")[2]
    detail = f"the file has {size} bytes, and none in the range that is asked for"
    return problem(request, 416, "no_such_range", detail, headers={"Content-Range": there})
