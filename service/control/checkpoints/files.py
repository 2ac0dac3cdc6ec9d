"""Files of the volume that the index, or the result of a job, names with their digests."""

from dataclasses import dataclass
from io import BufferedReader
from typing import Any

from pydantic import TypeAdapter, ValidationError

from service.contract.checkpoints import FileDigest, FileName
from service.domain.errors import Conflict, Gone, Unavailable
from service.volume.digests import FileDigests
from service.volume.identity import SharedVolume
from service.volume.opener import UnsafePath, open_below

_NAMED: TypeAdapter[tuple[str, FileDigest]] = TypeAdapter(tuple[FileName, FileDigest])


@dataclass(frozen=True)
class VolumeFile:
    """A file for users, who get it as `name`; `path` is relative to the volume."""

    name: str
    path: str
    digest: FileDigest


def named_files(result: dict[str, Any] | None) -> dict[str, FileDigest]:
    """The files that a job's result names, without entries that are no name with its digest.

    A worker may report anything; a name that is a path would lead to files of other jobs.
    """
    named = (result or {}).get("files")
    files = {}
    for entry in named.items() if isinstance(named, dict) else ():
        try:
            name, digest = _NAMED.validate_python(entry)
        except ValidationError:
            continue
        files[name] = digest
    return files


def open_published(volume: SharedVolume, file: VolumeFile, digests: FileDigests) -> BufferedReader:
    """Open a file whose bytes have its digest.

    Raises Gone where it is not there (any more), Conflict for other bytes, WrongVolume, and
    Unavailable.
    """
    opened = open_for_users(volume, file)
    try:
        is_unchanged = digests.is_of(opened, file.digest)
    except OSError as error:
        opened.close()
        raise _unreadable(file, error) from error
    if is_unchanged:
        opened.seek(0)
        return opened
    opened.close()
    raise Conflict(
        "file_changed",
        f"{file.path} does not have the bytes that were published: it was changed on the volume; "
        "restore it from a backup",
    )


def open_for_users(volume: SharedVolume, file: VolumeFile) -> BufferedReader:
    """Open a file, whatever its bytes; raises Gone, WrongVolume, Unavailable."""
    try:
        return open_below(volume.root, file.path)
    except UnsafePath as error:
        message = f"{file.path} is not served: {error.filename}: {error.strerror}"
        raise Gone("file_gone", message) from error
    except (FileNotFoundError, NotADirectoryError) as error:
        volume.require()
        raise Gone("file_gone", f"{file.path} is not on the volume any more") from error
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: VolumeFile, error: OSError) -> Unavailable:
    message = f"{file.path} cannot be read from the volume: {error.strerror}"
    return Unavailable("volume_unreadable", message)
