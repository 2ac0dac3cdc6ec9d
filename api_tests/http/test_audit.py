"""What is noted in the audit list: each change by a caller, with who made it."""

from datetime import timedelta
from pathlib import Path

import httpx

from api_tests.support.access import make_token
from api_tests.support.access_fixtures import TOKEN, clock, context, people, server
from api_tests.support.audit_calls import audit_entries, submit_job
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.logins import PAGE, cookie_header
from api_tests.support.problems import problem_of
from api_tests.support.server import wait_for
from api_tests.support.server_context import Clock, server_context
from api_tests.support.specs import SPEC
from api_tests.support.threaded_server import ThreadedServer
from service.api.refused_acts import OF_ONE_A_MINUTE
from service.context import AppContext
from service.contract.access import Role
from service.settings import Settings
from service.store.engine import Database

__all__ = ["clock", "context", "people", "server"]


def test_an_entry_says_who_did_what_to_what_when_and_from_where(
    people: dict[str, httpx.Client], clock: Clock
) -> None:
    job = submit_job(people["bob"], name="first")
    clock.advance(timedelta(hours=1))
    headers = {"X-Request-ID": "the-cancel"}
    people["ann"].post(f"/jobs/{job}/cancel", json={"mode": "now"}, headers=headers)
    cancel, submit = audit_entries(people)
    assert cancel | {"number": 0} == {
        "object": "audit_entry",
        "number": 0,
        "created_at": "2026-01-01T01:00:00Z",
        "actor": "ann",
        "role": "admin",
        "action": "job.cancel",
        "subject": job,
        "detail": "now",
        "request_id": "the-cancel",
        "address": "127.0.0.1",
    }
    assert (submit["actor"], submit["role"], submit["action"]) == ("bob", "user", "job.submit")
    assert (submit["subject"], submit["created_at"]) == (job, "2026-01-01T00:00:00Z")
    assert cancel["number"] > submit["number"]


def test_what_changes_nothing_leaves_no_entry(people: dict[str, httpx.Client]) -> None:
    key = {"Idempotency-Key": "once"}
    job = people["bob"].post("/jobs", json=SPEC, headers=key).json()["id"]
    assert people["bob"].post("/jobs", json=SPEC, headers=key).status_code == 200
    people["bob"].post(f"/jobs/{job}/cancel", json={})
    assert people["bob"].post(f"/jobs/{job}/cancel", json={}).status_code == 200
    assert people["bob"].post(f"/jobs/{job}/pause").status_code == 409
    assert people["bob"].post("/jobs?validate_only=true", json=SPEC).status_code == 200
    assert people["ann"].post("/checkpoints/gc", json={"dry_run": True}).status_code == 200
    assert [each["action"] for each in audit_entries(people)] == ["job.cancel", "job.submit"]


def test_of_many_jobs_each_one_that_is_changed_has_an_entry(
    people: dict[str, httpx.Client],
) -> None:
    jobs = [submit_job(people["bob"]) for _ in range(3)]
    others = submit_job(people["eve"])
    bulk = {"action": "cancel", "ids": [*jobs, others]}
    people["bob"].post("/jobs/bulk", json=bulk)
    cancelled = audit_entries(people, action="job.cancel")
    assert {each["subject"] for each in cancelled} == set(jobs)
    assert len({each["request_id"] for each in cancelled}) == 1
    people["bob"].post("/jobs/bulk", json={"action": "retry", "from": "start", "ids": jobs[:1]})
    people["bob"].post("/jobs/bulk", json={"action": "delete", "ids": jobs[1:]})
    retry, submit = audit_entries(people, actor="bob")[2:4]
    assert (retry["action"], retry["subject"]) == ("job.retry", jobs[0])
    assert retry["detail"].startswith(f"as {submit['subject']}")
    assert [each["action"] for each in audit_entries(people, subject=jobs[1])] == [
        "job.delete",
        "job.cancel",
        "job.submit",
    ]


def test_logins_that_wrong_token_and_the_log_out_are_noted(
    people: dict[str, httpx.Client], server: ThreadedServer, context: AppContext
) -> None:
    secret = make_token(context, "kim", Role.USER).secret
    assert server.http.post("/session", json={"token": "wrong"}).status_code == 401
    login = server.http.post("/session", json={"token": secret})
    server.http.delete("/session", headers=PAGE | cookie_header(login))
    end, begin, refused = audit_entries(people)
    assert (refused["action"], refused["actor"], refused["role"]) == ("session.refused", None, None)
    assert (begin["action"], begin["actor"], begin["role"]) == ("session.begin", "kim", "user")
    assert (end["action"], end["actor"]) == ("session.end", "kim")
    assert (end["subject"], refused["address"]) == (begin["subject"], "127.0.0.1")


def test_changes_that_a_caller_may_not_make_are_noted_but_not_without_end(
    people: dict[str, httpx.Client],
) -> None:
    job = submit_job(people["bob"])
    path = f"/jobs/{job}/cancel"
    for _ in range(OF_ONE_A_MINUTE + 5):
        problem_of(people["eve"].post(path, json={}), 403, "not_own_job")
    problem_of(people["vic"].post(path, json={}), 403, "role_required")
    # It is noted after the answer, for which nobody waits.
    wait_for(lambda: bool(audit_entries(people, actor="vic")), "the refusal of vic")
    of_eve = audit_entries(people, actor="eve")
    assert 0 < len(of_eve) < OF_ONE_A_MINUTE
    assert {(each["action"], each["detail"]) for each in of_eve} == {
        ("request.refused", f"POST {path}")
    }
    assert people["vic"].get("/webhooks").status_code == 403
    assert len(audit_entries(people, actor="vic")) == 1


def test_what_agents_report_is_no_act_of_a_person(
    people: dict[str, httpx.Client], server: ThreadedServer
) -> None:
    submit_job(people["bob"])
    agent = FakeAgent(server, token=TOKEN)
    claim = agent.claim()
    checkpoint = agent.save(claim, 1)
    agent.report(claim)
    agent.http.close()
    problem_of(people["vic"].post("/agent/claims", json={}), 403, "role_required")
    assert [each["action"] for each in audit_entries(people)] == ["job.submit"]
    people["bob"].patch(f"/checkpoints/{checkpoint}", json={"pinned": True, "tags": ["b", "a"]})
    (edit, _) = audit_entries(people)
    assert (edit["action"], edit["detail"]) == ("checkpoint.edit", "pinned; tags: a, b")
    # The refusals of vic would be noted in their order.
    problem_of(people["vic"].post("/jobs", json=SPEC), 403, "role_required")
    wait_for(lambda: bool(audit_entries(people, actor="vic")), "the refusal of vic")
    assert [each["detail"] for each in audit_entries(people, actor="vic")] == ["POST /jobs"]


def test_a_server_without_tokens_notes_whoever_is_on_its_machine(
    database: Database, tmp_path: Path, clock: Clock
) -> None:
    context = server_context(database, tmp_path, clock, Settings(volume=tmp_path))
    server = ThreadedServer(context)
    try:
        server.http.post("/jobs", json=SPEC)
        (entry,) = server.http.get("/audit").json()["data"]
        assert (entry["actor"], entry["role"], entry["address"]) == (None, "admin", "127.0.0.1")
    finally:
        server.stop()
