"""A run that writes without end into its log does not fill the volume."""

from datetime import UTC, datetime
from pathlib import Path

from api_tests.support.server import wait_for
from service.contract.agent import Lease
from service.contract.log_limit import LOG_BYTES
from workers.agent.spool import Spool
from workers.agent.volume_watcher import VolumeWatcher
from workers.agent.watchdog import Watchdog

LEASE = Lease(heartbeat_seconds=1, self_end_seconds=10, kill_grace_seconds=1, stall_seconds=600)


def test_the_agent_keeps_the_log_of_an_attempt_within_its_limit(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    watchdog = Watchdog(lambda: None, LEASE, lambda: 0.0)
    spool, now = Spool(tmp_path / "events.jsonl"), datetime(2026, 11, 24, tzinfo=UTC)
    watcher = VolumeWatcher(spool, watchdog, log, "job_1", lambda: now)
    watcher.start()
    try:
        size = LOG_BYTES + 4 * 1024 * 1024
        with log.open("ab") as writer:
            for _ in range(size // 2**20):
                writer.write(b"x" * (2**20 - 1) + b"\n")
            writer.flush()
            wait_for(lambda: log.stat().st_blocks * 512 <= LOG_BYTES, "a smaller log")
            writer.write(b"the end\n")
    finally:
        watcher.close()
    assert log.stat().st_size == size + len(b"the end\n")
    assert log.read_bytes()[:2] == b"xx"
    assert log.read_bytes().endswith(b"x\nthe end\n")
