from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from api_tests.support.specs import complete_spec
from service.contract.agent import ClaimRequest
from service.contract.audit import AuditSelection
from service.contract.jobs import Progress
from service.control.leases import claims
from service.store import audit, webhooks
from service.store.access_tables import audit_entries
from service.store.engine import Database
from service.store.migrate import upgrade

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_an_upgrade_runs_with_jobs_in_the_queue(empty_url: str) -> None:
    database = Database(empty_url)
    with database.write() as tx:
        upgrade(tx, "0001")
        for number, priority in ((1, 0), (2, 5)):
            tx.execute(sa.text(_JOB), _job_of_0001(number, priority))
        tx.execute(sa.text(_WORKER), {"now": NOW})
    with database.migrate() as tx:
        upgrade(tx)
    with database.write() as tx:
        request = ClaimRequest(worker_id="wrk_1", request_id="r", free_slots=1)
        claimed = [
            claims.claim(
                tx,
                request.model_copy(update={"request_id": f"r{number}"}),
                token="t",
                now=NOW,
            )
            for number in range(3)
        ]
    database.close()
    assert [claim.job_id if claim else None for claim in claimed] == ["job_2", "job_1", None]


def test_a_webhook_of_before_there_were_rotations_signs_on(empty_url: str) -> None:
    database = Database(empty_url)
    with database.write() as tx:
        upgrade(tx, "0022")
        tx.execute(sa.text(_WEBHOOK), {"now": NOW, "enabled": True})
    with database.migrate() as tx:
        upgrade(tx)
    with database.read() as tx:
        stored = webhooks.get(tx, "whk_1")
    database.close()
    assert stored is not None
    assert stored.signing_secrets(NOW) == ("whsec_old",)


def test_the_audit_list_of_before_it_had_an_order_by_time_is_read_in_it(empty_url: str) -> None:
    database = Database(empty_url)
    with database.write() as tx:
        upgrade(tx, "0028")
        for hours in (1, 3, 2):
            values = {"at": NOW + timedelta(hours=hours), "subject": f"job_{hours}"}
            tx.execute(sa.text(_AUDIT_ENTRY), values)
    with database.migrate() as tx:
        upgrade(tx)
    with database.read() as tx:
        page = audit.page(tx, AuditSelection(since="2026-01-01T01:30:00Z"), None, 9)
        indexes = {index["name"] for index in sa.inspect(tx).get_indexes("audit_entries")}
    database.close()
    assert [entry.subject for entry in page] == ["job_3", "job_2"]
    assert indexes == {index.name for index in audit_entries.indexes}


def test_a_part_that_was_made_before_lists_left_them_out_is_left_out(empty_url: str) -> None:
    database = Database(empty_url)
    part, published = '{"params": {"publish": false}}', '{"params": {}}'
    label = '{"part_of": "job_1"}'
    rows = {
        "job_1": ("search", published, "{}"),
        "job_2": ("search", part, label),
        "job_3": ("search", published, label),
        "job_4": ("train", part, label),
        "job_5": ("search", part, "{}"),
        "job_6": ("search", "[1]", "7"),
    }
    with database.write() as tx:
        upgrade(tx, "0028")
        if tx.dialect.name == "sqlite":
            rows["job_7"] = ("search", "no JSON", "no JSON")
        for job_id, (kind, spec, labels) in rows.items():
            values = {"id": job_id, "kind": kind, "spec": spec, "labels": labels, "now": NOW}
            tx.execute(sa.text(_JOB_OF_0028), values)
    with database.migrate() as tx:
        upgrade(tx)
    with database.read() as tx:
        parts = tx.execute(sa.text("SELECT id, part_of FROM jobs WHERE part_of IS NOT NULL")).all()
    database.close()
    assert [tuple(row) for row in parts] == [("job_2", "job_1")]


_JOB_OF_0028 = (
    "INSERT INTO jobs (id, kind, labels, state, created_at, queue_order, gpus, needs, spec,"
    " progress, metrics, attempt, failures, worker_losses, version) VALUES (:id, :kind, :labels,"
    " 'failed', :now, 0, 0, '{}', :spec, '{}', '{}', 0, 0, 0, 1)"
)
_WEBHOOK = (
    "INSERT INTO webhooks (id, url, format, events, labels, secret, enabled, created_at) VALUES"
    " ('whk_1', 'https://1.1.1.1', 'standard', '[]', '{}', 'whsec_old', :enabled, :now)"
)
_AUDIT_ENTRY = (
    "INSERT INTO audit_entries (created_at, action, subject) VALUES (:at, 'job.submit', :subject)"
)
_JOB = (
    "INSERT INTO jobs (id, kind, recipe, variant, labels, state, created_at, priority, gpus, spec,"
    " progress, metrics, attempt, failures, losses, version) VALUES (:id, 'train', 'oneshot',"
    " 'searched', '{}', 'queued', :now, :priority, 0, :spec, :progress, '{}', 0, 0, 0, 1)"
)
_WORKER = (
    "INSERT INTO workers (id, host, process, gpus, labels, slots, version, state, registered_at,"
    """ last_seen_at) VALUES ('wrk_1', 'h', '{}', '[]', '{"zone": "a"}', 4, '', 'active',"""
    " :now, :now)"
)


def _job_of_0001(number: int, priority: int) -> dict[str, object]:
    submission = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}
    needs = {"resources": {"labels": {"zone": "a"}}, "priority": priority}
    return {
        "id": f"job_{number}",
        "now": NOW,
        "priority": priority,
        "spec": complete_spec(submission | needs).model_dump_json(),
        "progress": Progress(total_steps=1).model_dump_json(),
    }
