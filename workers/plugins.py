"""What installed packages add to the worker's tables, found by their entry points.

A plug-in that cannot be used costs itself alone: the log says why, and the rest is offered.
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
    """What an entry point loads, with its own name and that of its distribution."""

    name: str
    package: str
    content: Any


def with_plugins(
    builtin: Mapping[str, T], group: str, read: Callable[[Plugin], tuple[str, T]]
) -> dict[str, T]:
    """The built-in table, and behind it what the entry points of `group` add, by name.

    `read` gives the name and the entry of a plug-in, or raises ValueError that says what is wrong
    with it. A name that is taken stays with who had it.
    """
    table = dict(builtin)
    for entry in sorted(entry_points(group=group), key=lambda each: (_package(each), each.name)):
        try:
            name, value = read(Plugin(entry.name, _package(entry), entry.load()))
            if name in table:
                raise ValueError(f"the name {name!r} is taken")
        # An import may fail in any way, and may even end the process.
        except (Exception, SystemExit) as error:
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
    """Raise ValueError for what cannot be a name in the catalog."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name: use at most 63 of A-Z a-z 0-9 _ . -")


def check_reference(reference: str) -> None:
    """Look for the module of `module:function` without loading it: it may need torch.

    Raises ValueError if there is none, or the text is of another form.
    """
    module, colon, function = reference.partition(":")
    if not (module and colon and function):
        raise ValueError(f"{reference!r} is not written as module:function")
    if find_spec(module) is None:
        raise ValueError(f"there is no module {module}")


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else ""
