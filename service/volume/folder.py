"""Reads, verifies and lists checkpoint folders on a volume.

A checkpoint is `<volume>/jobs/<job>/attempts/<n>/step-000001234/` (or `final-…`) with tensor
files, `rank-<r>.json`, `manifest.sha256` and, written last, `manifest.json`. The manifest holds the
digest of every file, and `manifest.sha256` the digest of the manifest, so that `verify` detects
every changed bit.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from service.contract.checkpoints import (
    MANIFEST,
    Checkpoint,
    FileDigest,
    Manifest,
    folder_name,
    step_of,
)
from service.volume.manifests import (
    MANIFEST_DIGEST,
    is_of_newer_version,
    manifest_in,
    manifest_or_problem,
)
from service.volume.opener import UnsafePath, open_folder, open_in

STAGE_PREFIX = ".tmp-"
_CHUNK_BYTES = 1 << 20


class DamagedCheckpoint(Exception):
    """A checkpoint folder that does not verify; `problems` has one sentence for each problem."""

    def __init__(self, folder: Path, problems: list[str]) -> None:
        super().__init__(f"{folder.name} is damaged: {'; '.join(problems)}")
        self.folder = folder
        self.problems = problems


def is_checkpoint(folder: Path) -> bool:
    """Whether a path is a folder, and no link, with the name of a checkpoint; it may be damaged."""
    return step_of(folder.name) is not None and folder.is_dir() and not folder.is_symlink()


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a checkpoint folder, or None if it is missing, damaged or of a newer version.

    A folder without a whole manifest is not a checkpoint.
    """
    manifest, _ = manifest_or_problem(folder)
    return manifest


def verify(folder: Path, on_read: Callable[[int], None] = lambda _: None) -> list[str]:
    """Read every byte of a checkpoint; returns one sentence for each problem, none if it is whole.

    The folder is measured by its own manifest; `verify_published` trusts the index instead.
    `on_read` is called with the number of bytes of each chunk that was read.
    """
    try:
        with open_folder(folder) as handle:
            return _problems_in(handle, folder, None, on_read)
    except OSError as error:
        return [f"{MANIFEST} cannot be read: {error.strerror}"]


def verify_published(
    volume: Path, checkpoint: Checkpoint, on_read: Callable[[int], None] = lambda _: None
) -> list[str]:
    """Read every byte of a published checkpoint, as `verify`, and compare it with the index.

    Weights and manifest that were rewritten together are found, and so is a path through a link.
    """
    try:
        with open_folder(volume, checkpoint.path) as handle:
            return _problems_in(handle, volume / checkpoint.path, checkpoint, on_read)
    except UnsafePath as error:
        return [f"{error.filename} in the path of its folder: {error.strerror}"]
    except OSError as error:
        return [f"{MANIFEST} cannot be read: {error.strerror}"]


def checkpoints_in(root: Path) -> list[tuple[Path, Manifest]]:
    """Every checkpoint below `root` (a volume, job or attempt folder), oldest step first.

    Only names and manifests are read; `verify` checks the contents.
    """
    checkpoints: list[tuple[Path, Manifest]] = []
    for folder in sorted(_named_folders(root), key=_age):
        manifest = read_manifest(folder)
        if manifest is not None:
            checkpoints.append((folder, manifest))
    return checkpoints


def newer_in(root: Path) -> list[Path]:
    """The checkpoints below `root` that a newer version has made: this one leaves them alone."""
    return [folder for folder in sorted(_named_folders(root), key=_age) if is_newer(folder)]


def is_newer(folder: Path) -> bool:
    """Whether a checkpoint has a whole manifest, in a format of a newer version."""
    _, problem = manifest_or_problem(folder)
    return is_of_newer_version([problem])


def latest_in(root: Path) -> Path | None:
    """The folder of the highest step that verifies; at equal steps final weights come first."""
    newest_first = sorted(_named_folders(root), key=_age, reverse=True)
    return next((folder for folder in newest_first if not verify(folder)), None)


