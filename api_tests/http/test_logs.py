from typing import Any

import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from api_tests.support.server import Server
from service.contract.log_limit import limit_log

TRAIN = "🚂"


def test_a_log_is_read_on_from_its_cursor_without_a_torn_character(agent: FakeAgent) -> None:
    claim, text = running(agent), "x" + TRAIN * 1000 + "é" * 500 + "the end\n"
    agent.log(claim, text.encode())
    read, cursor, parts = "", "0", 0
    while True:
        part = log(agent, claim, cursor=cursor, limit_bytes=1024)
        read, cursor, parts = read + part["text"], part["cursor"], parts + 1
        if part["end"]:
            break
    assert read == text
    assert parts == 5
    assert int(cursor) == len(text.encode())


def test_a_log_that_grows_is_read_on_where_it_ended(agent: FakeAgent) -> None:
    claim = running(agent)
    agent.log(claim, b"one\n")
    first = log(agent, claim)
    assert (first["text"], first["end"]) == ("one\n", True)
    assert log(agent, claim, cursor=first["cursor"]) == {"text": "", "cursor": "4", "end": True}
    agent.log(claim, b"one\ntwo\n")
    assert log(agent, claim, cursor=first["cursor"])["text"] == "two\n"


def test_a_character_that_is_half_written_waits_for_its_other_half(agent: FakeAgent) -> None:
    claim, whole = running(agent), f"a{TRAIN}".encode()
    agent.log(claim, whole[:3])
    first = log(agent, claim)
    assert (first["text"], first["cursor"], first["end"]) == ("a", "1", True)
    agent.log(claim, whole)
    assert log(agent, claim, cursor=first["cursor"])["text"] == TRAIN


def test_a_log_that_is_too_large_loses_its_middle_and_is_read_past_it(
    server: Server, agent: FakeAgent
) -> None:
    claim = running(agent)
    lines = "".join(f"{TRAIN} line {number:06d}\n" for number in range(60_000))
    agent.log(claim, lines.encode())
    (path,) = server.volume.glob(f"jobs/{claim['job_id']}/attempts/*/log.txt")
    size = path.stat().st_size
    limit = 256 * 1024
    with path.open("ab") as writer:
        assert limit_log(path, limit)
        assert not limit_log(path, limit)
        writer.write(b"the end\n")
    assert path.stat().st_size == size + len(b"the end\n")
    assert path.stat().st_blocks * 512 <= limit
    read, cursor = "", "0"
    while not (part := log(agent, claim, cursor=cursor, limit_bytes=50_000))["end"]:
        read, cursor = read + part["text"], part["cursor"]
    read += part["text"]
    assert read.startswith(f"{TRAIN} line 000000\n")
    assert read.endswith("line 059999\nthe end\n")
    assert read.count("bytes of this log were removed") == 1
    assert "\0" not in read
    assert len(read.encode()) < limit


def test_bytes_that_are_no_text_are_shown_as_signs_and_end(agent: FakeAgent) -> None:
    claim = running(agent)
    agent.log(claim, b"a\xff\x80\x80\x80\x80\x80b")
    part = log(agent, claim)
    assert part["end"]
    assert part["text"].startswith("a\ufffd")
    assert part["text"].endswith("b")


def test_a_cursor_beyond_the_end_is_the_end(agent: FakeAgent) -> None:
    claim = running(agent)
    agent.log(claim, b"one\n")
    part = log(agent, claim, cursor=2**80)
    assert part == {"text": "", "cursor": "4", "end": True}


def test_the_last_attempt_is_shown_unless_another_is_asked_for(agent: FakeAgent) -> None:
    first = running(agent)
    agent.log(first, b"first")
    agent.report(first, "released", "released")
    second = agent.claim()
    agent.log(second, b"second")
    assert log(agent, second)["text"] == "second"
    assert log(agent, second, attempt=1)["text"] == "first"
    refused = agent.http.get(path(second), params={"attempt": 3})
    problem_of(refused, 404, "no_such_attempt")


def test_a_job_that_has_not_run_has_no_log(agent: FakeAgent) -> None:
    job = agent.submit()
    problem_of(agent.http.get(f"/jobs/{job['id']}/logs"), 404, "no_log")
    problem_of(agent.http.get(path(agent.claim())), 404, "no_log")


@pytest.mark.parametrize(
    "query",
    [{"cursor": "-1"}, {"cursor": "x"}, {"attempt": "0"}, {"limit_bytes": "10"}],
)
def test_a_part_that_cannot_be_meant_is_refused(agent: FakeAgent, query: dict[str, str]) -> None:
    problem_of(agent.http.get(path(running(agent)), params=query), 422, "invalid")


def running(agent: FakeAgent) -> dict[str, Any]:
    agent.submit()
    return agent.claim()


def path(claim: dict[str, Any]) -> str:
    return f"/jobs/{claim['job_id']}/logs"


def log(agent: FakeAgent, claim: dict[str, Any], **query: Any) -> dict[str, Any]:
    answer = agent.http.get(path(claim), params=query)
    assert answer.status_code == 200, answer.text
    part: dict[str, Any] = answer.json()
    return part
