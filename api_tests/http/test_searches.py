"""What a search has measured, over HTTP."""

import csv
import io
import signal
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import pointers_of, problem_of
from api_tests.support.search_calls import begin, tell
from api_tests.support.searches import LEAST, MOST, a_candidate
from api_tests.support.server import Server


@pytest.fixture
def search(agent: FakeAgent) -> str:
    """A search with six candidates: each is larger and better than the one before."""
    claim = begin(agent)
    tell(agent, claim, *map(a_candidate, range(6)))
    return f"/jobs/{claim['job_id']}"


def test_a_summary_has_the_best_the_front_the_generations_and_the_parents(
    agent: FakeAgent, search: str
) -> None:
    summary = agent.http.get(f"{search}/search").json()
    assert (summary["object"], f"/jobs/{summary['job_id']}") == ("search_summary", search)
    assert (summary["evaluated"], summary["total"], summary["fitness"]) == (6, 6, "error")
    assert (summary["least_multiply_adds"], summary["most_multiply_adds"]) == (LEAST, MOST)
    assert (summary["places"], summary["choices"], summary["recipe"]) == (20, 4, "oneshot")
    assert (summary["macs_limit"], summary["macs_image_size"]) == (MOST, 32)
    assert summary["best"] == a_candidate(5)
    assert summary["front"] == [a_candidate(order) for order in range(6)]
    assert summary["parents"] == [a_candidate(5), a_candidate(4)]
    assert [each["number"] for each in summary["generations"]] == [1, 2]
    assert summary["heat"][-1] == [1, 1, 0, 0]


def test_a_poll_of_a_summary_is_answered_304_until_there_is_more(agent: FakeAgent) -> None:
    claim = begin(agent)
    path = f"/jobs/{claim['job_id']}/search"
    first = agent.http.get(path)
    assert (first.json()["evaluated"], first.json()["best"]) == (0, None)
    known = {"If-None-Match": first.headers["ETag"]}
    assert agent.http.get(path, headers=known).status_code == 304
    tell(agent, claim, a_candidate(0))
    assert agent.http.get(path, headers=known).json()["evaluated"] == 1


@pytest.mark.parametrize(
    ("order_by", "orders"),
    [
        ("order", [0, 1, 2, 3, 4, 5]),
        ("fitness", [5, 4, 3, 2, 1, 0]),
        ("multiply_adds", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_candidates_are_listed_in_an_order_page_by_page(
    agent: FakeAgent, search: str, order_by: str, orders: list[int]
) -> None:
    query: dict[str, Any] = {"order_by": order_by, "limit": 4}
    first = agent.http.get(f"{search}/candidates", params=query).json()
    rest = agent.http.get(f"{search}/candidates", params=query | {"after": first["next"]}).json()
    assert (first["has_more"], rest["has_more"], rest["next"]) == (True, False, None)
    assert [each["order"] for each in first["data"] + rest["data"]] == orders


def test_a_page_behind_no_candidate_is_refused(agent: FakeAgent, search: str) -> None:
    answer = agent.http.get(f"{search}/candidates", params={"after": "3" * 20})
    assert pointers_of(problem_of(answer, 422, "no_such_candidate")) == ["/after"]


def test_by_loss_one_that_is_not_finite_is_last_and_equal_ones_are_in_their_order(
    agent: FakeAgent,
) -> None:
    claim = begin(agent, fitness="loss")
    losses = (0.5, None, 0.25, 0.5)
    tell(agent, claim, *(a_candidate(order, loss=loss) for order, loss in enumerate(losses)))
    path, orders = f"/jobs/{claim['job_id']}", []
    after: dict[str, str] = {}
    for _ in losses:
        query = {"order_by": "fitness", "limit": "1"} | after
        page = agent.http.get(f"{path}/candidates", params=query).json()
        orders += [each["order"] for each in page["data"]]
        after = {"after": page["next"]}
    assert orders == [2, 0, 3, 1]
    assert [each["order"] for each in agent.http.get(f"{path}/search").json()["parents"]] == [2, 0]


def test_all_candidates_are_one_table(agent: FakeAgent, search: str) -> None:
    answer = agent.http.get(f"{search}/candidates.csv", params={"order_by": "fitness"})
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [int(row["order"]) for row in rows] == [5, 4, 3, 2, 1, 0]
    assert rows[0]["top1_error"] == str(a_candidate(5)["top1_error"])


@pytest.mark.parametrize("part", ["search", "candidates", "candidates.csv"])
def test_a_job_that_is_no_search_has_no_candidates(agent: FakeAgent, part: str) -> None:
    job = agent.submit()["id"]
    problem = problem_of(agent.http.get(f"/jobs/{job}/{part}"), 404, "no_search")
    assert f"{job} is a job of kind train" in problem["detail"]
    problem_of(agent.http.get(f"/jobs/job_none/{part}"), 404, "no_such_job")


def test_a_killed_server_has_lost_none_that_it_acknowledged(tmp_path: Path) -> None:
    server = Server(tmp_path)
    agent = FakeAgent(server)
    claim = begin(agent)
    tell(agent, claim, a_candidate(0))
    server.stop(signal.SIGKILL)
    agent.http.close()
    again = Server(tmp_path)
    page = again.http.get(f"/jobs/{claim['job_id']}/candidates").json()
    assert [each["order"] for each in page["data"]] == [0]
    again.stop()


@pytest.mark.parametrize(
    ("variant", "pointer", "words"),
    [
        ({"search": 5}, "/variant/search", "valid string"),
        ({"search": "job_1", "blocks": "0" * 20}, "/variant", "not by both"),
        ({"search": "job_1", "space": "oneshot"}, "/variant", "by search or by blocks"),
        ({"search": "job_1", "which": "best"}, "/variant/which", "this field is not known"),
    ],
)
def test_a_variant_of_a_search_that_is_no_such_is_refused_at_its_field(
    agent: FakeAgent, variant: dict[str, Any], pointer: str, words: str
) -> None:
    body = {"kind": "train", "variant": variant, "data": {"dataset": "digits"}}
    problem = problem_of(agent.http.post("/jobs", json=body), 422, "invalid")
    assert pointers_of(problem) == [pointer]
    assert words in problem["errors"][0]["detail"]
