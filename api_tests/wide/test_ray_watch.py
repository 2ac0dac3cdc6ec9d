"""What the worker hears of a cluster, from a driver that a test plays."""

import subprocess
import sys
import time

import pytest

from workers.launcher.base import CannotLaunch
from workers.launcher.ray import cluster, engine
from workers.launcher.ray.cluster import ClusterWatch
from workers.launcher.ray.messages import NodesReport

_DRIVER = """
import sys
print(sys.argv[1], flush=True)
print("first line\\nsecond line\\nlast line", file=sys.stderr)
"""


class SlowLog:
    """Takes a moment for each line."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, _event: str, line: str) -> None:
        time.sleep(0.1)
        self.lines.append(line)


def test_all_that_an_ended_driver_wrote_is_logged_before_its_pipes_are_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = NodesReport(problem="the head is being repaired").text
    monkeypatch.setattr(
        cluster,
        "start_driver",
        lambda *_: subprocess.Popen(
            [sys.executable, "-c", _DRIVER, report],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ),
    )
    log = SlowLog()
    monkeypatch.setattr(engine, "_log", log)
    with pytest.raises(CannotLaunch, match="the head is being repaired"):
        ClusterWatch("127.0.0.1:6379", lambda _: None)
    assert log.lines == ["first line", "second line", "last line"]
