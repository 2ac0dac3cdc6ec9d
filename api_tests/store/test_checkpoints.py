from datetime import UTC, datetime, timedelta
from itertools import chain, combinations
from typing import Any

import pytest
from sqlalchemy import Connection

from api_tests.support.manifests import a_checkpoint, a_manifest
from api_tests.support.query_plans import plan_of
from service.store import checkpoint_search, checkpoints
from service.store.checkpoint_search import CheckpointFilter
from service.store.engine import Database

START = datetime(2026, 1, 1, tzinfo=UTC)
FIELDS = ("job", "recipe", "variant")
FORMS = list(chain.from_iterable(combinations(FIELDS, count) for count in range(4)))


def test_the_latest_of_a_job_has_the_highest_step_whenever_it_came(database: Database) -> None:
    with database.write() as tx:
        add(tx, "job_1", 20, after=0)
        add(tx, "job_1", 9, after=60)
        assert latest_step(tx, job="job_1") == 20


def test_final_weights_are_later_than_the_training_state_of_their_step(
    database: Database,
) -> None:
    with database.write() as tx:
        add(tx, "job_1", 20, phase="final")
        add(tx, "job_1", 20, after=60)
        found = checkpoint_search.latest(tx, CheckpointFilter(job="job_1"))
    assert found is not None
    assert found.phase == "final"


def test_of_two_attempts_at_one_step_the_later_is_the_latest(database: Database) -> None:
    with database.write() as tx:
        add(tx, "job_1", 20, attempt=2)
        add(tx, "job_1", 20, attempt=1, after=60)
        found = checkpoint_search.latest(tx, CheckpointFilter(job="job_1"))
    assert found is not None
    assert found.attempt == 2


def test_over_jobs_the_latest_was_created_last(database: Database) -> None:
    with database.write() as tx:
        add(tx, "job_1", 900, after=0)
        add(tx, "job_2", 5, after=60)
        assert latest_step(tx) == 5


def test_the_latest_is_of_the_recipe_and_variant_that_are_asked_for(database: Database) -> None:
    small = {"recipe": "shufflenet_v2", "variant": "0.5x"}
    large = {"recipe": "shufflenet_v2", "variant": "2.0x"}
    with database.write() as tx:
        add(tx, "job_1", 1, **small)
        add(tx, "job_2", 2, after=60, **large)
        add(tx, "job_3", 3, after=120)
        assert latest_step(tx, recipe="shufflenet_v2") == 2
        assert latest_step(tx, **small) == 1
        assert latest_step(tx, job="job_3", recipe="shufflenet_v2") is None
        assert latest_step(tx, variant="0.5x") == 1


@pytest.mark.parametrize("state", ["damaged", "purging", "purged"])
def test_what_is_not_published_is_never_the_latest(database: Database, state: str) -> None:
    with database.write() as tx:
        add(tx, "job_1", 1)
        add(tx, "job_1", 2, after=60, state=state)
        assert latest_step(tx) == latest_step(tx, job="job_1") == 1


@pytest.mark.parametrize("fields", FORMS, ids=lambda fields: "+".join(fields) or "all")
def test_every_form_of_latest_reads_the_first_row_of_an_index(
    sqlite: Database, fields: tuple[str, ...]
) -> None:
    values = {"job": "job_1", "recipe": "oneshot", "variant": "searched"}
    with sqlite.write() as tx:
        for step in range(50):
            add(tx, f"job_{step % 5}", step)
        wanted = CheckpointFilter(**{name: values[name] for name in fields})
        plan = plan_of(tx, lambda: checkpoint_search.latest(tx, wanted))
    (only,) = plan
    assert only.startswith("SEARCH checkpoints USING INDEX ix_checkpoints_"), plan


def test_pages_have_no_gap_and_no_repeat_while_checkpoints_are_added(database: Database) -> None:
    with database.write() as tx:
        for number in range(10):
            # Some have the very same time.
            add(tx, "job_1", number, after=number // 3)
        seen, after = [], None
        while True:
            page = checkpoint_search.page(tx, CheckpointFilter(after=after, limit=3))
            seen += [checkpoint.step for checkpoint in page[:3]]
            add(tx, "job_2", 100 + len(seen), after=1000 + len(seen))
            if len(page) <= 3:
                break
            after = page[2].id
    assert seen == list(range(9, -1, -1))


def test_only_what_was_to_go_can_be_marked_as_purged(database: Database) -> None:
    with database.write() as tx:
        published = add(tx, "job_1", 1)
        purging = add(tx, "job_1", 2, state="purging")
        assert checkpoints.mark_purged(tx, "job_2", [purging]) == 0
        assert checkpoints.mark_purged(tx, "job_1", [published, purging]) == 1
        found = [checkpoints.get(tx, checkpoint_id) for checkpoint_id in (published, purging)]
    assert [checkpoint and checkpoint.state for checkpoint in found] == ["published", "purged"]


def test_a_checkpoint_reads_back_with_its_manifest_and_files(database: Database) -> None:
    manifest = a_manifest("job_1", 7, metrics={"top1_error": 0.25})
    checkpoint = a_checkpoint(manifest, tags=("kept",), pinned=True)
    with database.write() as tx:
        checkpoints.add(tx, checkpoint, manifest)
        found = checkpoints.get(tx, checkpoint.id)
    assert found == checkpoint.model_copy(update={"manifest": manifest.model_dump(mode="json")})


def add(tx: Connection, job_id: str, step: int, *, after: float = 0, **fields: Any) -> str:
    state = fields.pop("state", "published")
    created = START + timedelta(seconds=after)
    manifest = a_manifest(job_id, step, created_at=created, **fields)
    checkpoints.add(tx, a_checkpoint(manifest, state=state), manifest)
    return manifest.checkpoint_id


def latest_step(tx: Connection, **wanted: str) -> int | None:
    found = checkpoint_search.latest(tx, CheckpointFilter(**wanted))
    return found.step if found is not None else None
