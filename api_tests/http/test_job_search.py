"""`GET /jobs`: found by what is asked for, in the order that is asked for, and counted."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.job_yard import JobYard
from api_tests.support.problems import pointers_of, problem_of
from service.contract.jobs import Job
from service.store.engine import Database

NOW = datetime(2026, 1, 2, tzinfo=UTC)
FIRST, SECOND, THIRD, FOURTH = (f"job_{number:04d}" for number in range(1, 5))


@pytest.fixture(scope="module")
def shared(
    shared_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JobYard]:
    """One of each database for all tests that change nothing."""
    yard = a_yard(shared_database, tmp_path_factory.mktemp("yard"))
    yield yard
    yard.server.stop()


@pytest.fixture
def yard(database: Database, tmp_path: Path) -> Iterator[JobYard]:
    """One whose rows a test may change."""
    yard = a_yard(database, tmp_path)
    yield yard
    yard.server.stop()


def a_yard(database: Database, folder: Path) -> JobYard:
    """Four jobs: they differ in all that a list can be narrowed by."""
    yard = JobYard(database, folder)
    yard.submit(
        name="Straße 100%_A", labels={"team": "vision", "run": "a"}, params={"learning_rate": 0.5}
    )
    yard.submit(name="second", labels={"team": "Ünder"}, params={"save_interval": 100})
    yard.submit(recipe="shufflenet_v2", variant="1.0x", labels={"run": "a", "team": "vision"})
    check = {"kind": "check_data", "labels": {"quote": 'a"b: c'}}
    yard.http.post("/jobs", json=check | {"data": {"dataset": "digits"}}).raise_for_status()
    yard.http.post(f"/jobs/{SECOND}/pause").raise_for_status()
    yard.http.post(f"/jobs/{THIRD}/cancel").raise_for_status()
    return yard


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "sECond"}, [SECOND]),
        ({"q": "0%_a"}, [FIRST]),
        ({"q": "%"}, [FIRST]),
        ({"q": "STRASSE"}, []),
        ({"q": "straß"}, [FIRST]),
        ({"q": "B_0002"}, [SECOND]),
        ({"q": "team:vis"}, [THIRD, FIRST]),
        ({"q": "üNDER"}, [SECOND]),
        ({"q": "QUOTE"}, [FOURTH]),
        ({"q": 'A"B: C'}, [FOURTH]),
        ({"q": "nothing"}, []),
        ({"name": "second"}, [SECOND]),
        ({"name": "Second"}, []),
        ({"label": ["team:vision", "run:a"]}, [THIRD, FIRST]),
        ({"label": ["team:vision", "run:b"]}, []),
        ({"label": 'quote:a"b: c'}, [FOURTH]),
        ({"state": ["paused", "cancelled"]}, [THIRD, SECOND]),
        ({"kind": ["check_data", "eval"]}, [FOURTH]),
        ({"kind": ["check_data", "train"], "state": "queued"}, [FOURTH, FIRST]),
        ({"recipe": "shufflenet_v2"}, [THIRD]),
        ({"param.learning_rate": "5e-1", "recipe": "oneshot"}, [FIRST, SECOND]),
        ({"param.learning_rate": "0.50", "q": "straße"}, [FIRST]),
        ({"param.save_interval": "100.0"}, [SECOND]),
        ({"param.save_interval": "1e2", "param.learning_rate": "0.5"}, [SECOND]),
        ({"param.none_such": "1"}, []),
        ({"created_after": "2026-01-01T00:00:30Z"}, [FOURTH, THIRD, SECOND]),
        ({"created_after": "2026-01-01T02:01:30 02:00"}, [FOURTH, THIRD]),
        ({"created_after": "2026-01-02"}, []),
    ],
    ids=str,
)
def test_a_list_has_the_jobs_to_which_everything_applies_and_no_other(
    shared: JobYard, query: dict[str, Any], found: list[str]
) -> None:
    shown = shared.listed(**query)
    assert {job["id"] for job in shown["data"]} == set(found)
    assert shown["total"] == len(found)


def test_texts_truth_values_and_null_of_parameters_are_compared_as_what_they_are(
    yard: JobYard,
) -> None:
    params = {"mode": "0.5", "exact": True, "crop": None, "name": "true"}
    yard.fill(FIRST, spec={"kind": "other", "params": params})
    for query, is_there in (
        ({"param.mode": "0.5"}, True),
        ({"param.mode": "0.50"}, False),
        ({"param.exact": "true"}, True),
        ({"param.exact": "1"}, False),
        ({"param.name": "true"}, True),
        ({"param.crop": "null"}, True),
        ({"param.crop": "none"}, False),
    ):
        assert (yard.listed(**query)["data"] != []) is is_there, query


def test_the_first_page_counts_all_states_and_the_jobs_in_those_that_are_asked_for(
    shared: JobYard,
) -> None:
    states = dict.fromkeys(("running", "pausing", "cancelling", "succeeded", "failed"), 0)
    everything = shared.listed(limit=1)
    counts = states | {"queued": 2, "paused": 1, "cancelled": 1}
    assert (everything["counts"], everything["total"]) == (counts, 4)
    narrowed = shared.listed(kind="train", state=["queued", "paused"])
    assert (narrowed["counts"], narrowed["total"]) == (counts | {"queued": 1}, 2)
    following = shared.listed(limit=1, after=everything["next"])
    assert following.keys() == {"object", "data", "has_more", "next"}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("created_at", [FIRST, SECOND, THIRD, FOURTH]),
        ("-created_at", [FOURTH, THIRD, SECOND, FIRST]),
        ("priority", [FOURTH, FIRST, THIRD, SECOND]),
        ("-priority", [SECOND, THIRD, FIRST, FOURTH]),
        ("metrics.loss", [SECOND, FIRST, THIRD, FOURTH]),
        ("-metrics.loss", [THIRD, FIRST, SECOND, FOURTH]),
        ("duration", [THIRD, FIRST, FOURTH, SECOND]),
        ("-duration", [FOURTH, FIRST, THIRD, SECOND]),
        ("-metrics.no such", [FOURTH, THIRD, SECOND, FIRST]),
    ],
)
def test_the_pages_of_an_order_have_every_job_once_and_those_without_the_value_last(
    ordered: JobYard, order: str, expected: list[str]
) -> None:
    for limit, fields in ((1, {"fields": "id"}), (3, {}), (4, {})):
        seen: list[str] = []
        after: dict[str, str] = {}
        while True:
            page = ordered.listed(order_by=order, limit=limit, **fields, **after)
            seen += [job["id"] for job in page["data"]]
            if not page["has_more"]:
                break
            after = {"after": page["next"]}
            ordered.clock.advance(timedelta(days=-1))
        assert seen == expected
        assert page["next"] is None
        ordered.clock.now = NOW


@pytest.fixture(scope="module")
def ordered(shared: JobYard) -> JobYard:
    """The shared one, with rows as runs would leave them; no other test asks for these columns."""
    yard, now = shared, NOW
    yard.clock.now = NOW
    for job_id, priority in ((FIRST, 1), (SECOND, 7), (THIRD, 1), (FOURTH, -3)):
        yard.fill(job_id, queue_order=-priority)
    for job_id, loss in ((FIRST, 0.3), (SECOND, 1 / 3 - 0.3), (THIRD, 0.3), (FOURTH, "low")):
        yard.fill(job_id, metrics={"loss": loss, "no": 1})
    yard.fill(FIRST, started_at=now, finished_at=now + timedelta(seconds=9.5))
    yard.fill(THIRD, started_at=now, finished_at=now + timedelta(seconds=9))
    # It runs: the clock that goes on between the pages moves no job.
    yard.fill(FOURTH, started_at=now - timedelta(seconds=9.75), finished_at=None)
    return yard


def test_a_page_has_the_fields_that_are_asked_for_as_the_whole_job_has_them(yard: JobYard) -> None:
    yard.fill(FIRST, metrics={"loss": 0.5}, result={"a": 1}, started_at=yard.clock.now)
    whole = {job["id"]: job for job in yard.listed()["data"]}
    for names in (
        ["name", "labels", "state", "metrics", "result", "started_at", "version", "object"],
        ["progress", "created_at", "reason", "attempt", "latest_checkpoint", "message"],
        ["spec", "name"],
        ["wait_reason", "queue_position"],
        ["actions"],
        list(Job.model_fields),
    ):
        page = yard.listed(fields=",".join(names))
        # Some fields are only there where they say something.
        expected = [
            {name: job[name] for name in {"id", *names} if name in job} for job in whole.values()
        ]
        assert page["data"] == expected


@pytest.mark.parametrize(
    ("query", "pointer", "detail"),
    [
        ({"order_by": "name"}, "/query/order_by", "must be created_at, duration, priority or"),
        ({"order_by": "metrics."}, "/query/order_by", "metrics.NAME"),
        ({"order_by": 'metrics.a"b'}, "/query/order_by", "metrics.NAME"),
        ({"fields": "name,stat"}, "/query/fields", "'stat'; did you mean state? There are"),
        ({"fields": "nix"}, "/query/fields", "object, id, kind, recipe"),
        ({"created_after": "yesterday"}, "/query/created_after", "2026-01-31"),
        ({"created_after": "0001-01-01T00:00:00Z"}, "/query/created_after", "1970"),
        ({"limit": "1001"}, "/query/limit", "1000"),
        ({"state": ["queued", "nix"]}, "/query/state", "'queued', 'running'"),
        ({"kind": "nix"}, "/query/kind", "'train', 'eval'"),
        ({"label": ["a:b", "c"]}, "/query/label", "label=team:vision"),
        ({"param.1x": "1"}, "/query/param.1x", "letters, digits and _"),
        ({"param.": "1"}, "/query/param.", "letters, digits and _"),
        ({"parm.x": "1"}, "/parm.x", "not known"),
        ({f"param.p{n}": "1" for n in range(70)}, "/query/param.p64", "at most 64"),
        ({"after": "nix"}, "/query/after", "`next` of the page before"),
        ({"after": FIRST, "order_by": "priority"}, "/after", "`next` of the page before"),
        ({"after": "after_AAAA", "order_by": "priority"}, "/after", "`next` of the page before"),
        ({"after": "after_AAAA"}, "/after", "order of created_at"),
    ],
    ids=str,
)
def test_what_a_list_cannot_be_asked_for_is_refused_by_its_name(
    shared: JobYard, query: dict[str, Any], pointer: str, detail: str
) -> None:
    problem = problem_of(shared.http.get("/jobs", params=query), 422, "invalid")
    assert pointers_of(problem) == [pointer]
    assert detail in problem["errors"][0]["detail"]


def test_a_cursor_of_another_order_is_refused(shared: JobYard) -> None:
    cursor = shared.listed(order_by="priority", limit=1)["next"]
    query = {"order_by": "-priority", "after": cursor}
    problem = problem_of(shared.http.get("/jobs", params=query), 422, "invalid")
    assert "the order -priority" in problem["detail"]


@pytest.mark.parametrize(
    "parts",
    [
        ["duration", "1e999999", FIRST, "2026-01-01T00:00:00+00:00"],
        ["duration", "1", "\ud800", "2026-01-01T00:00:00+00:00"],
        ["duration", "1", FIRST, "0001-01-01T00:00:00+23:59"],
        ["duration", "1", FIRST, "9999-12-31T23:59:59-23:59"],
    ],
    ids=str,
)
def test_a_cursor_that_no_database_can_hold_is_refused(shared: JobYard, parts: list[str]) -> None:
    after = "after_" + base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
    query = {"order_by": "duration", "after": after}
    problem = problem_of(shared.http.get("/jobs", params=query), 422, "invalid")
    assert "`next` of a page" in problem["detail"]


def test_a_page_after_the_largest_number_can_be_asked_for(yard: JobYard) -> None:
    order = "-metrics." + "x" * 64
    for job_id, value in ((FIRST, 1.7976931348623157e308), (SECOND, 5e-324)):
        yard.fill(job_id, metrics={"x" * 64: value})
    first = yard.listed(order_by=order, limit=1)
    second = yard.listed(order_by=order, limit=1, after=first["next"])
    third = yard.listed(order_by=order, limit=1, after=second["next"])
    shown = [page["data"][0]["id"] for page in (first, second, third)]
    assert shown == [FIRST, SECOND, FOURTH]


def test_a_page_in_an_order_is_the_same_while_no_job_changes(shared: JobYard) -> None:
    query: dict[str, Any] = {"order_by": "priority", "limit": 1}
    etag = shared.http.get("/jobs", params=query).headers["etag"]
    shared.clock.advance(timedelta(seconds=1))
    again = shared.http.get("/jobs", params=query, headers={"If-None-Match": etag})
    shared.clock.advance(timedelta(seconds=-1))
    assert again.status_code == 304


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_row_that_is_no_json_hides_itself_alone_from_a_search(yard: JobYard) -> None:
    for column in ("labels", "spec", "metrics"):
        yard.spoil(FIRST, column, "{no json")
    assert [job["id"] for job in yard.listed(q="team:vision")["data"]] == [THIRD]
    assert [job["id"] for job in yard.listed(label="team:vision")["data"]] == [THIRD]
    assert [job["id"] for job in yard.listed(**{"param.save_interval": "100"})["data"]] == [SECOND]
    assert len(yard.listed(order_by="metrics.loss")["data"]) == 4
    assert [job["id"] for job in yard.listed(q="straß", fields="labels")["data"]] == [FIRST]


def test_pages_of_other_queries_are_not_taken_for_each_other(shared: JobYard) -> None:
    first = shared.http.get("/jobs", params={"fields": "id"})
    second = shared.http.get("/jobs", params={"fields": "id,name"})
    assert first.headers["etag"] != second.headers["etag"]
    again = shared.http.get(
        "/jobs", params={"fields": "id"}, headers={"If-None-Match": first.headers["etag"]}
    )
    assert again.status_code == 304
