"""Reads the manifest of a checkpoint folder: whole, damaged, or of a newer version."""

import errno
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from service.contract.checkpoints import FORMAT, MANIFEST, Manifest
from service.contract.reading import read_json
from service.contract.sentences import sentence_of
from service.volume.opener import open_folder, open_in

MANIFEST_DIGEST = "manifest.sha256"
_ABSENT = f"{MANIFEST} cannot be read: {os.strerror(errno.ENOENT)}"
_NEWER = "it was made by a newer version of trainyard"


def manifest_or_problem(folder: Path) -> tuple[Manifest | None, str]:
    """The manifest, or None and one sentence on what is wrong with it.

    Fields that a newer version has added are stored.
    """
    try:
        with open_folder(folder) as handle:
            return manifest_in(handle)
    except OSError as error:
        return None, f"{MANIFEST} cannot be read: {error.strerror}"


def manifest_in(folder: int) -> tuple[Manifest | None, str]:
    """The manifest of an open folder, as of `manifest_or_problem`."""
    try:
        body, line = (_content(folder, name) for name in (MANIFEST, MANIFEST_DIGEST))
    except OSError as error:
        return None, f"{error.filename} cannot be read: {error.strerror}"
    if line != f"{hashlib.sha256(body).hexdigest()}  {MANIFEST}\n".encode():
        return None, f"{MANIFEST} does not have the sha256 in {MANIFEST_DIGEST}"
    try:
        return read_json(Manifest, body), ""
    except ValidationError as error:
        number = _newer_format(body)
        if number is not None:
            return None, f"{_NEWER}: its format is {number}, and this version reads {FORMAT}"
        return None, f"{MANIFEST} is not a manifest: {sentence_of(error)}"


def is_absent(problems: Sequence[str]) -> bool:
    """Whether a checkpoint that does not verify is not there for the one who looked.

    One witness may look at another folder, or too early: it proves no damage.
    """
    return list(problems) == [_ABSENT]


def is_of_newer_version(problems: Sequence[str]) -> bool:
    """Whether a checkpoint that does not verify is not damaged, but of a newer version."""
    return any(problem.startswith(f"{_NEWER}: ") for problem in problems)


def _content(folder: int, name: str) -> bytes:
    with open_in(folder, name) as file:
        return file.read()


def _newer_format(body: bytes) -> int | None:
    try:
        manifest = json.loads(body)
    except ValueError:
        return None
    number = manifest.get("format") if isinstance(manifest, dict) else None
    return number if isinstance(number, int) and number > FORMAT else None
