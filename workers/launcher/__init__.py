"""The launchers of this worker: the built-in one, and those of installed packages.

Imports no torch.
"""

import pkgutil
from collections.abc import Callable, Mapping
from functools import cache, partial

from workers.launcher.base import Launcher, LauncherOptions
from workers.plugins import Plugin, with_plugins

ENTRY_POINTS = "trainyard.launchers"
_BUILTIN = {
    "local": "workers.launcher.local.launcher:LocalLauncher",
    "ray": "workers.launcher.ray.launcher:RayLauncher",
    "slurm": "workers.launcher.slurm.launcher:SlurmLauncher",
}

MakeLauncher = Callable[[LauncherOptions], Launcher]


@cache
def launchers() -> Mapping[str, MakeLauncher]:
    """The functions that make launchers, by the values of the setting `launcher`.

    An entry point refers to a function of LauncherOptions, and its name is that of the launcher.
    """
    builtin: dict[str, MakeLauncher] = {
        name: partial(_make, reference) for name, reference in _BUILTIN.items()
    }
    return with_plugins(builtin, ENTRY_POINTS, _launcher)


def _launcher(plugin: Plugin) -> tuple[str, MakeLauncher]:
    if not callable(plugin.content):
        raise ValueError(f"it is a {type(plugin.content).__name__}, not a function")
    return plugin.name, plugin.content


def _make(reference: str, options: LauncherOptions) -> Launcher:
    launcher: Launcher = pkgutil.resolve_name(reference)(options)
    return launcher
