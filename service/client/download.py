"""One file from the server to the disk: whole and verified, or absent."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from service.client.errors import DownloadDamaged, ServerUnreachable
from service.client.http import Http
from service.contract.checkpoints import FileDigest


def fetch(http: Http, path: str, digest: FileDigest, target: Path) -> Path:
    """Stream `path` to `target`, by a partial file beside it that a later try continues.

    Raises DownloadDamaged when the bytes are not those of `digest`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{digest.sha256[:16]}.partial")
    for attempt in Retrying(
        retry=retry_if_exception_type(ServerUnreachable),
        stop=stop_after_attempt(4),
        wait=wait_random_exponential(multiplier=0.1, max=2.0),
        reraise=True,
    ):
        with attempt:
            _continue(http, path, digest, partial)
    found = _sha256_of(partial)
    if found != digest.sha256:
        partial.unlink()
        raise DownloadDamaged(
            f"{path} came with sha256 {found[:12]}…, and {digest.sha256[:12]}… was promised; "
            "nothing was kept: try again, or verify the checkpoint on the server"
        )
    os.replace(partial, target)
    _sync(target.parent)
    return target


def _continue(http: Http, path: str, digest: FileDigest, partial: Path) -> None:
    with partial.open("ab") as file:
        have = file.tell()
        if have == digest.bytes:
            return
        if have > digest.bytes:
            file.truncate(have := 0)
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with http.stream(path, headers) as response:
            if have and response.status_code != httpx.codes.PARTIAL_CONTENT:
                file.truncate(0)
            _append(file, response)


def _append(file: BinaryIO, response: httpx.Response) -> None:
    # What arrived before the connection broke is kept for the next try.
    for chunk in response.iter_raw():
        file.write(chunk)
    file.flush()
    os.fsync(file.fileno())


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
