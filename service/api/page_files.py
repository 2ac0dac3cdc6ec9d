"""Files that a page loads: named by their digest, compressed once, kept by browsers."""

import gzip
import hashlib
import re
from collections.abc import Mapping
from functools import cached_property
from mimetypes import guess_type
from pathlib import Path

from fastapi import Request, Response

from service.api.responses import is_current

_DIGEST = re.compile("[0-9a-f]{16}")
_FOREVER = "public, max-age=31536000, immutable"
_ASKED_ABOUT = "no-cache"
_LEAST_COMPRESSED = 1024
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
"""Types by which a browser runs a file or not, whatever this machine's table has."""


class PageFile:
    """A file as browsers are sent it; it is read and compressed when it is first asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._type = _TYPES.get(path.suffix) or guess_type(path.name)[0] or "text/plain"

    @cached_property
    def content(self) -> bytes:
        """Its bytes."""
        return self._path.read_bytes()

    @cached_property
    def digest(self) -> str:
        """The sha256 of its bytes."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def _compressed(self) -> bytes | None:
        if len(self.content) < _LEAST_COMPRESSED:
            return None
        return gzip.compress(self.content, compresslevel=9, mtime=0)

    def response(self, request: Request, is_named_by_digest: bool) -> Response:
        """The file, or 304 if the caller has it; kept for ever if its address has its digest."""
        compressed = self._compressed if _takes_gzip(request) else None
        # Each form has an ETag of its own, as a proxy must not mix them.
        etag = f'"{self.digest[:32]}{"-gzip" if compressed is not None else ""}"'
        headers = {
            "ETag": etag,
            "Cache-Control": _FOREVER if is_named_by_digest else _ASKED_ABOUT,
            "Vary": "Accept-Encoding",
        }
        if is_current(request, etag):
            return Response(status_code=304, headers=headers)
        if compressed is not None:
            headers["Content-Encoding"] = "gzip"
        content = self.content if compressed is None else compressed
        return Response(content, headers=headers, media_type=self._type)


class PageFiles:
    """The files of a page by name; `digest` is that of all of them, and names their folder.

    They refer to each other by relative addresses: below a folder that is named by the digest each
    finds the others as they were built together.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = {name: PageFile(path) for name, path in files.items()}

    @cached_property
    def digest(self) -> str:
        """The first 16 digits of the sha256 of all names and contents."""
        parts = [f"{name} {file.digest}\n" for name, file in sorted(self._files.items())]
        return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]

    def get(self, path: str) -> tuple[PageFile, bool] | None:
        """The file at `<name>` or `<digest>/<name>`, and whether that digest is the present one.

        A page that was opened before an upgrade asks with the digest of then: it is given the file
        of now, and may not keep it.
        """
        folder, _, rest = path.partition("/")
        name = rest if _DIGEST.fullmatch(folder) else path
        file = self._files.get(name)
        return None if file is None else (file, folder == self.digest)


def _takes_gzip(request: Request) -> bool:
    parts = [each.partition(";") for each in request.headers.get("accept-encoding", "").split(",")]
    weights = {coding.strip().lower(): weight.replace(" ", "") for coding, _, weight in parts}
    # What is said of all codings is said of those that are not named.
    weight = weights.get("gzip", weights.get("*"))
    return weight is not None and weight not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
