"""Errors injected into a process, as a bug of its code would raise them."""

import pkgutil
from itertools import count
from typing import Any


def inject(fault: str | None) -> None:
    """`module:Class.method 3 5` has calls 3 and 4 raise, counted from 0; None injects nothing."""
    if fault is None:
        return
    target, first, end = fault.split()
    path, _, name = target.replace(":", ".").rpartition(".")
    owner = pkgutil.resolve_name(path)
    method, numbers = getattr(owner, name), count()

    def faulty(*arguments: Any, **named: Any) -> Any:
        if int(first) <= next(numbers) < int(end):
            raise RuntimeError(f"a fault of the test in {name}")
        return method(*arguments, **named)

    setattr(owner, name, faulty)


def replace_constants(values: dict[str, float]) -> None:
    """Give constants of modules other values, each by its `module.NAME`."""
    for path, value in values.items():
        module, _, name = path.rpartition(".")
        setattr(pkgutil.resolve_name(module), name, value)
