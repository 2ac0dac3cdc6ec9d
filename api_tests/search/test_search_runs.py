"""Searches as attempts: the same table whatever happens to them, and what they leave."""

import csv
import hashlib
import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from statistics import median

import numpy as np
import pytest

from api_tests.support.attempts import (
    as_checkpoint,
    attempt,
    ended,
    final_digest,
    final_folder,
    kill,
    run,
    start,
    until,
)
from api_tests.support.digit_searches import (
    CHOICES,
    DIGITS,
    SEARCH,
    Searched,
    TrainedSupernet,
    found,
    known,
)
from api_tests.support.event_files import points_of, read_run, runs_in
from service.contract.agent import ReportedEvent
from service.contract.candidates import Candidate
from service.contract.path_costs import PathCosts
from service.contract.search_params import SearchParams
from service.domain.search_results import summary_of
from workers.attempt_dir import AttemptDir
from workers.checkpoints.folder import checkpoints_in
from workers.recipes.oneshot.space import SPACE
from workers.search.allowed_paths import AllowedPaths
from workers.search.path_pictures import choices_png, front_png
from workers.search.picture import candidates_png, generations_png

pytestmark = pytest.mark.xdist_group("training")


def test_the_table_does_not_depend_on_groups_and_ranks(
    supernet: TrainedSupernet, alone: Searched
) -> None:
    assert [candidate.order for candidate in alone.table] == list(range(15))
    assert len({candidate.loss for candidate in alone.table}) == alone.result["distinct"] > 10
    assert alone.result["best"]["loss"] == min(_losses(alone.table))
    for ranks, at_once in ((1, 8), (1, 50), (2, 2)):
        other = supernet.searched(ranks, at_once=at_once)
        assert other.table == alone.table
        assert _digest(supernet, other.job_id) == _digest(supernet, alone.job_id)


def test_the_table_does_not_depend_on_threads(supernet: TrainedSupernet, alone: Searched) -> None:
    attempt_dir = supernet.attempt(supernet.spec(at_once=4), supernet.new_job())
    command = [sys.executable, "-m", "workers.runs", str(attempt_dir.spec_path)]
    subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "2"}, check=True)
    assert found(attempt_dir.events_after(0)) == alone.table


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_killed_search_ends_as_one_that_was_left_alone(
    supernet: TrainedSupernet, alone: Searched, ranks: int
) -> None:
    job_id, spec = supernet.new_job(), supernet.spec(at_once=1)
    # In the first generation, and in a later one.
    events = _killed_after(2, supernet.attempt(spec, job_id, 1), ranks)
    second = supernet.attempt(spec, job_id, 2, candidates=known(events))
    events = _killed_after(7, second, ranks)
    third = supernet.attempt(spec, job_id, 3, candidates=known(events))
    events = run(third, ranks=ranks)
    assert found(events) == alone.table
    result = ended(events)["result"]
    assert result["best"] == alone.result["best"]
    same = {"candidates.csv", "search.png", "generations.png", "front.png", "choices.png"}
    assert {*result["files"]} == {*same, "search.json"}
    for name in same:
        assert result["files"][name] == alone.result["files"][name]
    assert _digest(supernet, job_id) == _digest(supernet, alone.job_id)


def _killed_after(candidates: int, attempt_dir: AttemptDir, ranks: int) -> list[ReportedEvent]:
    """The events of an attempt of which each rank is killed once so many are known."""
    processes = start(attempt_dir, ranks=ranks)
    until(lambda: len(found(attempt_dir.events_after(0))) >= candidates, processes)
    kill(processes)
    events = attempt_dir.events_after(0)
    assert candidates <= len(found(events)) < 15
    return events


def _digest(supernet: TrainedSupernet, job_id: str) -> str:
    return final_digest(supernet.volume, job_id)


def test_what_is_known_is_reported_and_not_measured(
    supernet: TrainedSupernet, alone: Searched
) -> None:
    others = tuple(each.model_copy(update={"top1_error": 0.5}) for each in known(alone.events))
    attempt_dir = supernet.attempt(supernet.spec(), supernet.new_job(), candidates=others)
    events = run(attempt_dir)
    assert [each.blocks for each in found(events)] == [each.blocks for each in alone.table]
    assert {each.top1_error for each in found(events)} == {0.5}
    # The best is measured for its statistics, and another value is told.
    notes = [event.body["message"] for event in events if event.kind == "note"]
    assert any("another device" in note for note in notes)


def test_the_own_network_of_the_best_has_exactly_its_error(
    supernet: TrainedSupernet,
) -> None:
    searched = supernet.searched(fitness_images=360)
    best, result = searched.result["best"], searched.result
    folder = final_folder(supernet.volume, searched.job_id)
    ((_, manifest),) = checkpoints_in(folder)
    assert (manifest.recipe, manifest.variant) == ("oneshot", f"b{best['blocks']}")
    assert (manifest.checkpoint_id, manifest.phase) == (result["checkpoint_id"], "final")
    spec = {
        "kind": "eval",
        "recipe": "oneshot",
        "variant": manifest.variant,
        "data": DIGITS,
        "checkpoint": {"id": manifest.checkpoint_id},
    }
    weights = as_checkpoint(supernet.volume, folder)
    job_id = supernet.new_job()
    evaluated = ended(run(attempt(supernet.volume, job_id=job_id, spec=spec, weights=weights)))
    for name in ("loss", "top1_error", "top5_error"):
        assert evaluated["result"][name] == best[name] == manifest.metrics[name] == result[name]
    assert evaluated["result"]["samples"] == 360


