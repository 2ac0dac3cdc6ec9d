"""Generated requests are answered as the OpenAPI document says, and none with a server's error."""

import subprocess
import sys
from pathlib import Path

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server

CONFIG = Path(__file__).with_name("schemathesis.toml")
SECONDS = 15
TOKEN = "s3cret"


def test_schemathesis_finds_nothing_in_a_short_run(tmp_path: Path) -> None:
    # A claim waits no longer than half the time after which its worker is unreachable.
    server = Server(tmp_path, token=TOKEN, heartbeat_seconds="0.4", unreachable_seconds="0.5")
    agent = FakeAgent(server, token=TOKEN)
    agent.submit()
    agent.save(agent.claim(), 1)
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"),
            *("--phases", "coverage,fuzzing", "--max-time", str(SECONDS)),
            *("--generation-deterministic", "--continue-on-failure", "--no-color"),
            *("--header", f"Authorization: Bearer {TOKEN}", f"{server.url}/openapi.json"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    agent.http.close()
    server.stop()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Traceback" not in (tmp_path / "server.log").read_text()
