"""A real Ray of two nodes on this machine, in a network namespace that has loopback alone."""

import ctypes
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from api_tests.support.namespaces import missing_for_namespaces
from api_tests.support.polling import eventually
from api_tests.support.processes import lives

NODES = ("na", "nb")
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def missing_for_ray() -> str:
    """Why no cluster can be started here; empty if one can."""
    if find_spec("ray") is None:
        return "no ray: pip install 'trainyard-service[ray]'"
    return missing_for_namespaces()


@contextmanager
def loopback_alone() -> Iterator[None]:
    """This thread, and all that it starts, in a network that has the loopback interface alone."""
    with Path("/proc/thread-self/ns/net").open() as usual:
        assert _libc.unshare(_CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            assert _libc.setns(usual.fileno(), _CLONE_NEWNET) == 0


class RayCluster:
    """A head without CPUs and two nodes with one each, all with a token; children of a process."""

    def __init__(self, **variables: str) -> None:
        # Sockets of Ray lie in it, whose names may have 107 characters.
        self.folder = Path(tempfile.mkdtemp(prefix="tyray"))
        (self.folder / "ray").mkdir()
        token = self.folder / "token"
        token.touch(mode=0o600)
        token.write_text(secrets.token_hex(32))
        self.variables = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "RAY_TMPDIR": str(self.folder),
            "RAY_USAGE_STATS_ENABLED": "0",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "OMP_NUM_THREADS": "1",
            **variables,
        }
        with (self.folder / "cluster.out").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "api_tests.support.ray_daemons", *NODES],
                env=os.environ | self.variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.address = self._answer("")["address"]
        assert isinstance(self.address, str)

    @property
    def nodes(self) -> list[str]:
        """The names of the nodes that are there, but for the head."""
        names: list[str] = self._answer("nodes")["names"]
        return names

    def kill_node(self, name: str) -> None:
        """Kill all processes of a node, as if its machine were lost."""
        (raylet,) = self._answer(f"pids {name}")["pids"]
        _kill_with_all_below(raylet)
        self._answer(f"reap {name}")

    def add_node(self, name: str) -> None:
        """Start a node, under the name of one that was killed or another."""
        self._answer(f"add {name}")

    def add_node_with_gpus(self, name: str) -> None:
        """Start a node that Ray takes for one with two H100."""
        self._answer(f"add-gpus {name}")

    def kill_head(self) -> None:
        """Kill the process that the whole cluster registers with."""
        for pid in self._answer("head")["pids"]:
            psutil.Process(pid).kill()
        self._answer("reap-head")

    def close(self) -> None:
        """End every process of the cluster, and remove its folder."""
        below = psutil.Process(self._process.pid).children(recursive=True)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        for process in below:
            if lives(process):
                process.kill()
        eventually(lambda: not any(lives(process) for process in below))
        assert self._process.stdout is not None
        self._process.stdout.close()
        shutil.rmtree(self.folder)

    def _answer(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if command:
            self._process.stdin.write(f"{command}\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, (self.folder / "cluster.out").read_text()[-3000:]
        answer: dict[str, Any] = json.loads(line)
        return answer


def _kill_with_all_below(pid: int) -> None:
    process = psutil.Process(pid)
    for each in (*process.children(recursive=True), process):
        each.kill()
