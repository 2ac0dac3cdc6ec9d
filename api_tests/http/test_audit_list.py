"""The audit list as it is read: narrowed, page by page, by an admin alone, and without secrets."""

from datetime import timedelta

import httpx
import pytest

from api_tests.support.access import bearer
from api_tests.support.access_fixtures import clock, context, people, server
from api_tests.support.audit_calls import audit_entries, submit_job
from api_tests.support.problems import pointers_of, problem_of
from api_tests.support.server_context import Clock
from api_tests.support.specs import SPEC
from api_tests.support.threaded_server import ThreadedServer

__all__ = ["clock", "context", "people", "server"]


def test_entries_are_narrowed_and_read_page_by_page(
    people: dict[str, httpx.Client], clock: Clock
) -> None:
    jobs = []
    for name in ("bob", "eve", "bob", "eve"):
        jobs.append(submit_job(people[name]))
        clock.advance(timedelta(hours=1))
    people["bob"].post(f"/jobs/{jobs[0]}/pause")
    people["ann"].post("/tokens", json={"name": "new", "role": "viewer"})
    assert {each["actor"] for each in audit_entries(people, actor="eve")} == {"eve"}
    assert len(audit_entries(people, action="job")) == 5
    assert len(audit_entries(people, action="job.submit")) == 4
    assert [each["action"] for each in audit_entries(people, subject=jobs[0])] == [
        "job.pause",
        "job.submit",
    ]
    hour = "2026-01-01T0{}:00:00Z".format
    between = audit_entries(people, since=hour(1), until=hour(3))
    assert [each["subject"] for each in between] == [jobs[2], jobs[1]]
    numbers, after = [], {}
    while True:
        page = people["ann"].get("/audit", params={"limit": 2, **after}).json()
        numbers += [each["number"] for each in page["data"]]
        if not page["has_more"]:
            break
        after = {"after": page["next"]}
    assert numbers == [each["number"] for each in audit_entries(people)]
    assert numbers == sorted(set(numbers), reverse=True)
    refused = people["ann"].get("/audit", params={"since": "yesterday", "action": "Job!"})
    pointers = pointers_of(problem_of(refused, 422, "invalid"))
    assert set(pointers) == {"/query/since", "/query/action"}


@pytest.mark.parametrize("name", ["bob", "vic"])
def test_only_an_admin_reads_the_list(people: dict[str, httpx.Client], name: str) -> None:
    problem_of(people[name].get("/audit"), 403, "role_required")


def test_entries_outlive_jobs_and_tokens_and_no_secret_is_in_them(
    people: dict[str, httpx.Client], server: ThreadedServer
) -> None:
    token = people["ann"].post("/tokens", json={"name": "zoe", "role": "user"}).json()
    zoe = bearer(token["secret"])
    job = server.http.post("/jobs", json=SPEC, headers=zoe).json()["id"]
    server.http.post(f"/jobs/{job}/cancel", json={}, headers=zoe)
    server.http.delete(f"/jobs/{job}", headers=zoe)
    people["ann"].delete(f"/tokens/{token['id']}")
    url = "https://1.1.1.1/hook-of-a-secret"
    webhook = people["ann"].post("/webhooks", json={"url": url, "name": "chat"}).json()
    assert server.http.post("/session", json={"token": token["secret"]}).status_code == 401
    entries = audit_entries(people)
    assert [each["action"] for each in entries] == [
        "session.refused",
        "webhook.create",
        "token.revoke",
        "job.delete",
        "job.cancel",
        "job.submit",
        "token.create",
    ]
    assert {each["actor"] for each in entries if each["subject"] == job} == {"zoe"}
    for secret in (token["secret"], webhook["secret"], "hook-of-a-secret"):
        assert secret not in str(entries)
