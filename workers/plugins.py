"""Loads the recipes, data sets and launchers that installed packages add by entry points.

A plug-in that cannot be loaded is logged and left out; the others are not affected.
"""

import re
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any, NamedTuple, TypeVar

import structlog

T = TypeVar("T")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_log = structlog.get_logger()


class Plugin(NamedTuple):
    """The object of an entry point, with the entry point's name and that of its distribution."""

    name: str
    package: str
    content: Any


def with_plugins(
    builtin: Mapping[str, T], group: str, read: Callable[[Plugin], tuple[str, T]]
) -> dict[str, T]:
    """The built-in table, extended by the entry points of `group`.

    `read` returns the name and the value of a plug-in, or raises ValueError with the problem. A
    plug-in whose name is already in the table is left out.
    """
    table = dict(builtin)
    for entry in sorted(entry_points(group=group), key=lambda each: (_package(each), each.name)):
        try:
            name, value = read(Plugin(entry.name, _package(entry), entry.load()))
            if name in table:
                raise ValueError(f"the name {name!r} is taken")
        except KeyboardInterrupt:
            raise
        # An import may raise anything, even SystemExit or the panic of a Rust extension.
        except BaseException as error:
            _log.error(
                "plugin_not_offered",
                group=group,
                plugin=entry.value,
                package=_package(entry),
                error=f"{type(error).__name__}: {error}",
            )
            continue
        table[name] = value
    return table


def check_name(name: str) -> None:
    """Raise ValueError if `name` is not a valid name for the catalog."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a valid name: use at most 63 of A-Z a-z 0-9 _ . -")


def check_reference(reference: str) -> None:
    """Check a reference `module:function` without importing the module, which may need torch.

    Raises ValueError if the text has another form, or if there is no such module.
    """
    module, colon, function = reference.partition(":")
    if not (module and colon and function):
        raise ValueError(f"{reference!r} is not written as module:function")
    if find_spec(module) is None:
        raise ValueError(f"there is no module {module}")


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else ""
