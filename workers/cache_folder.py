"""The folder of this worker's own disk for what may be made again."""

import os
from pathlib import Path


def cache_folder(name: str) -> Path | None:
    """The folder `trainyard/<name>` below XDG_CACHE_HOME, else ~/.cache; made if it is absent.

    None where it cannot be made. Only this user may read it: what is compiled is run from there.
    """
    root = os.environ.get("XDG_CACHE_HOME")
    try:
        base = Path(root) if root else Path.home() / ".cache"
        folder = base / "trainyard" / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None
