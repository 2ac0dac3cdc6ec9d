"""Reads the manifest of a checkpoint folder: whole, damaged, or of a newer version."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from service.contract.checkpoints import FORMAT, MANIFEST, Manifest
from service.contract.reading import read_json
from service.contract.sentences import sentence_of

MANIFEST_DIGEST = "manifest.sha256"
_NEWER = "it was made by a newer version of trainyard"


def manifest_or_problem(folder: Path) -> tuple[Manifest | None, str]:
    """The manifest, or None and one sentence on what is wrong with it.

    Fields that a newer version has added are stored.
    """
    try:
        body = (folder / MANIFEST).read_bytes()
        line = (folder / MANIFEST_DIGEST).read_bytes()
    except OSError as error:
        return None, f"{Path(str(error.filename)).name} cannot be read: {error.strerror}"
    if line != f"{hashlib.sha256(body).hexdigest()}  {MANIFEST}\n".encode():
        return None, f"{MANIFEST} does not have the sha256 in {MANIFEST_DIGEST}"
    try:
        return read_json(Manifest, body), ""
    except ValidationError as error:
        number = _newer_format(body)
        if number is not None:
            return None, f"{_NEWER}: its format is {number}, and this version reads {FORMAT}"
        return None, f"{MANIFEST} is not a manifest: {sentence_of(error)}"


def is_of_newer_version(problems: Sequence[str]) -> bool:
    """Whether a checkpoint that does not verify is not damaged, but of a newer version."""
    return any(problem.startswith(f"{_NEWER}: ") for problem in problems)


def _newer_format(body: bytes) -> int | None:
    try:
        manifest = json.loads(body)
    except ValueError:
        return None
    number = manifest.get("format") if isinstance(manifest, dict) else None
    return number if isinstance(number, int) and number > FORMAT else None
