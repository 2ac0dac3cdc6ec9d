"""The identity of a volume: one line in a file at its root, which the first server writes.

A folder without that line, such as the mount point of a file system that is not mounted, is not the
volume, and what is missing there says nothing about the checkpoints.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from service.contract.kernel import sync_folder
from service.volume.opener import UnsafePath, open_below

IDENTITY_FILE = "volume-id"
_MOST_BYTES = 64


class WrongVolume(OSError):
    """A folder that is not the volume; the message says what is there and what to do."""


@dataclass(frozen=True)
class SharedVolume:
    """The folder of a volume, and the identity that it must have; None where none is known."""

    root: Path
    id: str | None = None

    def require(self) -> None:
        """Raise WrongVolume if the folder is missing, or is not this volume (any more)."""
        problem = self.problem()
        if problem is not None:
            raise WrongVolume(f"{problem}: is it mounted?")

    def problem(self) -> str | None:
        """Why the folder is not this volume; None if it is."""
        try:
            if not self.root.is_dir():
                return f"the volume {self.root} is missing"
            present = identity_of(self.root)
        except OSError as error:
            return f"the volume {self.root} cannot be read ({error.strerror})"
        if self.id is None or present == self.id:
            return None
        return difference(self.root, present, self.id)


def difference(root: Path | str, present: str | None, expected: str) -> str:
    """A sentence on a folder whose identity is not the expected one."""
    it_has = f"is volume {present}" if present else f"has no file {IDENTITY_FILE}"
    return f"the folder {root} {it_has}, and the server's volume is {expected}"


def identity_of(root: Path) -> str | None:
    """The identity of the volume in a folder; None for a folder without one; raises OSError."""
    try:
        with open_below(root, IDENTITY_FILE) as file:
            line = file.read(_MOST_BYTES).decode("ascii", errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError, UnsafePath):
        return None
    return line or None


def make_identity(root: Path, new_id: str) -> str:
    """Give a volume without an identity this one, for good; gives the identity that it has.

    Of servers that start at once, all get the identity of the first. Raises OSError.
    """
    present = identity_of(root)
    if present is not None:
        return present
    partial = root / f".{IDENTITY_FILE}-{uuid4().hex}"
    with partial.open("x") as file:
        file.write(f"{new_id}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link, unlike a rename, fails where another server was faster.
        os.link(partial, root / IDENTITY_FILE)
    except FileExistsError:
        pass
    except OSError:
        # The file system has no hard links: of two first servers at once the later one wins.
        partial.rename(root / IDENTITY_FILE)
    partial.unlink(missing_ok=True)
    sync_folder(root)
    return identity_of(root) or new_id
