"""Checkpoint folders: staged, published whole or not at all, verified, listed. No torch.

A checkpoint is `<volume>/jobs/<job>/attempts/<n>/step-000001234/` (or `final-…`) with tensor
files, `rank-<r>.json`, `manifest.sha256` and, written last, `manifest.json`. The manifest holds the
digest of every file, `manifest.sha256` that of the manifest, so that `verify` sees each bit.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from pydantic import ValidationError

from service.contract.checkpoints import MANIFEST, FileDigest, Manifest, folder_name, step_of
from workers.checkpoints.disk import DISK, Disk, remove_tree

MANIFEST_DIGEST = "manifest.sha256"
STAGE_PREFIX = ".tmp-"
_CHUNK_BYTES = 1 << 20


class DamagedCheckpoint(Exception):
    """A folder that does not verify; `problems` says why, one sentence each."""

    def __init__(self, folder: Path, problems: list[str]) -> None:
        super().__init__(f"{folder.name} is damaged: {'; '.join(problems)}")
        self.folder = folder
        self.problems = problems


@contextmanager
def staged(attempt_folder: Path, name: str, disk: Disk = DISK) -> Iterator[Path]:
    """Give an empty folder that becomes `attempt_folder/name` when the block ends well.

    The block writes its files with `disk.write` and, last, `write_manifest`. A block that raises
    leaves nothing. Raises FileExistsError if the name is taken: a folder is never replaced.
    """
    target = attempt_folder / name
    if os.path.lexists(target):
        raise FileExistsError(f"{target} is there already, and a checkpoint is never replaced")
    stage = attempt_folder / f"{STAGE_PREFIX}{uuid4().hex}"
    disk.make_folder(stage)
    try:
        yield stage
        assert (stage / MANIFEST).exists(), "the block ended without a manifest"
        disk.sync(stage)
        disk.rename(stage, target)
    except Exception:
        # What cannot be removed now is swept later; the first error is the one to tell.
        with suppress(OSError):
            remove_tree(stage, disk)
        raise
    for parent in _unsynced_parents(attempt_folder):
        disk.sync(parent)


def write_manifest(stage: Path, manifest: Manifest, disk: Disk = DISK) -> None:
    """Write the manifest as the last file of a stage, its own digest just before it."""
    body = manifest.model_dump_json(indent=1).encode()
    line = f"{hashlib.sha256(body).hexdigest()}  {MANIFEST}\n"
    disk.write(stage / MANIFEST_DIGEST, [line.encode()])
    disk.write(stage / MANIFEST, [body])


def read_manifest(folder: Path) -> Manifest | None:
    """The folder's manifest if it is there whole, else None: then the checkpoint does not exist."""
    manifest, _ = _manifest_or_problem(folder)
    return manifest


def verify(folder: Path) -> list[str]:
    """Read every byte; one sentence for each thing wrong, none if the checkpoint is whole."""
    manifest, problem = _manifest_or_problem(folder)
    if manifest is None:
        return [problem]
    problems = _misplaced(folder, manifest)
    expected = {*manifest.files, MANIFEST, MANIFEST_DIGEST}
    with os.scandir(folder) as entries:
        problems += [f"{e.name} does not belong here" for e in entries if e.name not in expected]
    for name, digest in manifest.files.items():
        problems += _file_problems(folder, name, digest)
    return problems


def checkpoints_in(root: Path) -> list[tuple[Path, Manifest]]:
    """Every checkpoint below `root` (a volume, job or attempt folder), oldest step first.

    Only names and manifests are looked at; ask `verify` about the bytes.
    """
    found: list[tuple[Path, Manifest]] = []
    for folder in sorted(_named_folders(root), key=_age):
        manifest = read_manifest(folder)
        if manifest is not None:
            found.append((folder, manifest))
    return found


def latest_in(root: Path) -> Path | None:
    """The checkpoint of the highest step that verifies; the final one before a training one."""
    newest_first = sorted(_named_folders(root), key=_age, reverse=True)
    return next((folder for folder in newest_first if not verify(folder)), None)


