from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from sqlalchemy import Connection

from api_tests.support.manifests import a_checkpoint, a_manifest
from api_tests.support.query_plans import plan_of
from service.contract.checkpoints import Measured, SortKey
from service.store import checkpoint_search, checkpoints, lineage
from service.store.checkpoint_search import CheckpointFilter
from service.store.engine import Database

ORDERS = get_args(SortKey)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("narrowed", [{}, {"recipe": "oneshot"}], ids=["all", "of a recipe"])
@pytest.mark.parametrize("after", [None, "ckpt_job_2_1_train_20"], ids=["first", "next"])
def test_every_page_starts_in_an_index_and_sorts_nothing(
    sqlite: Database, order: Any, narrowed: dict[str, str], after: str | None
) -> None:
    with sqlite.write() as tx:
        fill(tx)
        wanted = CheckpointFilter(**narrowed, after=after, order_by=order)
        plan = plan_of(tx, lambda: checkpoint_search.page(tx, wanted))
    sorted_by = order.removeprefix("-").removeprefix("metrics.")
    index = "_".join(("ix_checkpoints", *narrowed, sorted_by))
    assert f"USING INDEX {index} " in f"{plan[0]} ", plan
    assert not [line for line in plan if "TEMP B-TREE" in line], plan


@pytest.mark.parametrize("metric", get_args(Measured))
@pytest.mark.parametrize("narrowed", [{}, {"recipe": "oneshot"}], ids=["all", "of a recipe"])
def test_the_best_is_the_first_of_an_index(
    sqlite: Database, metric: Any, narrowed: dict[str, str]
) -> None:
    with sqlite.write() as tx:
        fill(tx)
        wanted = CheckpointFilter(**narrowed)
        plan = plan_of(tx, lambda: checkpoint_search.best(tx, wanted, metric))
    index = "_".join(("ix_checkpoints", *narrowed, metric))
    assert f"USING INDEX {index} " in f"{plan[0]} ", plan
    # Only what has the very same value is sorted, by age.
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan


def test_a_tag_and_the_children_are_found_by_an_index(sqlite: Database) -> None:
    with sqlite.write() as tx:
        fill(tx)
        tagged = plan_of(tx, lambda: checkpoint_search.page(tx, CheckpointFilter(tag="paper")))
        children = plan_of(tx, lambda: lineage.children_of(tx, "ckpt_job_2_1_train_20"))
    assert any("checkpoint_tags" in line and "tag=?" in line for line in tagged), tagged
    assert "USING INDEX ix_checkpoints_parent_checkpoint" in children[0], children


def test_the_pinned_ones_are_found_by_an_index_of_their_own(sqlite: Database) -> None:
    with sqlite.write() as tx:
        fill(tx)
        plan = plan_of(tx, lambda: checkpoint_search.page(tx, CheckpointFilter(pinned=True)))
    assert "USING INDEX ix_checkpoints_pinned" in plan[0], plan
    assert not [line for line in plan if "TEMP B-TREE" in line], plan


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "narrowed", [{"retained": True}, {"retained": False}, {"state": "purged"}, {"phase": "final"}]
)
def test_a_page_of_those_that_are_many_is_read_in_its_order_and_not_sorted(
    sqlite: Database, order: Any, narrowed: dict[str, Any]
) -> None:
    with sqlite.write() as tx:
        fill(tx)
        wanted = CheckpointFilter(**narrowed, order_by=order)
        plan = plan_of(tx, lambda: checkpoint_search.page(tx, wanted))
    assert not [line for line in plan if "TEMP B-TREE" in line], plan


@pytest.mark.parametrize("state", ["damaged", "purging", "deleting"])
def test_those_in_a_rare_state_are_found_by_its_index(sqlite: Database, state: Any) -> None:
    with sqlite.write() as tx:
        fill(tx)
        wanted = CheckpointFilter(state=state, order_by="metrics.loss")
        plan = plan_of(tx, lambda: checkpoint_search.page(tx, wanted))
    assert "USING INDEX ix_checkpoints_newest (state=?" in plan[0], plan


@pytest.mark.parametrize("order", ORDERS)
def test_pages_in_any_order_have_no_gap_and_no_repeat(database: Database, order: Any) -> None:
    with database.write() as tx:
        fill(tx)
        seen: list[str] = []
        after = None
        while True:
            page = checkpoint_search.page(
                tx, CheckpointFilter(after=after, limit=7, order_by=order)
            )
            seen += [checkpoint.id for checkpoint in page[:7]]
            if len(page) <= 7:
                break
            after = page[6].id
        whole = checkpoint_search.page(tx, CheckpointFilter(limit=100, order_by=order))
    assert seen == [checkpoint.id for checkpoint in whole]
    assert len(seen) == len(set(seen)) == (40 if "metrics" in order else 50)


@pytest.mark.parametrize("state", ["damaged", "purging", "deleting", "purged"])
def test_what_is_not_published_is_never_the_best(database: Database, state: Any) -> None:
    with database.write() as tx:
        fill(tx)
        first = checkpoint_search.best(tx, CheckpointFilter(), "top1_error")
        assert first is not None
        checkpoints.mark(tx, [first.id], state)
        second = checkpoint_search.best(tx, CheckpointFilter(), "top1_error")
    assert second is not None
    assert second.id != first.id


def test_of_equal_ones_the_best_is_the_newest(database: Database) -> None:
    with database.write() as tx:
        for step in (1, 2, 3):
            manifest = a_manifest("job_1", step, metrics={"loss": 0.5})
            checkpoints.add(tx, a_checkpoint(manifest), manifest)
        for wanted in (CheckpointFilter(), CheckpointFilter(job="job_1")):
            for highest in (False, True):
                best = checkpoint_search.best(tx, wanted, "loss", highest=highest)
                assert best is not None
                assert best.step == 3


def fill(tx: Connection) -> None:
    """Fifty in five jobs; every fifth was not measured, and some errors are equal."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for step in range(50):
        error = {"top1_error": step % 7 / 10, "top5_error": step % 3 / 10, "loss": step / 100}
        manifest = a_manifest(
            f"job_{step % 5}",
            step,
            created_at=start + timedelta(seconds=step // 2),
            metrics={} if step % 5 == 4 else error,
        )
        tags = ("paper",) if step == 20 else ()
        checkpoints.add(tx, a_checkpoint(manifest, tags=tags), manifest)
