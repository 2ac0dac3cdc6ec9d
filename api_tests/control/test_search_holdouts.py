"""A search measures with images that its supernet has not seen, nor one from which that came."""

from typing import Any

import pytest

from api_tests.support.control_agent import Agent
from api_tests.support.search_fixtures import supernet
from api_tests.support.searches import SUPERNET, a_search, a_supernet, refusal
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import Job
from service.contract.search_params import SearchParams
from service.contract.submissions import Submission
from service.control.jobs.submission import explain
from service.domain import search_checks
from service.domain.errors import Unprocessable

__all__ = ["supernet"]


def test_images_that_the_supernet_was_trained_with_measure_nothing(
    control_plane: ControlPlane, supernet: Job
) -> None:
    pointer, message = refusal(control_plane, a_search(supernet, params={"holdout_every": 25}))
    assert pointer == "/params/holdout_every"
    assert "was trained with 0: it has seen every training image; leave holdout_every" in message


def test_no_supernet_has_seen_the_validation_split() -> None:
    search_checks.require_holdout(SearchParams(holdout_every=0), {"holdout_every": 25})
    with pytest.raises(Unprocessable, match="every training image but each 25th; leave"):
        search_checks.require_holdout(SearchParams(holdout_every=5), {"holdout_every": 25})


@pytest.mark.parametrize(
    ("first", "second", "data", "seen"),
    [
        (0, 25, {}, "trained without holdout_every on these data"),
        (10, 25, {}, "trained with holdout_every 10 on these data"),
        (25, 25, {}, None),
        # Each 50th image is one of each 25th.
        (25, 50, {}, None),
        (0, 0, {}, None),
        (0, 25, {"train_dir": "others", "val_dir": "val"}, None),
    ],
)
def test_a_supernet_that_comes_from_one_that_has_seen_what_is_held_out_is_warned_of(
    control_plane: ControlPlane,
    agent: Agent,
    first: int,
    second: int,
    data: dict[str, str],
    seen: str | None,
) -> None:
    begun = a_supernet(control_plane, agent, params={"holdout_every": first})
    source = control_plane.job(begun).latest_checkpoint
    own = {"params": {"holdout_every": second}, "data": data or {"dataset": "digits"}}
    body = {"kind": "train", **SUPERNET, **own, "init_from": {"id": source}}
    _require_warning(control_plane, body, source, seen)
    # Through the supernets that came of it, so also by a search.
    for _ in range(2):
        after = a_supernet(control_plane, agent, **own, init_from={"id": source})
        search = a_search(after, data=own["data"])
        _require_warning(control_plane, search, control_plane.job(begun).latest_checkpoint, seen)
        source = control_plane.job(after).latest_checkpoint


def _require_warning(
    control_plane: ControlPlane, body: dict[str, Any], source: str | None, seen: str | None
) -> None:
    with control_plane.database.read() as tx:
        hints = explain(tx, Submission.model_validate(body).root).hints
    pointer = "/params/holdout_every"
    told = [hint.detail for hint in hints if hint.pointer == pointer and "have seen" in hint.detail]
    assert len(told) == (seen is not None)
    if seen is not None:
        assert seen in told[0]
        assert f"the weights come from {source}" in told[0]
