"""The audit list as rows: what is found without a look at all of them, and what is cut."""

from datetime import UTC, datetime, timedelta

import pytest

from api_tests.support.query_plans import plans_of
from service.contract.audit import DETAIL_LENGTH, AuditSelection
from service.contract.request_origin import ORIGIN, RequestOrigin
from service.store import audit
from service.store.audit import Act
from service.store.engine import Database

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BOB = RequestOrigin(NOW, "bob", "user", "req_1", "10.0.0.1")


@pytest.mark.parametrize(
    ("selection", "index"),
    [
        (AuditSelection(actor="bob"), "ix_audit_entries_actor_number (actor=? AND number<?)"),
        (
            AuditSelection(subject="job_1"),
            "ix_audit_entries_subject_number (subject=? AND number<?)",
        ),
        (
            AuditSelection(action="job.cancel"),
            "ix_audit_entries_action_number (action=? AND number<?)",
        ),
        (AuditSelection(), "INTEGER PRIMARY KEY (rowid<?)"),
    ],
)
def test_a_page_is_read_by_an_index_in_its_order(
    sqlite: Database, selection: AuditSelection, index: str
) -> None:
    with sqlite.read() as tx:
        # The first statement begins the transaction.
        plan = plans_of(tx, lambda: audit.page(tx, selection, 100, 50))[-1]
    assert len(plan) == 1, plan
    assert index in plan[0]


def test_a_batch_of_the_pruner_looks_at_no_more_rows_than_it_may_remove(
    database: Database,
) -> None:
    with database.write() as tx:
        for day in (0, 0, 9, 9, 0):
            at = NOW + timedelta(days=day)
            origin = RequestOrigin(at, "bob", "user", "req_1", None)
            audit.note_all(tx, [Act("job.cancel", "job_1", None, origin)])
    later = NOW + timedelta(days=1)
    for removed in (2, 0):
        with database.write() as tx:
            assert audit.delete_before(tx, later, 2) == removed
    with database.read() as tx:
        assert [entry.number for entry in audit.page(tx, AuditSelection(), None, 9)] == [5, 4, 3]
    with database.write() as tx:
        assert audit.delete_before(tx, NOW + timedelta(days=9), 9) == 1


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
