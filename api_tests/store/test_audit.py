"""The audit list as rows: what is found without a look at all of them, and what is cut."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api_tests.support.query_plans import plans_of
from service.contract.audit import DETAIL_LENGTH, AuditSelection
from service.contract.request_origin import ORIGIN, RequestOrigin
from service.store import audit
from service.store.audit import Act
from service.store.engine import Database

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BOB = RequestOrigin(NOW, "bob", "user", "req_1", "10.0.0.1")


SINCE, UNTIL = "2026-01-01T00:00:10Z", "2026-01-01T00:00:20Z"
_ENTRIES = 20_000
"""So many that PostgreSQL would rather take an index than read them all."""


@pytest.fixture(scope="module")
def filled(shared_database: Database) -> Database:
    """With entries a second apart, of many actors, actions and jobs."""
    rare = ("job.cancel", "job.edit", "jobs.x", "token.create")
    actions = (*rare, *(["sweep.create"] * 93))
    with shared_database.write() as tx:
        for number in range(_ENTRIES):
            at = NOW + timedelta(seconds=number)
            origin = RequestOrigin(at, f"actor_{number % 99}", "user", "req_1", None)
            audit.note_all(tx, [Act(actions[number % 97], f"job_{number % 999}", None, origin)])
        tx.exec_driver_sql(
            "ANALYZE audit_entries" if tx.dialect.name == "postgresql" else "SELECT 1"
        )
    return shared_database


@pytest.mark.parametrize("before", [None, 10_000])
@pytest.mark.parametrize(
    ("selection", "index"),
    [
        ({}, "created_at_number"),
        ({"since": SINCE}, "created_at_number"),
        ({"until": UNTIL}, "created_at_number"),
        ({"since": SINCE, "until": UNTIL}, "created_at_number"),
        ({"actor": "actor_1"}, "actor_created_at_number"),
        ({"actor": "actor_1", "until": UNTIL}, "actor_created_at_number"),
        ({"subject": "job_1", "since": SINCE}, "subject_created_at_number"),
        ({"action": "job.cancel", "until": UNTIL}, "action_created_at_number"),
        ({"action": "job", "until": UNTIL}, "action_created_at_number"),
        ({"action": "token"}, "action_created_at_number"),
    ],
    ids=str,
)
def test_a_page_is_read_by_an_index_in_its_order(
    filled: Database, selection: dict[str, Any], index: str, before: int | None
) -> None:
    with filled.read() as tx:
        audit.page(tx, AuditSelection(**selection), before, 50)
        plans = plans_of(tx, lambda: audit.page(tx, AuditSelection(**selection), before, 50))
    plan = plans[-1]
    scans = [step for step in plan if "audit_entries" in step]
    if not filled.is_sqlite:
        # It knows how many rows a filter means, and may take the index of a narrower one.
        assert any("ix_audit_entries_" in step for step in scans), plan
        assert not any("Seq Scan" in step or "pk_audit_entries" in step for step in scans), plan
        return
    assert scans
    assert all(f"ix_audit_entries_{index}" in step for step in scans), plan
    # Only what several parts have found is put in order once more, and each of them is cut.
    assert selection.get("action") == "job" or "TEMP B-TREE" not in str(plan), plan


@pytest.mark.parametrize("action", ["job.cancel", "job"])
def test_one_thing_s_entries_are_found_by_it_also_where_an_action_is_asked_for(
    filled: Database, action: str
) -> None:
    selection = AuditSelection(subject="job_1", action=action, actor="actor_1", since=SINCE)
    with filled.read() as tx:
        audit.page(tx, selection, None, 50)
        plan = plans_of(tx, lambda: audit.page(tx, selection, None, 50))[-1]
    assert any("ix_audit_entries_subject_created_at_number" in step for step in plan), plan


def test_pages_are_in_the_order_of_times_and_go_on_where_the_last_one_ended(
    database: Database,
) -> None:
    # Of two requests at once the later one may be stored first.
    seconds = (5, 3, 3, 9, 1)
    with database.write() as tx:
        for second in seconds:
            origin = RequestOrigin(NOW + timedelta(seconds=second), "bob", "user", "req_1", None)
            audit.note_all(tx, [Act("job.cancel", "job_1", None, origin)])
    in_order = [4, 1, 3, 2, 5]
    with database.read() as tx:
        entire = audit.page(tx, AuditSelection(), None, 9)
        assert [entry.number for entry in entire] == in_order
        for place, number in enumerate(in_order, 1):
            rest = audit.page(tx, AuditSelection(action="job"), number, 9)
            assert [entry.number for entry in rest] == in_order[place:]
        assert [entry.number for entry in audit.page(tx, AuditSelection(), 99, 9)] == in_order


def test_a_page_goes_on_where_the_entry_that_it_begins_after_was_removed(
    database: Database,
) -> None:
    with database.write() as tx:
        for second in range(4):
            origin = RequestOrigin(NOW + timedelta(seconds=second), "bob", "user", "req_1", None)
            audit.note_all(tx, [Act("job.cancel", "job_1", None, origin)])
        tx.exec_driver_sql("DELETE FROM audit_entries WHERE number = 3")
        found = audit.page(tx, AuditSelection(), 3, 9)
    assert [entry.number for entry in found] == [2, 1]


def test_a_batch_of_the_pruner_removes_the_oldest_and_no_more_than_it_may(
    database: Database,
) -> None:
    with database.write() as tx:
        for day in (0, 0, 9, 9, 0):
            at = NOW + timedelta(days=day)
            origin = RequestOrigin(at, "bob", "user", "req_1", None)
            audit.note_all(tx, [Act("job.cancel", "job_1", None, origin)])
    later = NOW + timedelta(days=1)
    for removed in (2, 1, 0):
        with database.write() as tx:
            assert audit.delete_before(tx, later, 2) == removed
    with database.read() as tx:
        assert [entry.number for entry in audit.page(tx, AuditSelection(), None, 9)] == [4, 3]
    with database.write() as tx:
        assert audit.delete_before(tx, NOW + timedelta(days=10), 9) == 2


def test_what_no_request_causes_is_not_noted_and_what_is_too_long_is_cut(
    database: Database,
) -> None:
    assert ORIGIN.get() is None
    with database.write() as tx:
        audit.note(tx, "job.cancel", "job_1")
        before = ORIGIN.set(BOB)
        audit.note(tx, "job.edit", "job_2", "x" * 1000 + "\0")
        ORIGIN.reset(before)
    with database.read() as tx:
        (entry,) = audit.page(tx, AuditSelection(), None, 9)
    assert (entry.subject, entry.actor, entry.address) == ("job_2", "bob", "10.0.0.1")
    assert entry.detail == "x" * (DETAIL_LENGTH - 1) + "…"


def test_a_word_without_a_dot_means_all_actions_of_its_kind_and_no_other(
    database: Database,
) -> None:
    acts = ("job.cancel", "job.edit", "jobs.x", "token.create")
    with database.write() as tx:
        audit.note_all(tx, [Act(action, None, None, BOB) for action in acts])
    with database.read() as tx:
        for word, found in (("job", ["job.edit", "job.cancel"]), ("job.edit", ["job.edit"])):
            page = audit.page(tx, AuditSelection(action=word), None, 9)
            assert [entry.action for entry in page] == found
