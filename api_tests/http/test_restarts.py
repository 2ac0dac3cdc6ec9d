"""A server that starts renews the leases that its absence cut off, and no others."""

import json
import signal
from pathlib import Path
from typing import Any

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.postgres import Postgres
from api_tests.support.server import Server

SLOW = {"heartbeat_seconds": "50"}
"""However slowly the servers of a test start, its agent was in contact a heartbeat ago."""


def test_a_server_that_was_killed_renews_what_was_in_contact_when_it_starts_again(
    tmp_path: Path,
) -> None:
    server = Server(tmp_path, **SLOW)
    assert recovered(server) == [(0, 0)]
    agent = FakeAgent(server)
    agent.submit()
    agent.claim()
    server.stop(signal.SIGKILL)
    server.start()
    assert recovered(server) == [(0, 0), (1, 1)]
    agent.http.close()
    server.stop()


def test_a_server_renews_nothing_while_another_one_over_its_database_is_alive(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres.make()
    folders = [tmp_path / name for name in ("one", "two", "three")]
    for folder in folders:
        folder.mkdir()
    settings = {"database_url": url, "volume": f"{tmp_path}/volume"} | SLOW
    one = Server(folders[0], **settings)
    agent = FakeAgent(one)
    agent.submit()
    agent.claim()
    two = Server(folders[1], **settings)
    assert recovered(two) == [(0, 0)]
    agent.http.close()
    for server in (one, two):
        server.stop()
    three = Server(folders[2], **settings)
    assert recovered(three) == [(1, 1)]
    three.stop()


def recovered(server: Server) -> list[tuple[int, int]]:
    """How many leases and workers each start of the server has renewed."""
    lines: list[dict[str, Any]] = [
        json.loads(line)
        for line in (server.folder / "server.log").read_text().splitlines()
        if '"recovered"' in line
    ]
    return [(line["leases_renewed"], line["workers_renewed"]) for line in lines]
