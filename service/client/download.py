"""Downloads one file: it appears at its target only once its sha256 is verified."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from service.client.errors import DownloadDamaged, ServerUnreachable
from service.client.http import Http
from service.contract.checkpoints import FileDigest
from service.contract.kernel import sync_folder


def fetch(http: Http, path: str, digest: FileDigest, target: Path) -> Path:
    """Download `path` to `target` through a partial file, which a later call continues.

    Raises DownloadDamaged if the bytes do not match `digest`, and ServerUnreachable.
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
            _download_rest(http, path, digest, partial)
    sha256 = _sha256_of(partial)
    if sha256 != digest.sha256:
        partial.unlink()
        raise DownloadDamaged(
            f"{path} was received with sha256 {sha256[:12]}… instead of {digest.sha256[:12]}…; the "
            "download was deleted: try again, or verify the checkpoint on the server"
        )
    os.replace(partial, target)
    sync_folder(target.parent)
    return target


def _download_rest(http: Http, path: str, digest: FileDigest, partial: Path) -> None:
    with partial.open("ab") as file:
        offset = file.tell()
        if offset == digest.bytes:
            return
        if offset > digest.bytes:
            file.truncate(offset := 0)
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        with http.stream(path, headers) as response:
            if offset and response.status_code != httpx.codes.PARTIAL_CONTENT:
                file.truncate(0)
            _append(file, response)


def _append(file: BinaryIO, response: httpx.Response) -> None:
    # The bytes before a broken connection stay in the file, and the next attempt continues there.
    for chunk in response.iter_raw():
        file.write(chunk)
    file.flush()
    os.fsync(file.fileno())


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
