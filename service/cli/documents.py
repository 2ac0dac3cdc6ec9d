"""What commands print with `--json` where the API has no answer of its own."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer


def _printable(path: Path) -> str:
    return os.fsencode(path).decode(errors="backslashreplace")


LocalPath = Annotated[Path, PlainSerializer(_printable, return_type=str)]
"""A path on this machine; bytes of a name that are no UTF-8 are printed as `\\xff`."""


class Document(BaseModel):
    """The base of all of them: `object` names what it is."""

    model_config = ConfigDict(frozen=True)


class Deletion(Document):
    """What has this id is deleted."""

    object: Literal["deletion"] = "deletion"
    id: str


class Revocation(Document):
    """The token with this id is revoked."""

    object: Literal["revocation"] = "revocation"
    id: str


class WrittenFile(Document):
    """A file that a command has written."""

    path: LocalPath
    bytes: int


class WrittenFiles(Document):
    """The files that a command has written; `source` is the id of the checkpoint or the job that
    has them."""

    object: Literal["files"] = "files"
    source: str
    files: tuple[WrittenFile, ...]


class Version(Document):
    """The installed version, and what `GET /version` of a server answers, if one was asked."""

    object: Literal["version"] = "version"
    version: str
    server: dict[str, Any] | None


class Pack(Document):
    """A pack that was written: its images, the bytes of their files, and its own.

    The first `resumed` images were packed before this run.
    """

    object: Literal["pack"] = "pack"
    path: LocalPath
    images: int
    resumed: int
    original_bytes: int
    pack_bytes: int


class FolderVerification(Document):
    """The result of reading every byte of a checkpoint's folder; a sentence for each problem.

    `checkpoint_id` is null where the manifest is of a newer version.
    """

    object: Literal["verification"] = "verification"
    path: LocalPath
    checkpoint_id: str | None
    ok: bool
    problems: tuple[str, ...]


class Reindexing(Document):
    """What a reindexing changed: ids by their change; in `left` a sentence for each folder that is
    left alone."""

    object: Literal["reindexing"] = "reindexing"
    jobs: tuple[str, ...]
    adopted: tuple[str, ...]
    healed: tuple[str, ...]
    damaged: tuple[str, ...]
    left: tuple[str, ...]


class Schema(Document):
    """The revision that a database's schema is at."""

    object: Literal["schema"] = "schema"
    revision: str


class Backup(Document):
    """A copy of a database, whose URL is without the password."""

    object: Literal["backup"] = "backup"
    path: LocalPath
    bytes: int
    database_url: str


class Restoration(Document):
    """A copy that was put back; `kept` is the file that has what was there before."""

    object: Literal["restoration"] = "restoration"
    source: LocalPath
    kept: LocalPath | None


class DatabaseCheck(Document):
    """A sentence for each problem of a database."""

    object: Literal["database_check"] = "database_check"
    ok: bool
    problems: tuple[str, ...]
