"""The page of the Python client, from its methods."""

import inspect
import re

from guide.reference.text import plain
from service.client import Checkpoint, Client, Job

_INTRODUCTION = """# Python client in full

`AsyncClient` has the same methods, to be awaited. How they are used is told in
[Python client](../client.md).
"""


_MODULE = re.compile(r"\b(?:[a-z_]+\.)+(?=[A-Z])")


def page() -> str:
    """The methods of a client, of a job and of a checkpoint."""
    return "\n\n".join((_INTRODUCTION, *map(_class, (Client, Job, Checkpoint)))) + "\n"


def _class(kind: type) -> str:
    own = {
        name: each
        for base in reversed(kind.__mro__)
        for name, each in vars(base).items()
        if base.__module__.startswith("service.client")
    }
    parts = [f"## {kind.__name__}", plain(inspect.getdoc(kind) or "")]
    for name, each in own.items():
        if name.startswith("_"):
            continue
        if isinstance(each, property):
            parts.append(_entry(name, inspect.getdoc(each)))
        elif inspect.isfunction(each):
            parts.append(_entry(f"{name}{_signature(each)}", inspect.getdoc(each)))
    return "\n\n".join(parts)


def _entry(title: str, text: str | None) -> str:
    return f"### {plain(title.partition('(')[0])}\n\n    {title}\n\n{plain(text or '')}"


def _signature(function: object) -> str:
    assert callable(function)
    signature = inspect.signature(function)
    named = [each for name, each in signature.parameters.items() if name not in ("self", "caller")]
    return _MODULE.sub("", str(signature.replace(parameters=named)))
