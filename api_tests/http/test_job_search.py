"""`GET /jobs`: found by what is asked for, counted, and shown as far as it is asked for."""

from typing import Any

import pytest

from api_tests.support.four_jobs import FIRST, FOURTH, SECOND, THIRD
from api_tests.support.job_yard import JobYard
from api_tests.support.problems import pointers_of, problem_of
from service.contract.jobs import Job


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
    four_jobs: JobYard, query: dict[str, Any], found: list[str]
) -> None:
    shown = four_jobs.listed(**query)
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
    four_jobs: JobYard,
) -> None:
    states = dict.fromkeys(("running", "pausing", "cancelling", "succeeded", "failed"), 0)
    everything = four_jobs.listed(limit=1)
    counts = states | {"queued": 2, "paused": 1, "cancelled": 1}
    assert (everything["counts"], everything["total"]) == (counts, 4)
    narrowed = four_jobs.listed(kind="train", state=["queued", "paused"])
    assert (narrowed["counts"], narrowed["total"]) == (counts | {"queued": 1}, 2)
    following = four_jobs.listed(limit=1, after=everything["next"])
    assert following.keys() == {"object", "data", "has_more", "next"}


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
    four_jobs: JobYard, query: dict[str, Any], pointer: str, detail: str
) -> None:
    problem = problem_of(four_jobs.http.get("/jobs", params=query), 422, "invalid")
    assert pointers_of(problem) == [pointer]
    assert detail in problem["errors"][0]["detail"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_row_that_is_no_json_hides_itself_alone_from_a_search(yard: JobYard) -> None:
    for column in ("labels", "spec", "metrics"):
        yard.spoil(FIRST, column, "{no json")
    assert [job["id"] for job in yard.listed(q="team:vision")["data"]] == [THIRD]
    assert [job["id"] for job in yard.listed(label="team:vision")["data"]] == [THIRD]
    assert [job["id"] for job in yard.listed(**{"param.save_interval": "100"})["data"]] == [SECOND]
    assert len(yard.listed(order_by="metrics.loss")["data"]) == 4
    assert [job["id"] for job in yard.listed(q="straß", fields="labels")["data"]] == [FIRST]


def test_pages_of_other_queries_are_not_taken_for_each_other(four_jobs: JobYard) -> None:
    first = four_jobs.http.get("/jobs", params={"fields": "id"})
    second = four_jobs.http.get("/jobs", params={"fields": "id,name"})
    assert first.headers["etag"] != second.headers["etag"]
    again = four_jobs.http.get(
        "/jobs", params={"fields": "id"}, headers={"If-None-Match": first.headers["etag"]}
    )
    assert again.status_code == 304
