"""A launcher of this host that says of its machines what a test wants, for worker processes."""

import os
from pathlib import Path

from api_tests.support.packages import package
from workers.launcher.base import Availability
from workers.launcher.local.launcher import LocalLauncher

_FOLDER = "LEAVING_MACHINES"
_FILE = "availability"
_ROOT = Path(__file__).parents[2]


class LeavingLauncher(LocalLauncher):
    """Starts ranks as its base does; the machines' availability is the file in their folder."""

    def availability(self) -> Availability:
        """What the test has said last."""
        return Availability((Path(os.environ[_FOLDER]) / _FILE).read_text())


class LeavingMachines:
    """The machines of workers that are started with these `flags` and `variables`."""

    flags = ("--launcher", "leaving")

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self.become(Availability.OPEN)
        text = "from api_tests.support.leaving_machines import LeavingLauncher\n"
        package(folder, "leaving", text, "trainyard.launchers", "LeavingLauncher")
        path = (str(folder), str(_ROOT), os.environ.get("PYTHONPATH", ""))
        self.variables = {_FOLDER: str(folder), "PYTHONPATH": os.pathsep.join(filter(None, path))}

    def become(self, availability: Availability) -> None:
        """Let the launcher say so from now on."""
        new_path = self._folder / "new"
        new_path.write_text(availability.value)
        # At once: the worker reads whenever it likes.
        new_path.rename(self._folder / _FILE)
