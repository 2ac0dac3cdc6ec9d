"""What is wrong where a Ray cluster cannot be used: each a sentence, before anything is claimed."""

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from api_tests.support.ray_cluster import RayCluster
from workers.launcher.base import CannotLaunch, GpuDevice, LauncherOptions
from workers.launcher.ray import launcher as ray_launcher
from workers.launcher.ray.engine import driver_environment
from workers.launcher.ray.launcher import RayLauncher
from workers.launcher.ray.messages import (
    HostsReport,
    Node,
    NodesReport,
    aged,
    sent,
    unique_names,
)
from workers.main import main


def options(address: str | None = "127.0.0.1:6379", slots: int = 1) -> LauncherOptions:
    return LauncherOptions("wrk_1", slots, "module:function", ray_address=address)


def test_the_slots_of_a_ray_worker_are_its_nodes() -> None:
    with pytest.raises(CannotLaunch, match="each node is a slot"):
        RayLauncher(options(slots=2))


def test_a_worker_without_an_address_is_told_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--launcher", "ray", "--volume", str(tmp_path)]) == 2
    assert "--ray-address HOST:6379" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["auto", "ray://head:10001", "head", "head:0", ":6379"])
def test_an_address_that_is_no_host_and_port_is_refused(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--launcher", "ray", "--ray-address", address, "--volume", str(tmp_path)]
    assert main(flags) == 2
    assert "is no HOST:PORT" in capsys.readouterr().err


def test_a_worker_without_ray_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_launcher, "find_spec", lambda _: None)
    with pytest.raises(CannotLaunch, match=r"pip install 'trainyard-service\[ray\]'"):
        RayLauncher(options())


def test_the_agent_runs_without_ray() -> None:
    code = "import sys, workers.main, workers.launcher.ray.launcher; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_driver_uses_a_token_unless_the_user_says_that_there_is_none() -> None:
    assert driver_environment({})["RAY_AUTH_MODE"] == "token"
    assert driver_environment({"RAY_AUTH_MODE": "disabled"})["RAY_AUTH_MODE"] == "disabled"


def test_a_renewal_loses_the_seconds_that_it_has_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 112.5])
    monkeypatch.setattr("workers.launcher.ray.messages.boot_clock", lambda: next(clock))
    assert aged(sent("renew 60.000")) == "renew 47.500"


def test_another_line_is_passed_on_as_it_is() -> None:
    assert aged(sent("master 10.0.0.1 4711")) == "master 10.0.0.1 4711"


def test_nodes_of_one_name_are_told_apart() -> None:
    names = unique_names(["a", "b", "a"], ["0123456789", "x", "abcdef0123"])
    assert names == ["a-01234567", "b", "a-abcdef01"]


def test_a_report_of_nothing_is_one_of_no_host() -> None:
    assert HostsReport.model_validate_json(HostsReport(gone=0, how="x").text).gone == 0
    assert NodesReport.model_validate_json(NodesReport().text).nodes == ()


@pytest.mark.slow
def test_an_address_where_nothing_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(CannotLaunch, match=f"nothing answers at 127.0.0.1:{port}"):
        RayLauncher(options(f"127.0.0.1:{port}"))


@pytest.mark.slow
@pytest.mark.xdist_group("whole machine")
class TestOnACluster:
    def test_a_worker_without_the_token_is_told_where_to_put_it(
        self, ray: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("RAY_AUTH_TOKEN_PATH")
        monkeypatch.setenv("HOME", str(tmp_path))
        with pytest.raises(CannotLaunch, match=r"no token.*RAY_AUTH_TOKEN_PATH"):
            RayLauncher(options(ray.address))

    def test_a_worker_with_another_token_is_told_that_it_is_refused(
        self, ray: RayCluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("RAY_AUTH_TOKEN_PATH")
        monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        with pytest.raises(CannotLaunch, match="refuses the token"):
            RayLauncher(options(ray.address))

    def test_a_cluster_of_another_version_is_named_with_both(
        self, ray: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "sitecustomize.py").write_text("import ray\nray.__version__ = '2.9.9'\n")
        path = f"{tmp_path}{os.pathsep}{os.environ['PYTHONPATH']}"
        monkeypatch.setenv("PYTHONPATH", path)
        with pytest.raises(CannotLaunch, match=r"another Ray or Python.*2\.9\.9"):
            RayLauncher(options(ray.address))


def test_a_job_gets_the_gpus_that_every_node_and_the_workers_own_host_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nodes = [
        Node(id="1", name="na", address="10.0.0.1", gpus=8),
        Node(id="2", name="nb", address="10.0.0.2", gpus=4),
    ]

    def watch(_address: str, on_change: Callable[[tuple[Node, ...]], None]) -> None:
        on_change(tuple(nodes))

    monkeypatch.setattr(ray_launcher, "ClusterWatch", watch)
    launcher = RayLauncher(options())
    launcher.offer_gpus([GpuDevice(index, str(index)) for index in range(8)])
    assert (launcher.hosts, launcher.free_gpus) == (2, 4)
    launcher.offer_gpus([GpuDevice(0, "0")])
    assert launcher.free_gpus == 1
