"""Generated requests are answered as the OpenAPI document says, and none with a server's error."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api_tests.support.access import bearer
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server
from service.contract.access import Role

CONFIG = Path(__file__).with_name("schemathesis.toml")
SECONDS = os.environ.get("TRAINYARD_TEST_SCHEMATHESIS_SECONDS")
"""If set, each role sends requests of every kind to every operation for so long."""

TOKEN = "s3cret"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With a job that has a checkpoint, so that there is something to find."""
    # A claim waits no longer than half the time after which its worker is unreachable.
    server = Server(
        tmp_path_factory.mktemp("schemathesis"),
        token=TOKEN,
        heartbeat_seconds="0.4",
        unreachable_seconds="0.5",
        requests_per_minute="0",
    )
    with FakeAgent(server, token=TOKEN) as agent:
        agent.submit()
        agent.save(agent.claim(), 1)
    yield server
    server.stop()


@pytest.mark.parametrize("role", [*Role, None])
def test_schemathesis_finds_nothing_for_any_role(
    server: Server, role: Role | None, tmp_path: Path
) -> None:
    with httpx.Client(base_url=server.url, headers=bearer(TOKEN)) as admin:
        # Not every role may read it.
        document = admin.get("/openapi.json").raise_for_status().json()
        request = {"name": f"some-{role}", "role": role}
        secret = admin.post("/tokens", json=request).json()["secret"] if role is not None else None
    if SECONDS is None and role is not None:
        _keep_operations_of(document, role)
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    ran = _schemathesis(server, tmp_path, bearer(secret) if secret is not None else {})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"\d+ generated", ran.stdout), ran.stdout
    assert "Traceback" not in (server.folder / "server.log").read_text()


def _keep_operations_of(document: dict[str, Any], role: Role) -> None:
    """Each operation is tried by the least of the roles that may call it."""
    for methods in document["paths"].values():
        for method, operation in [*methods.items()]:
            if operation.get("x-role") != role:
                del methods[method]


def _schemathesis(
    server: Server, folder: Path, headers: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    sent = [text for name, value in headers.items() for text in ("--header", f"{name}: {value}")]
    if SECONDS is not None:
        length = ("--phases", "coverage,fuzzing", "--max-time", SECONDS)
    elif headers:
        length = ("--phases", "fuzzing", "--max-examples", "2")
    else:
        # Nobody gets to a route's own refusals, so that all of them are soon through.
        length = ("--phases", "coverage")
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"),
            *length,
            *("--generation-deterministic", "--continue-on-failure", "--no-color"),
            *sent,
            *("--url", server.url, "openapi.json"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
    )
