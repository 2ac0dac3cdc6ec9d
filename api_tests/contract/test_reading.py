import json
import logging
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from service.contract.agent import AttemptResult, BeatReply
from service.contract.jobs import JobState
from service.contract.reading import (
    Extensible,
    json_with_unknown_fields,
    member,
    read,
    read_json,
    with_unknown_fields,
)


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = 1


class Whole(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    part: Part = Part()
    parts: tuple[Part, ...] = ()
    by_name: dict[str, Part] = {}
    state: Annotated[JobState, Extensible] = JobState.QUEUED
    shape: Annotated[Literal["round", "square"], Extensible] = "round"


NEWER = {
    "part": {"size": 2, "colour": "red"},
    "parts": [{"size": 3, "weight": 4}],
    "by_name": {"left": {"size": 5, "depth": [1, {"x": 2}]}},
    "state": "hibernating",
    "shape": "oval",
    "owner": {"name": "x"},
}


def test_what_is_unknown_is_kept_at_any_depth_and_written_again() -> None:
    whole = read(Whole, NEWER)
    assert whole.part.size == 2
    assert with_unknown_fields(whole) == NEWER
    assert with_unknown_fields(whole.model_copy(update={"parts": ()})) == NEWER | {"parts": []}


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(NEWER, id="unknown at many places"),
        pytest.param({"parts": [{"size": 1}, {"size": 2, "weight": 4}]}, id="in a list"),
        pytest.param({"by_name": {"left": {"depth": 1}}}, id="in a map"),
        pytest.param({"state": "running", "parts": [{"size": 3}]}, id="nothing unknown"),
        pytest.param({"shape": "caf\udce9"}, id="half of a surrogate pair"),
    ],
)
def test_a_text_has_what_is_unknown_as_the_object_has_it(written: dict[str, Any]) -> None:
    whole = read(Whole, written)
    assert json.loads(json_with_unknown_fields(whole)) == with_unknown_fields(whole)


def test_what_is_unknown_is_no_part_of_what_is_sent_on() -> None:
    sent = read(Whole, NEWER).model_dump(mode="json")
    assert sent["part"] == {"size": 2}
    assert "owner" not in sent


def test_what_is_missing_takes_its_default_and_a_wrong_shape_is_refused() -> None:
    assert read_json(Whole, "{}") == Whole()
    with pytest.raises(ValidationError):
        read(Whole, {"part": {"size": "large"}})


def test_a_user_who_writes_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="owner"):
        Whole.model_validate(NEWER)


def test_an_unknown_value_is_itself_and_none_of_those_that_are_known() -> None:
    whole = read(Whole, NEWER)
    assert (whole.state, whole.shape) == ("hibernating", "oval")
    assert whole.state not in list(JobState)
    assert isinstance(whole.state, JobState)
    assert member(JobState, "queued") is JobState.QUEUED


def test_each_unknown_name_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    class Fresh(Part):
        pass

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            read(Fresh, {"colour": "red"})
            member(JobState, "seen once")
    assert [record.getMessage() for record in caplog.records] == [
        "unknown_field Fresh.colour",
        "unknown_value JobState=seen once",
    ]


def test_a_directive_that_is_not_known_lets_the_attempt_continue() -> None:
    reply = {"job_id": "job_1", "attempt": 1, "directive": "move_to_another_zone"}
    assert read(BeatReply, reply).directive == "continue"


def test_a_result_may_have_a_reason_of_a_newer_version_but_no_known_one_that_does_not_fit() -> None:
    result = read(AttemptResult, {"outcome": "failed", "reason": "gpu_fell_off"})
    assert result.reason == "gpu_fell_off"
    with pytest.raises(ValidationError, match="may have the reason"):
        AttemptResult.model_validate({"outcome": "failed", "reason": "finished"})
