"""Downloads of files: each appears at its target only once its sha256 is verified."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from service.client.calls.checkpoints import checkpoint
from service.client.calls.jobs import job
from service.client.calls.responses import path_segment
from service.client.errors import DownloadDamaged, ServerUnreachable, TrainyardError
from service.client.flow import Flow, next_chunk, repeated, send, worked
from service.contract.checkpoints import Checkpoint, FileDigest
from service.contract.jobs import Job
from service.contract.kernel import sync_folder

WEIGHTS = "model.safetensors"
"""The file of a checkpoint that has the network's tensors."""


def download(checkpoint_id: str, name: str, target: str | Path) -> Flow[Path]:
    """Download one file of a checkpoint to `target`, which appears only once it is verified.

    Raises DownloadDamaged if the sha256 differs, TrainyardError if there is no such file.
    """
    of = yield from checkpoint(checkpoint_id)
    digest = of.files.get(name)
    if digest is None:
        known = ", ".join(sorted(of.files))
        raise TrainyardError(f"{checkpoint_id} has no file {name!r}; it has {known}")
    return (yield from _fetch(_file_path(of.id, name), digest, Path(target)))


def download_folder(of: Checkpoint, folder: str | Path) -> Flow[Path]:
    """Download every file of a checkpoint into a folder, which is made; the path of the folder.

    Raises DownloadDamaged if a sha256 differs.
    """
    for name, digest in sorted(of.files.items()):
        if Path(name).name != name:
            raise TrainyardError(f"{of.id} has {name!r}, which is not the name of a file")
        yield from _fetch(_file_path(of.id, name), digest, Path(folder) / name)
    return Path(folder)


def download_of_job(job: Job, name: str, target: str | Path) -> Flow[Path]:
    """Download a file named by the job's result to `target`, which appears once it is verified.

    Raises DownloadDamaged if the sha256 differs, TrainyardError if there is no such file.
    """
    digest = ((job.result or {}).get("files") or {}).get(name)
    if digest is None:
        raise TrainyardError(f"the result of {job.id} names no file {name!r}")
    path = f"/jobs/{path_segment(job.id)}/files/{path_segment(name)}"
    return (yield from _fetch(path, FileDigest.model_validate(digest), Path(target)))


def download_files(job_id: str, folder: str | Path) -> Flow[list[Path]]:
    """Download all files that a job has left beside checkpoints into a folder, which is made.

    Those of a search are its table and its pictures. Gives their paths. Raises DownloadDamaged if a
    sha256 differs, TrainyardError if the job has left none.
    """
    of = yield from job(job_id)
    names = sorted((of.result or {}).get("files") or {})
    if not names:
        raise TrainyardError(f"{of.id} is {of.state}, and its result names no file")
    paths = []
    for name in names:
        if Path(name).name != name:
            raise TrainyardError(f"{of.id} has {name!r}, which is not the name of a file")
        paths.append((yield from download_of_job(of, name, Path(folder) / name)))
    return paths


def _file_path(checkpoint_id: str, name: str) -> str:
    return f"/checkpoints/{path_segment(checkpoint_id)}/files/{path_segment(name)}"


def _fetch(path: str, digest: FileDigest, target: Path) -> Flow[Path]:
    """Download `path` to `target` through a partial file, which a later call continues."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{digest.sha256[:16]}.partial")
    retrying = Retrying(
        retry=retry_if_exception_type(ServerUnreachable),
        stop=stop_after_attempt(4),
        wait=wait_random_exponential(multiplier=0.1, max=2.0),
        reraise=True,
    )
    yield from repeated(lambda: _download_rest(path, digest, partial), retrying)
    sha256 = yield from worked(lambda: _sha256_of(partial))
    if sha256 != digest.sha256:
        partial.unlink()
        raise DownloadDamaged(
            f"{path} was received with sha256 {sha256[:12]}… instead of {digest.sha256[:12]}…; the "
            "download was deleted: try again; if it comes so again, the server's file is damaged"
        )
    os.replace(partial, target)
    yield from worked(lambda: sync_folder(target.parent))
    return target


def _download_rest(path: str, digest: FileDigest, partial: Path) -> Flow[None]:
    with partial.open("ab") as file:
        offset = file.tell()
        if offset == digest.bytes:
            return
        if offset > digest.bytes:
            file.truncate(offset := 0)
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        response = yield from send("GET", path, headers=headers, repeats=False, is_streamed=True)
        if offset and response.status_code != httpx.codes.PARTIAL_CONTENT:
            file.truncate(0)
        # The bytes before a broken connection stay, and the next attempt continues there.
        while chunk := (yield from next_chunk()):
            file.write(chunk)
        yield from worked(lambda: _sync(file))


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