def test_the_files_have_every_candidate(supernet: TrainedSupernet, alone: Searched) -> None:
    folder = supernet.volume / "jobs" / alone.job_id / "attempts" / "1" / "files"
    for name, digest in alone.result["files"].items():
        body = (folder / name).read_bytes()
        assert (len(body), hashlib.sha256(body).hexdigest()) == tuple(digest.values())
    whole = json.loads((folder / "search.json").read_text())
    assert whole["candidates"] == [each.model_dump(mode="json") for each in alone.table]
    assert whole["best"] == alone.result["best"]
    assert whole["checkpoint_id"] == alone.result["checkpoint_id"]
    with (folder / "candidates.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["blocks"] for row in rows] == [each.blocks for each in alone.table]
    assert [float(row["loss"]) for row in rows] == [each.loss for each in alone.table]
    params, stages = SearchParams.model_validate(SEARCH), (4, 4, 8, 4)
    summary = summary_of(alone.job_id, params, alone.table, recipe=None, space=None)
    shown = summary.model_dump(mode="json", include={"front", "generations"})
    assert {name: whole[name] for name in shown} == shown
    most = PathCosts.of(SPACE, 32, 10).most(CHOICES)
    drawn = candidates_png(alone.table, Candidate.model_validate(whole["best"]), params, most)
    assert (folder / "search.png").read_bytes() == drawn
    assert (folder / "generations.png").read_bytes() == generations_png(alone.table, params)
    assert (folder / "front.png").read_bytes() == front_png(alone.table, params, stages)
    assert (folder / "choices.png").read_bytes() == choices_png(alone.table, params, stages)


def test_each_generation_has_its_median_and_the_best_so_far_for_tensorboard(
    supernet: TrainedSupernet, alone: Searched
) -> None:
    params = SearchParams.model_validate(SEARCH)
    expected = summary_of(alone.job_id, params, alone.table, recipe=None, space=None).generations
    steps = (5, 10, 15)
    best = [
        min(each.loss for each in alone.table[:step] if each.loss is not None) for step in steps
    ]
    metrics = [event.body for event in alone.events if event.kind == "metrics"]
    assert metrics == [
        {"step": step, "metrics": {"best_loss": value, "median_loss": each.median}}
        for step, value, each in zip(steps, best, expected, strict=True)
    ]
    (folder,) = runs_in(supernet.volume / "jobs" / alone.job_id)
    assert folder.name == "supernet-oneshot"
    assert points_of(folder, "best_loss") == [
        (step, pytest.approx(value)) for step, value in zip(steps, best, strict=True)
    ]
    shown = read_run(folder)
    assert [each.step for each in shown.Scalars("median_loss")] == list(steps)
    text = shown.Tensors("parameters/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "| population | `5` |" in text
    given = supernet.searched(candidates=[alone.table[0].blocks])
    assert not runs_in(supernet.volume / "jobs" / given.job_id)
    assert not any(event.kind == "metrics" for event in given.events)


def test_given_candidates_are_measured_instead_of_a_search(
    supernet: TrainedSupernet, alone: Searched
) -> None:
    given = [each.blocks for each in alone.table[4:1:-1]]
    searched = supernet.searched(candidates=[*given, given[0]])
    assert [each.blocks for each in searched.table] == given
    assert {(each.origin, each.generation) for each in searched.table} == {("given", 0)}
    assert searched.result["ended"] == "all candidates given"
    assert "generations.png" not in searched.result["files"]
    expected = {each.blocks: each.loss for each in alone.table}
    assert all(each.loss == expected[each.blocks] for each in searched.table)


def test_a_search_whose_space_has_no_more_ends_well(supernet: TrainedSupernet) -> None:
    # Of three paths at most.
    costs = PathCosts.of(SPACE, 32, 10)
    least = AllowedPaths(costs, CHOICES, 1).least
    searched = supernet.searched(macs_limit=least + 3000, population=20, mutations=0, crossovers=0)
    assert searched.result["ended"] == "the space has no more"
    assert 1 <= searched.result["evaluated"] == len(searched.table) < 20
    assert all(each.multiply_adds <= least + 3000 for each in searched.table)


def test_a_search_finds_better_paths_than_as_many_random_ones_have_in_the_middle(
    supernet: TrainedSupernet,
) -> None:
    images = {"recalibration_batches": 3, "recalibration_batch_size": 32, "fitness_images": 128}
    bred = {"generations": 5, "population": 6, "parents": 2, "mutations": 4, "crossovers": 1}
    searched = supernet.searched(**images, **bred, at_once=6)
    generator = np.random.RandomState(99)
    paths = AllowedPaths(PathCosts.of(SPACE, 32, 10), CHOICES, SEARCH["macs_limit"])
    drawn: set[str] = set()
    while len(drawn) < len(searched.table):
        drawn.add(paths.path_within(generator))
    scored = supernet.searched(candidates=sorted(drawn), **images, at_once=6)
    middle = median(_losses(scored.table))
    assert min(_losses(searched.table)) < middle
    # Nor by luck alone: what is bred is better than what is drawn.
    children = [each for each in searched.table if each.origin != "random"]
    assert median(_losses(children)) < middle


def _losses(table: Sequence[Candidate]) -> list[float]:
    return [each.loss if each.loss is not None else math.inf for each in table]
