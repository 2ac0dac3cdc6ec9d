"""Events on their way from the file to the control plane."""

from datetime import UTC, datetime
from pathlib import Path

from workers.agent.spool import Spool
from workers.attempt_dir import AttemptDir


def _write(folder: Path, count: int) -> AttemptDir:
    attempt_dir = AttemptDir(folder)
    for number in range(count):
        attempt_dir.append("note", {"message": str(number)}, datetime.now(UTC))
    return attempt_dir


def _seqs(spool: Spool) -> list[int]:
    spool.read()
    return [event.seq for event in spool.waiting()]


def test_events_wait_until_they_are_acknowledged(tmp_path: Path) -> None:
    spool = Spool(_write(tmp_path, 3).events_path)
    assert _seqs(spool) == [1, 2, 3]
    spool.acknowledge(2)
    assert _seqs(spool) == [3]


def test_no_more_than_the_limit_is_held_and_the_rest_waits_in_the_file(tmp_path: Path) -> None:
    spool = Spool(_write(tmp_path, 5).events_path, limit=2)
    assert _seqs(spool) == [1, 2]
    assert not spool.read()
    spool.acknowledge(1)
    assert _seqs(spool) == [2, 3]
    spool.acknowledge(3)
    spool.acknowledge(4)
    assert _seqs(spool) == [4, 5]


def test_no_more_bytes_than_the_limit_are_held_whatever_the_number_of_events(
    tmp_path: Path,
) -> None:
    attempt_dir = AttemptDir(tmp_path)
    for length in (400, 400, 400, 5000, 400):
        attempt_dir.append("note", {"message": "x" * length}, datetime.now(UTC))
    spool = Spool(attempt_dir.events_path, limit_bytes=800)
    assert _seqs(spool) == [1, 2]
    assert 800 <= spool.waiting_bytes() <= 1600
    spool.acknowledge(2)
    assert spool.waiting_bytes() == 0
    assert _seqs(spool) == [3, 4, 5]
    assert spool.waiting()[1].body["message"].startswith("an event of kind note is left out: it")


def test_a_half_written_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    attempt_dir = _write(tmp_path, 2)
    lines = attempt_dir.events_path.read_bytes()
    attempt_dir.events_path.write_bytes(lines[:-10])
    spool = Spool(attempt_dir.events_path)
    assert _seqs(spool) == [1]
    with attempt_dir.events_path.open("ab") as file:
        file.write(lines[-10:])
    assert _seqs(spool) == [1, 2]


def test_what_has_been_read_is_not_read_again(tmp_path: Path) -> None:
    attempt_dir = _write(tmp_path, 3)
    spool = Spool(attempt_dir.events_path)
    spool.read()
    size = attempt_dir.events_path.stat().st_size
    attempt_dir.events_path.write_bytes(b"\0" * size)
    attempt_dir.append("note", {}, datetime.now(UTC))
    assert _seqs(spool) == [1, 2, 3, 4]


def test_a_line_that_is_no_event_is_passed_over(tmp_path: Path) -> None:
    attempt_dir = _write(tmp_path, 1)
    with attempt_dir.events_path.open("ab") as file:
        file.write(b"nonsense\n")
    attempt_dir.append("note", {}, datetime.now(UTC))
    assert _seqs(Spool(attempt_dir.events_path)) == [1, 2]
