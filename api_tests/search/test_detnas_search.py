"""The search of a supernet whose paths are of one of several spaces of their recipe."""

from pathlib import Path

import pytest

from api_tests.support.attempts import (
    as_checkpoint,
    attempt,
    checkpoints_in,
    ended,
    final_folder,
    run,
)
from api_tests.support.digit_searches import CHOICES, DIGITS, trained_supernet


@pytest.mark.parametrize(
    ("space", "choices", "macs_limit"),
    [("300M", CHOICES, 6_357_440), ("1.3G", ["01"] * 40, 22_700_000)],
    ids=["300M", "1.3G"],
)
def test_what_a_search_of_detnas_leaves_has_exactly_its_error(
    tmp_path: Path, space: str, choices: list[str], macs_limit: int
) -> None:
    supernet = trained_supernet(
        tmp_path, f"detnas_supernet_{space}", space, total_iters=4, choices=choices
    )
    few = {"generations": 1, "population": 2, "parents": 1, "mutations": 0, "crossovers": 0}
    searched = supernet.searched(**few, fitness_images=360, macs_limit=macs_limit)
    assert all(each.multiply_adds <= macs_limit for each in searched.table)
    best, folder = searched.result["best"], final_folder(tmp_path, searched.job_id)
    ((_, manifest),) = checkpoints_in(folder)
    variant = f"{space}.path-b{best['blocks']}"
    assert (manifest.recipe, manifest.variant) == ("detnas", variant)
    spec = {
        "kind": "eval",
        "recipe": "detnas",
        "variant": variant,
        "data": DIGITS,
        "checkpoint": {"id": manifest.checkpoint_id},
    }
    weights = as_checkpoint(tmp_path, folder)
    job_id = supernet.new_job()
    evaluated = ended(run(attempt(tmp_path, job_id=job_id, spec=spec, weights=weights)))
    for name in ("loss", "top1_error", "top5_error"):
        assert evaluated["result"][name] == best[name] == manifest.metrics[name]
