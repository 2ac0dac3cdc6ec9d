import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import Response

from api_tests.support.commands import Run, runner
from api_tests.support.doctor import BY_NAME, Look
from api_tests.support.fake_rest_server import SPEC, a_checkpoint, a_job, problem
from api_tests.support.own_server import agent, server
from api_tests.support.polling import eventually
from api_tests.support.rest_fixtures import client, fake
from api_tests.support.server import Server
from api_tests.support.webhook_fixtures import receiver as receiver
from service.cli.doctor.check import Finding
from service.cli.doctor.installation import Installation
from service.contract.checkpoints import Checkpoint
from service.contract.jobs import Job

__all__ = ["agent", "client", "fake", "server"]


@pytest.fixture(autouse=True)
def _log_of_the_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    # What `serve` does to its own process would stay in the one of the tests.
    monkeypatch.setattr("service.main.configure_logs", lambda: None)


@pytest.fixture
def run(server: Server) -> Run:
    """Runs a command against the real server."""
    return runner(server.url)


@pytest.fixture(scope="module")
def nobody() -> Iterator[str]:
    """An address at which nothing listens, for as long as the tests run."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def look(nobody: str, tmp_path: Path) -> Look:
    """The finding of one check, of a data folder that `trainyard up` would make."""
    for name in ("volume", "data/photos"):
        (tmp_path / "yard" / name).mkdir(parents=True)

    def found(name: str, server: str = nobody, token: str | None = None, **environ: str) -> Finding:
        variables = {f"TRAINYARD_{key}": value for key, value in environ.items()}
        mounts = {"mounts": tmp_path / "mounts"} if (tmp_path / "mounts").exists() else {}
        seen = Installation(server, token, tmp_path / "yard", variables, **mounts)
        return BY_NAME[name].finding(seen)

    return found


@pytest.fixture(name="a_job")
def _a_job() -> Callable[..., Job]:
    return a_job


@pytest.fixture(name="a_checkpoint")
def _a_checkpoint() -> Callable[..., Checkpoint]:
    return a_checkpoint


@pytest.fixture(name="problem")
def _problem() -> Callable[..., Response]:
    return problem


@pytest.fixture(name="wait_for")
def _wait_for() -> Callable[[Callable[[], Any]], None]:
    return eventually


@pytest.fixture
def spec() -> dict[str, Any]:
    return dict(SPEC)
