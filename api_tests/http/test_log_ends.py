"""The last lines of a log, the whole of it as a file, and when its lines were written."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from struct import pack
from typing import Any

import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from service.contract.log_limit import limit_log
from service.volume.log_times import TIMES_FILE, LogTimes, _records_over, times_of

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def claim(agent: FakeAgent) -> dict[str, Any]:
    agent.submit()
    return agent.claim()


def _log(agent: FakeAgent, claim: dict[str, Any], **query: Any) -> dict[str, Any]:
    part: dict[str, Any] = agent.http.get(f"/jobs/{claim['job_id']}/logs", params=query).json()
    return part


@pytest.mark.parametrize(
    ("tail_bytes", "text"),
    [(1, "\n"), (4, "two\n"), (8, "two\n"), (9, "öne\ntwo\n"), (99, "zero\nöne\ntwo\n")],
)
def test_the_last_lines_that_fit_are_read_and_those_that_follow_them(
    agent: FakeAgent, claim: dict[str, Any], tail_bytes: int, text: str
) -> None:
    content = "zero\nöne\ntwo\n"
    agent.log(claim, content.encode())
    part = _log(agent, claim, tail_bytes=tail_bytes)
    start = len(content.encode()) - len(text.encode())
    assert part == {"text": text, "start": start, "cursor": "14", "end": True}
    agent.log(claim, (content + "three\n").encode())
    assert _log(agent, claim, cursor=part["cursor"])["text"] == "three\n"


def test_a_log_of_one_long_line_has_a_tail(agent: FakeAgent, claim: dict[str, Any]) -> None:
    agent.log(claim, b"x" * 5000)
    assert _log(agent, claim, tail_bytes=1000)["text"] == "x" * 1000


def test_the_whole_log_is_a_file_without_what_was_removed(
    agent: FakeAgent, claim: dict[str, Any]
) -> None:
    path = f"/jobs/{claim['job_id']}/log.txt"
    problem_of(agent.http.get(path), 404, "no_log")
    lines = "".join(f"line {number:06d} é\n" for number in range(60_000))
    agent.log(claim, lines.encode())
    answer = agent.http.get(path, params={"attempt": claim["attempt"]})
    assert answer.text == lines
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    name = f"{claim['job_id']}-1.log"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert limit_log(agent.log_path(claim), 256 * 1024)
    cut = agent.http.get(path).text
    assert cut.count("bytes of this log were removed") == 1
    assert "\0" not in cut
    assert cut.endswith(lines[-50_000:])
    problem_of(agent.http.get(path, params={"attempt": 2}), 404, "no_such_attempt")


def test_each_line_has_the_time_at_which_it_was_seen_whole(
    agent: FakeAgent, claim: dict[str, Any]
) -> None:
    agent.log(claim, b"")
    now = START
    times = LogTimes(agent.log_path(claim), lambda: now)
    for seconds, content in (
        (0, b"one\ntwo\nthr"),
        (0.5, b"one\ntwo\nthree\n"),
        (2, b"one\ntwo\nthree\nfour\n"),
        (9, b"one\ntwo\nthree\nfour\n"),
        (60, b"one\ntwo\nthree\nfour\nfive\nsix\n"),
    ):
        now = START + timedelta(seconds=seconds)
        agent.log(claim, content)
        times.look()
    later = {seconds: (START + timedelta(seconds=seconds)).isoformat() for seconds in (0, 2, 60)}

    def shown(part: dict[str, Any]) -> list[tuple[int, str]]:
        return [(line, datetime.fromisoformat(at).isoformat()) for line, at in part["times"]]

    assert shown(_log(agent, claim)) == [(0, later[0]), (2, later[2]), (4, later[60])]
    # The third line was seen whole two seconds after the first.
    assert shown(_log(agent, claim, cursor=8)) == [(0, later[0]), (0, later[2]), (2, later[60])]
    assert shown(_log(agent, claim, cursor=19)) == [(0, later[60])]
    assert shown(_log(agent, claim, tail_bytes=4)) == [(0, later[60])]


def test_very_many_times_of_a_part_are_thinned_out(agent: FakeAgent, claim: dict[str, Any]) -> None:
    content = b"line\n" * 5000
    agent.log(claim, b"")
    now = START
    times = LogTimes(agent.log_path(claim), lambda: now)
    for number in range(1, 5001):
        now = START + timedelta(seconds=number)
        with agent.log_path(claim).open("ab") as log:
            log.write(b"line\n")
        times.look()
    part = _log(agent, claim)
    assert part["text"].encode() == content
    assert 500 < len(part["times"]) <= 1000
    assert datetime.fromisoformat(part["times"][-1][1]) == now


def test_times_that_cannot_be_read_or_written_cost_nothing_else(
    agent: FakeAgent, claim: dict[str, Any]
) -> None:
    agent.log(claim, b"one\n")
    times = agent.log_path(claim).with_name(TIMES_FILE)
    elsewhere = agent.log_path(claim).with_name("elsewhere")
    elsewhere.write_bytes(b"")
    times.symlink_to(elsewhere)
    LogTimes(agent.log_path(claim), lambda: START).look()
    assert elsewhere.read_bytes() == b""
    assert _log(agent, claim) == {"text": "one\n", "cursor": "4", "end": True}
    times.unlink()
    for content in (b"half of a record"[:7], b"\xff" * 16, pack("<QQ", 4, 253_402_300_800_000)):
        times.write_bytes(content)
        assert _log(agent, claim) == {"text": "one\n", "cursor": "4", "end": True}
        assert agent.http.get(f"/jobs/{claim['job_id']}/log.txt").text == "one\n"


def test_times_without_an_end_are_read_up_to_a_limit(tmp_path: Path) -> None:
    # The size that the last record of a part would have never comes.
    (tmp_path / TIMES_FILE).write_bytes(pack("<QQ", 1, 1000) * 100_001)
    assert len(times_of(tmp_path, "", 0, b"x" * 10)) < 1000
    with (tmp_path / TIMES_FILE).open("rb") as file:
        assert len(list(_records_over(file, 0, 10))) == 100_000
