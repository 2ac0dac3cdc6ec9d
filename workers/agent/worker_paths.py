"""The folders of a worker."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class WorkerPaths:
    """Three folders of this machine; the volume is the one that all workers share."""

    volume: Path
    data_root: Path
    import_root: Path