def latest_resumable_in(root: Path) -> Path | None:
    """The same among training checkpoints: final weights have no optimizer to go on with."""
    training = [folder for folder in _named_folders(root) if folder.name.startswith("step-")]
    newest_first = sorted(training, key=_age, reverse=True)
    return next((folder for folder in newest_first if not verify(folder)), None)


def sweep_stale(attempt_folder: Path, disk: Disk = DISK) -> list[str]:
    """Remove stages and half-purged checkpoints; only once no writer of the attempt can live."""
    swept = []
    for path in sorted(attempt_folder.glob(f"{STAGE_PREFIX}*")):
        if path.is_dir() and not path.is_symlink():
            remove_tree(path, disk)
            swept.append(path.name)
    return swept


def _unsynced_parents(attempt_folder: Path) -> list[Path]:
    # The folders of a job, down to the attempt, are young: a power cut may take their names too.
    above = list(attempt_folder.parents[:3]) if attempt_folder.parent.name == "attempts" else []
    return [attempt_folder, *above]


def _named_folders(root: Path) -> list[Path]:
    found = []
    for parent, names, _ in os.walk(root):
        found += [
            Path(parent, name)
            for name in names
            if step_of(name) is not None and not Path(parent, name).is_symlink()
        ]
        # A checkpoint has no folders inside, and a stage is not there yet.
        names[:] = [n for n in names if step_of(n) is None and not n.startswith(STAGE_PREFIX)]
    if step_of(root.name) is not None and root.is_dir():
        found.append(root)
    return found


def _age(folder: Path) -> tuple[int, bool, int, str]:
    step = step_of(folder.name)
    assert step is not None
    attempt = folder.parent.name
    number = int(attempt) if attempt.isascii() and attempt.isdigit() else 0
    return step, folder.name.startswith("final-"), number, str(folder)


def _manifest_or_problem(folder: Path) -> tuple[Manifest | None, str]:
    try:
        body = (folder / MANIFEST).read_bytes()
        line = (folder / MANIFEST_DIGEST).read_bytes()
    except OSError as error:
        return None, f"{Path(str(error.filename)).name} cannot be read: {error.strerror}"
    if line != f"{hashlib.sha256(body).hexdigest()}  {MANIFEST}\n".encode():
        return None, f"{MANIFEST} is not what {MANIFEST_DIGEST} says it was"
    try:
        return Manifest.model_validate_json(body), ""
    except ValidationError as error:
        return None, f"{MANIFEST} is not a manifest: {error.error_count()} errors"


def _misplaced(folder: Path, manifest: Manifest) -> list[str]:
    place = folder.absolute()
    problems = []
    if place.name != folder_name(manifest.phase, manifest.step):
        problems.append(f"the manifest is of {folder_name(manifest.phase, manifest.step)}")
    # A copy outside a volume has lost the names above it; inside one they must agree.
    parents = [parent.name for parent in place.parents[:4]]
    if parents[1:2] == ["attempts"] and parents[0] != str(manifest.attempt):
        problems.append(f"the manifest is of attempt {manifest.attempt}")
    in_volume = parents[1:2] == ["attempts"] and parents[3:4] == ["jobs"]
    if in_volume and parents[2] != manifest.job_id:
        problems.append(f"the manifest is of job {manifest.job_id}")
    return problems


def _file_problems(folder: Path, name: str, digest: FileDigest) -> list[str]:
    if Path(name).name != name or name in (MANIFEST, MANIFEST_DIGEST):
        return [f"{name!r} is no name for a file of a checkpoint"]
    sha256 = hashlib.sha256()
    size = 0
    try:
        # A link or a pipe in the place of a file would be read as one.
        if not stat.S_ISREG((folder / name).lstat().st_mode):
            return [f"{name} is not a file"]
        with (folder / name).open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK_BYTES):
                sha256.update(chunk)
                size += len(chunk)
    except OSError as error:
        return [f"{name} cannot be read: {error.strerror}"]
    if size != digest.bytes:
        return [f"{name} has {size} bytes, not {digest.bytes}"]
    return [] if sha256.hexdigest() == digest.sha256 else [f"{name} has another sha256"]