def latest_resumable_in(root: Path) -> Path | None:
    """The folder of the highest step that verifies among the training checkpoints.

    Final weights are left out, since they have no optimizer state to resume from.
    """
    training = [folder for folder in _named_folders(root) if folder.name.startswith("step-")]
    newest_first = sorted(training, key=_age, reverse=True)
    return next((folder for folder in newest_first if not verify(folder)), None)


def _named_folders(root: Path) -> list[Path]:
    folders = []
    for parent, names, _ in os.walk(root):
        folders += [
            Path(parent, name)
            for name in names
            if step_of(name) is not None and not Path(parent, name).is_symlink()
        ]
        # A checkpoint has no sub-folders, and a staging folder is not a checkpoint yet.
        names[:] = [n for n in names if step_of(n) is None and not n.startswith(STAGE_PREFIX)]
    if step_of(root.name) is not None and root.is_dir():
        folders.append(root)
    return folders


def _age(folder: Path) -> tuple[int, bool, int, str]:
    step = step_of(folder.name)
    assert step is not None
    attempt = folder.parent.name
    number = int(attempt) if attempt.isascii() and attempt.isdigit() else 0
    return step, folder.name.startswith("final-"), number, str(folder)


def _problems_in(
    handle: int, folder: Path, published: Checkpoint | None, on_read: Callable[[int], None]
) -> list[str]:
    manifest, problem = manifest_in(handle)
    if manifest is None:
        return [problem]
    problems = _location_problems(folder, manifest)
    files: dict[str, FileDigest] = dict(manifest.files)
    if published is not None and published.files:
        problems += _differences(manifest, published)
        files |= published.files
    expected = {*files, MANIFEST, MANIFEST_DIGEST}
    with os.scandir(handle) as entries:
        problems += [
            f"{e.name} is not a file of this checkpoint" for e in entries if e.name not in expected
        ]
    for name, digest in files.items():
        problems += _file_problems(handle, name, digest, on_read)
    return problems


def _differences(manifest: Manifest, published: Checkpoint) -> list[str]:
    if manifest.checkpoint_id != published.id:
        return [f"{MANIFEST} is of {manifest.checkpoint_id}, and the index has {published.id}"]
    now, then = (
        {(name, file.bytes, file.sha256) for name, file in files.items()}
        for files in (manifest.files, published.files)
    )
    changed = sorted({name for name, _, _ in now ^ then})
    return [f"{MANIFEST} and the index differ in {name}" for name in changed]


def _location_problems(folder: Path, manifest: Manifest) -> list[str]:
    path = folder.absolute()
    problems = []
    if path.name != folder_name(manifest.phase, manifest.step):
        problems.append(f"the manifest is of {folder_name(manifest.phase, manifest.step)}")
    # The parent folders of a copy outside a volume have other names and are not checked.
    parents = [parent.name for parent in path.parents[:4]]
    if parents[1:2] == ["attempts"] and parents[0] != str(manifest.attempt):
        problems.append(f"the manifest is of attempt {manifest.attempt}")
    in_volume = parents[1:2] == ["attempts"] and parents[3:4] == ["jobs"]
    if in_volume and parents[2] != manifest.job_id:
        problems.append(f"the manifest is of job {manifest.job_id}")
    return problems


def _file_problems(
    folder: int, name: str, digest: FileDigest, on_read: Callable[[int], None]
) -> list[str]:
    if Path(name).name != name or name in (MANIFEST, MANIFEST_DIGEST):
        return [f"{name!r} is not a valid name for a file of a checkpoint"]
    sha256 = hashlib.sha256()
    size = 0
    try:
        with open_in(folder, name) as file:
            while chunk := file.read(_CHUNK_BYTES):
                sha256.update(chunk)
                size += len(chunk)
                on_read(len(chunk))
    except UnsafePath:
        return [f"{name} is not a file"]
    except OSError as error:
        return [f"{name} cannot be read: {error.strerror}"]
    if size != digest.bytes:
        return [f"{name} has {size} bytes, not {digest.bytes}"]
    return [] if sha256.hexdigest() == digest.sha256 else [f"{name} has another sha256"]
