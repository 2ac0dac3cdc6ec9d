"""Which tests one process of pytest-xdist runs, and which of them it begins with."""

from typing import Any

import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each file to one process, so that its fixtures are made once.

    Tests with the same mark `xdist_group` stay together across files.
    """
    from xdist.scheduler import LoadGroupScheduling

    class Scheduling(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return super()._split_scope(nodeid).split("::")[0]

    return Scheduling(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let groups with slow tests come first, then the others that are marked.

    So no process has a long one left when the rest is done. Those that need a whole machine for
    themselves, or have leases of seconds, are one group, and what trains is another: two such
    tests keep two cores busy. Without pytest-xdist nothing changes.
    """
    if not hasattr(config, "workerinput"):
        return
    slow = {_group(item) for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (_group(item) not in slow, _mark(item) is None))


def _mark(item: pytest.Item) -> pytest.Mark | None:
    return item.get_closest_marker("xdist_group")


def _group(item: pytest.Item) -> str:
    mark = _mark(item)
    return str(mark.args[0]) if mark else item.nodeid.split("::")[0]
