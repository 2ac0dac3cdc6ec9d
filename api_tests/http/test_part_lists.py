"""Jobs that measure for a search are in no list, and in no count of one, that does not ask."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from api_tests.support.job_yard import JobYard
from api_tests.support.problems import pointers_of, problem_of
from service.client import Client
from service.store.engine import Database

OWN, SEARCH, PART, OTHER_PART = (f"job_{number:04d}" for number in range(1, 5))


@pytest.fixture(scope="module")
def yard(shared_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobYard]:
    """A training, a search and two jobs that measure for it, the newest of which is paused."""
    yard = JobYard(shared_database, tmp_path_factory.mktemp("parts"))
    yard.submit(name="training", labels={"team": "vision"})
    yard.submit(name="paths", labels={"team": "vision"})
    for number in (1, 2):
        labels = {"team": "vision", "part_of": SEARCH}
        part = yard.submit(name=f"paths: part {number} of 2", labels=labels)
        yard.fill(part, part_of=SEARCH)
    for job_id in (SEARCH, PART, OTHER_PART):
        yard.fill(job_id, kind="search")
    yard.http.post(f"/jobs/{OTHER_PART}/pause").raise_for_status()
    yield yard
    yard.server.stop()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [SEARCH, OWN]),
        ({"kind": "search"}, [SEARCH]),
        ({"kind": ["train", "search"], "state": "queued"}, [SEARCH, OWN]),
        ({"label": "team:vision"}, [SEARCH, OWN]),
        ({"q": "paths"}, [SEARCH]),
        ({"parts": "false"}, [SEARCH, OWN]),
        ({"state": "paused"}, []),
        ({"order_by": "priority"}, [OWN, SEARCH]),
        ({"order_by": "created_at"}, [OWN, SEARCH]),
        ({"parts": "true"}, [OTHER_PART, PART, SEARCH, OWN]),
        ({"parts": "true", "state": "paused"}, [OTHER_PART]),
        ({"label": f"part_of:{SEARCH}"}, [OTHER_PART, PART]),
        ({"label": [f"part_of:{SEARCH}", "team:vision"], "kind": "search"}, [OTHER_PART, PART]),
        ({"q": PART}, [PART]),
        ({"q": "job_"}, [OTHER_PART, PART, SEARCH, OWN]),
        ({"name": "paths: part 1 of 2"}, [PART]),
    ],
    ids=str,
)
def test_parts_are_listed_and_counted_where_they_are_asked_for(
    yard: JobYard, query: dict[str, Any], found: list[str]
) -> None:
    page = yard.listed(**query)
    assert [job["id"] for job in page["data"]] == found
    assert page["total"] == len(found)
    if "state" not in query:
        assert sum(page["counts"].values()) == len(found)


def test_pages_one_by_one_have_what_one_page_has(yard: JobYard) -> None:
    first = yard.listed(limit=1)
    assert (first["has_more"], first["total"]) == (True, 2)
    second = yard.listed(limit=1, after=first["next"])
    assert [first["data"][0]["id"], second["data"][0]["id"]] == [SEARCH, OWN]
    assert second["next"] is None


def test_a_part_names_its_search_and_another_job_none(yard: JobYard) -> None:
    for path in (f"/jobs/{PART}", f"/jobs/{PART}?short=true"):
        assert yard.http.get(path).json()["part_of"] == SEARCH
    rows = yard.listed(parts="true", fields="part_of")["data"]
    assert [row.get("part_of") for row in rows] == [SEARCH, SEARCH, None, None]
    assert "part_of" not in yard.http.get(f"/jobs/{SEARCH}").json()


def test_a_table_has_parts_if_they_are_asked_for(yard: JobYard) -> None:
    for query, ids in (({}, [SEARCH, OWN]), ({"parts": "true"}, [OTHER_PART, PART, SEARCH, OWN])):
        table = yard.http.get("/exports/jobs.csv", params=query).text
        assert [row["id"] for row in csv.DictReader(io.StringIO(table))] == ids


def test_an_action_on_all_that_match_is_on_those_that_the_list_shows(yard: JobYard) -> None:
    for narrowed, matched in (({}, 2), ({"parts": True}, 4), ({"parts": "true"}, 4)):
        wanted = {"label": ["team:vision"], **narrowed}
        answer = yard.bulk("label", labels={"seen": "yes"}, filter=wanted)
        assert answer["matched"] == matched


def test_metrics_and_positions_of_the_queue_count_them(yard: JobYard) -> None:
    text = yard.http.get("/metrics").text
    counted = [line for line in text.splitlines() if line.startswith("trainyard_jobs{")]
    assert sum(float(line.split()[-1]) for line in counted) == 4
    assert yard.http.get(f"/jobs/{PART}").json()["queue_position"] == 3


def test_the_client_lists_parts_where_they_are_asked_for(yard: JobYard) -> None:
    with Client(str(yard.http.base_url)) as client:
        assert [job.id for job in client.jobs()] == [SEARCH, OWN]
        assert len(list(client.jobs(parts=True))) == 4
        assert len(list(client.jobs(label=f"part_of:{SEARCH}"))) == 2


@pytest.mark.parametrize("value", ["yes", "1"])
def test_another_word_than_true_or_false_is_refused(yard: JobYard, value: str) -> None:
    answer = yard.http.get("/jobs", params={"parts": value})
    problem = problem_of(answer, 422, "invalid")
    assert pointers_of(problem) == ["/query/parts"]
    assert "must be true or false" in problem["detail"]
