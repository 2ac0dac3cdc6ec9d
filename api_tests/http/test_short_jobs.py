"""Of a search that measures given paths, lists and polls have the number of them alone."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.job_yard import JobYard
from api_tests.support.search_calls import submit_search, trained_supernet
from api_tests.support.searches import blocks_of
from api_tests.support.server import Server
from service.client import Client
from service.contract.specs import SearchSpec
from service.store.engine import Database

MANY = 500
PATHS = [blocks_of(number) for number in range(MANY)]
LEFT_OUT = {"/spec/params/candidates": MANY}


@pytest.fixture(scope="module")
def agent(server_on_each_database: Server) -> Iterator[FakeAgent]:
    with FakeAgent(server_on_each_database) as agent:
        yield agent


@pytest.fixture(scope="module")
def search(agent: FakeAgent) -> dict[str, Any]:
    """The job, as its submission was answered: it runs."""
    job = submit_search(agent, trained_supernet(agent), candidates=PATHS)
    agent.claim()
    return job


@pytest.fixture
def yard(database: Database, tmp_path: Path) -> Iterator[JobYard]:
    """A server whose rows the test writes."""
    yard = JobYard(database, tmp_path)
    yield yard
    yard.server.stop()


def listed(agent: FakeAgent, search: dict[str, Any], **query: str) -> dict[str, Any]:
    """The search as the list has it."""
    answer = agent.http.get("/jobs", params=query)
    assert len(answer.content) < 100_000
    (row,) = (job for job in answer.json()["data"] if job["id"] == search["id"])
    return dict(row)


def test_a_list_has_the_number_of_the_paths_and_the_job_itself_has_all(
    agent: FakeAgent, search: dict[str, Any]
) -> None:
    whole = agent.http.get(f"/jobs/{search['id']}").json()
    assert (whole["spec"]["params"]["candidates"], "left_out" in whole) == (PATHS, False)
    assert search["spec"] == whole["spec"]
    row = listed(agent, search)
    assert row["left_out"] == LEFT_OUT
    params = whole["spec"]["params"] | {"candidates": None}
    assert row == whole | {"spec": whole["spec"] | {"params": params}, "left_out": LEFT_OUT}


def test_a_list_of_specs_alone_says_what_they_are_without(
    agent: FakeAgent, search: dict[str, Any]
) -> None:
    row = listed(agent, search, fields="spec")
    assert (row.keys(), row["left_out"]) == ({"id", "spec", "left_out"}, LEFT_OUT)
    assert listed(agent, search, fields="left_out").keys() == {"id", "left_out"}
    assert listed(agent, search, fields="name").keys() == {"id", "name"}


@pytest.mark.usefixtures("search")
def test_a_job_from_which_nothing_is_left_out_does_not_say_so(agent: FakeAgent) -> None:
    rows = agent.http.get("/jobs", params={"kind": "train"}).json()["data"]
    assert rows
    assert not [row for row in rows if "left_out" in row]


def test_a_short_poll_of_a_running_search_is_as_a_list_has_it(
    agent: FakeAgent, search: dict[str, Any]
) -> None:
    path, short = f"/jobs/{search['id']}", {"short": "true"}
    polled = agent.http.get(path, params=short)
    assert polled.json() == listed(agent, search)
    known = {"If-None-Match": polled.headers["etag"]}
    assert agent.http.get(path, params=short, headers=known).status_code == 304
    # What is kept of one answer is not taken for the other.
    assert len(agent.http.get(path).json()["spec"]["params"]["candidates"]) == MANY
    assert agent.http.get(path, params=short).content == polled.content


@pytest.mark.parametrize("act", ["pause", "cancel"])
def test_a_short_answer_of_a_search_that_does_not_run_is_as_a_list_has_it(
    agent: FakeAgent, act: str
) -> None:
    job = submit_search(agent, trained_supernet(agent), candidates=PATHS)
    for _ in range(2):
        short = agent.http.get(f"/jobs/{job['id']}", params={"short": "true"})
        assert short.json() == listed(agent, job)
        assert short.json()["left_out"] == LEFT_OUT
        agent.http.post(f"/jobs/{job['id']}/{act}", json={}).raise_for_status()


def test_a_table_of_jobs_has_no_cell_of_all_paths(agent: FakeAgent, search: dict[str, Any]) -> None:
    table = agent.http.get("/exports/jobs.csv", params={"kind": "search"}).text
    (row,) = (row for row in csv.DictReader(io.StringIO(table)) if row["id"] == search["id"])
    assert (row["param.candidates"], row["param.population"]) == ("", "3")
    assert blocks_of(MANY - 1) not in table


def test_a_job_of_a_list_of_the_client_says_what_it_is_without_and_refresh_brings_it(
    server_on_each_database: Server, search: dict[str, Any]
) -> None:
    with Client(server_on_each_database.url) as client:
        (job,) = (job for job in client.jobs(kind="search") if job.id == search["id"])
        assert job.left_out == LEFT_OUT
        job.refresh()
        assert job.left_out == {}
        assert isinstance(job.spec, SearchSpec)
        assert list(job.spec.params.candidates or ()) == PATHS


def test_what_another_version_has_stored_is_left_out_too_and_stops_no_list(
    yard: JobYard,
) -> None:
    specs = [
        {"kind": "search", "params": {"candidates": ["0", "1"], "newer": 1}},
        {"kind": "search", "params": {"candidates": 7}},
        {"kind": "search", "params": [1]},
        {"kind": "search"},
        7,
    ]
    ids = [yard.submit() for _ in specs]
    for job_id, spec in zip(ids, specs, strict=True):
        yard.fill(job_id, kind="search", spec=spec)
    rows = {row["id"]: row for row in yard.listed()["data"]}
    assert [rows[each]["spec"] for each in ids] == [
        {"kind": "search", "params": {"newer": 1}},
        *specs[1:],
    ]
    found = [rows[each].get("left_out") for each in ids]
    assert json.dumps(found) == '[{"/spec/params/candidates": 2}, null, null, null, null]'


@pytest.mark.parametrize("text", [r"x\u0000y", r"\ud800", r"\ud83d\ude00"])
def test_a_specification_with_no_character_in_its_text_stops_no_list(
    yard: JobYard, text: str
) -> None:
    ids = [yard.submit() for _ in range(2)]
    yard.fill(ids[0], kind="search")
    yard.spoil(
        ids[0], "spec", f'{{"kind": "search", "name": "{text}", "params": {{"candidates": ["0"]}}}}'
    )
    assert [row["id"] for row in yard.listed(limit=2)["data"]] == ids[::-1]
