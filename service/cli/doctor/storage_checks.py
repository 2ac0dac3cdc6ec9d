"""Checks of the folders and the database: the volume, the data root, disk space, the schema."""

import os
import shutil
from pathlib import Path

from service.cli import figures
from service.cli.doctor.check import Check, Finding, ok, problem, skipped, warning
from service.cli.doctor.installation import Installation
from service.cli.exit_codes import Failed, MissingExtra
from service.cli.extras import require_extras
from service.volume.identity import SharedVolume, identity_of

_NETWORK_FILE_SYSTEMS = (
    "9p", "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "gfs2",
    "gpfs", "lustre", "nfs", "nfs4", "smb3", "smbfs", "virtiofs",
)  # fmt: skip
_LEAST_BYTES, _FEW_BYTES = 1_000_000_000, 10_000_000_000
_NOT_HERE = "this machine has no folders of Trainyard: name them by --data-dir or TRAINYARD_VOLUME"


def _volume(installation: Installation) -> Finding:
    if not installation.is_here:
        return skipped(_NOT_HERE)
    root = installation.volume
    if not root.is_dir():
        return problem(
            f"the volume {root} is missing",
            "mount it, or name it by TRAINYARD_VOLUME; the first start of a server makes one",
        )
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        return problem(
            f"this user cannot write the volume {root}", "give it the right to write there"
        )
    expected = installation.answer.volume
    difference = SharedVolume(root, expected).problem()
    if difference is not None:
        return problem(
            f"{difference}",
            "mount the server's volume there, or name its folder by TRAINYARD_VOLUME",
        )
    present = identity_of(root)
    if expected is None:
        return ok(f"{root} is volume {present or 'without an identity yet'}; no server compares it")
    return ok(f"{root} is the server's volume {expected}")


def _data_root(installation: Installation) -> Finding:
    if not installation.is_here:
        return skipped(_NOT_HERE)
    root = installation.data_root
    if not root.is_dir():
        return problem(
            f"the data root {root} is missing",
            "mount it, or name it by TRAINYARD_DATA_ROOT or --data-root of the worker",
        )
    if next(root.iterdir(), None) is None:
        return warning(
            f"the data root {root} is empty: only named data sets can be trained on",
            "mount it, or put a folder of images there: docs/data.md",
        )
    return ok(f"the data root {root} has data sets")


def _space(installation: Installation) -> Finding:
    root = installation.volume if installation.volume.is_dir() else installation.data_dir
    if not root.is_dir():
        return skipped(_NOT_HERE)
    usage = shutil.disk_usage(root)
    text = (
        f"{figures.size(usage.free)} of {figures.size(usage.total)} are free on the disk of {root}"
    )
    cure = "make space: `trainyard checkpoints gc --dry-run` lists what may go"
    if usage.free < min(_LEAST_BYTES, usage.total // 20):
        return problem(text, cure)
    if usage.free < min(_FEW_BYTES, usage.total // 10):
        return warning(text, cure)
    return ok(text)


def _schema(installation: Installation) -> Finding:
    file, url = installation.database_file, installation.database_url
    if file is not None and not file.is_file():
        return skipped(f"there is no database {file} on this machine")
    try:
        require_extras("the schema", "server")
    except MissingExtra:
        return skipped("this machine has no server installed")
    from service.cli.server import schema_revisions

    try:
        present, known = schema_revisions(url or f"sqlite:///{file}")
    except Failed as error:
        return problem(f"the database cannot be read: {error}", "correct TRAINYARD_DATABASE_URL")
    if present is None:
        return skipped("the database has no tables yet; the first start of a server makes them")
    if present == known[-1]:
        return ok(f"the schema is at {present}, the newest of this version")
    if present in known:
        return problem(
            f"the schema is at {present}, and this version needs {known[-1]}",
            "`trainyard db backup`, then `trainyard db upgrade`; a server that starts does it, too",
        )
    return problem(
        f"the schema is at {present}, which this version does not know: a newer one has made it",
        "install that version, or restore a backup of before the upgrade",
    )


def _database_disk(installation: Installation) -> Finding:
    file = installation.database_file
    if file is None:
        return ok("the database is not SQLite")
    if not file.is_file():
        return skipped(f"there is no database {file} on this machine")
    kind = file_system_of(file, installation.mounts.read_text())
    if kind in _NETWORK_FILE_SYSTEMS:
        return problem(
            f"the SQLite database {file} is on a network file system ({kind}), which can damage it",
            "move it to a local disk, or use PostgreSQL by TRAINYARD_DATABASE_URL",
        )
    return ok(f"the SQLite database is on a local file system ({kind or 'unknown'})")


def file_system_of(file: Path, mounts: str) -> str | None:
    """The type of the file system that a file is on, by the text of /proc/mounts."""
    path = file.resolve()
    deepest: tuple[int, str] | None = None
    for line in mounts.splitlines():
        _, mount, kind, *_ = line.split(" ")
        folder = Path(mount.encode().decode("unicode_escape"))
        depth = len(folder.parts)
        # Of two mounts on one folder the later one is seen.
        if path.is_relative_to(folder) and (deepest is None or depth >= deepest[0]):
            deepest = (depth, kind)
    return deepest[1] if deepest else None


STORAGE_CHECKS = (
    Check("volume", _volume),
    Check("data root", _data_root),
    Check("disk space", _space),
    Check("schema", _schema),
    Check("database's disk", _database_disk),
)
