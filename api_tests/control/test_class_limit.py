"""The resource classes of the queue are bounded: each claim looks at all of them."""

from typing import Any

import pytest

from api_tests.support.control_agent import Agent
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import Job
from service.control.scheduling import class_limit
from service.domain.errors import Conflict


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue of at most five classes."""
    monkeypatch.setattr(class_limit, "MOST_CLASSES", 5)


def submit(control_plane: ControlPlane, number: int) -> Job:
    resources: dict[str, Any] = {"labels": {"number": str(number)}}
    return control_plane.submit(resources=resources)


def test_a_new_class_beyond_the_limit_is_refused_and_a_job_of_an_old_one_is_not(
    control_plane: ControlPlane,
) -> None:
    for number in range(5):
        submit(control_plane, number)
    with pytest.raises(Conflict, match="5 different resources") as refused:
        submit(control_plane, 5)
    assert refused.value.code == "too_many_resource_classes"
    submit(control_plane, 4)


def test_a_class_whose_last_job_has_started_makes_room(
    control_plane: ControlPlane, agent: Agent
) -> None:
    control_plane.submit()
    for number in range(4):
        submit(control_plane, number)
    agent.claimed()
    submit(control_plane, 4)


def test_a_paused_job_of_a_new_class_is_not_resumed_beyond_the_limit(
    control_plane: ControlPlane,
) -> None:
    paused = control_plane.pause(submit(control_plane, 5))
    queued = [submit(control_plane, number) for number in range(5)]
    with pytest.raises(Conflict, match="5 different resources"):
        control_plane.resume(paused)
    control_plane.cancel(queued[0])
    assert control_plane.resume(paused).state == "queued"
