"""The launchers of this worker: the built-in one and those of installed packages. No torch."""

import pkgutil
from collections.abc import Callable, Mapping
from functools import cache, partial

from workers.launcher.base import Launcher, LauncherOptions
from workers.plugins import Plugin, with_plugins

ENTRY_POINTS = "trainyard.launchers"
_BUILTIN = {"local": "workers.launcher.local.launcher:LocalLauncher"}

MakeLauncher = Callable[[LauncherOptions], Launcher]


@cache
def launchers() -> Mapping[str, MakeLauncher]:
    """What makes each launcher, by the name that the setting `launcher` has.

    An entry point names a function of LauncherOptions; its own name is the launcher's.
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
