"""The folders of a worker."""

from dataclasses import dataclass
from pathlib import Path

from service.volume.identity import SharedVolume


@dataclass(frozen=True)
class WorkerPaths:
    """Three folders of this machine; the volume is the one that all workers share."""

    volume: Path
    data_root: Path
    import_root: Path
    volume_id: str | None = None
    """The identity of the server's volume; None for an older server, which compares none."""

    @property
    def shared_volume(self) -> SharedVolume:
        """The volume, which can be asked whether it is the server's."""
        return SharedVolume(self.volume, self.volume_id)
