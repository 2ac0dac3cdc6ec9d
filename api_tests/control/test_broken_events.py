"""An event that cannot be read or applied is noted, and costs no other; floods are thinned."""

import json
from typing import Any

import pytest

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import Claim, Heartbeat, ReportedEvent
from service.control.leases import event_handlers, heartbeats
from service.store import history

AT = "2026-01-01T00:00:00Z"
HUGE_FILES = {f"file-{n}": {"bytes": 2**53, "sha256": "0" * 64} for n in range(1025)}
NOTE: dict[str, Any] = {"seq": 2, "kind": "note", "at": AT, "body": {"message": "after it"}}


def beat_as_sent(
    agent: Agent, claim: Claim, *events: Any, others: tuple[Any, ...] = ()
) -> list[Any]:
    """The replies to a heartbeat with events as JSON."""
    held = {"job_id": claim.job_id, "attempt": claim.attempt, "token": claim.token}
    body = {"worker_id": agent.id, "beats": [held | {"events": events}, *others]}
    heartbeat = Heartbeat.model_validate(json.loads(json.dumps(body)))
    with agent.control_plane.write() as tx:
        return list(heartbeats.heartbeat(tx, heartbeat, agent.control_plane.now).replies)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"at": "0001-01-01T00:00:00+14:00"}, "at: "),
        ({"at": "9999-12-31T23:59:59-14:00"}, "at: "),
        ({"at": "yesterday"}, "at: "),
        ({"kind": None}, "kind: "),
        ({"body": "text"}, "body: "),
    ],
)
def test_an_event_that_cannot_be_read_is_noted_and_the_others_are_applied(
    control_plane: ControlPlane, agent: Agent, broken: dict[str, Any], reason: str
) -> None:
    job = control_plane.submit()
    (reply,) = beat_as_sent(agent, agent.claimed(), NOTE | {"seq": 1} | broken, NOTE)
    assert (reply.lease_lost, reply.acked_seq) == (False, 2)
    noted, after = [each.message for each in control_plane.events_of(job, "note")]
    assert reason in noted
    assert after == "after it"


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "created_at: "),
        ({"files": HUGE_FILES}, "more bytes than any volume"),
        ({"class_names": ["a"] * 100_001}, "class_names: "),
    ],
)
def test_a_checkpoint_that_no_database_holds_is_noted_and_the_others_are_applied(
    control_plane: ControlPlane, agent: Agent, broken: dict[str, Any], reason: str
) -> None:
    job = control_plane.submit()
    body = published_body(a_manifest(job.id, 10))
    body["checkpoint"] |= broken
    event = {"seq": 1, "kind": "checkpoint", "at": AT, "body": body}
    (reply,) = beat_as_sent(agent, agent.claimed(), event, NOTE)
    assert (reply.lease_lost, reply.acked_seq) == (False, 2)
    noted, after = [each.message for each in control_plane.events_of(job, "note")]
    assert reason in noted
    assert after == "after it"
    assert control_plane.checkpoints_of(job) == {}


@pytest.mark.parametrize("seq", [2**70, -1, "first", None])
def test_an_event_without_a_number_is_noted_once_however_often_it_comes(
    control_plane: ControlPlane, agent: Agent, seq: Any
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    broken = {"seq": seq, "kind": "note", "at": AT, "body": {"message": "lost"}}
    for _ in range(3):
        (reply,) = beat_as_sent(agent, claim, broken)
        assert reply.acked_seq == 0
    (reply,) = beat_as_sent(agent, claim, broken, NOTE)
    assert reply.acked_seq == 2
    noted, after = [each.message for each in control_plane.events_of(job, "note")]
    assert "seq: " in noted
    assert after == "after it"


def test_an_error_of_a_handler_undoes_its_event_alone(
    control_plane: ControlPlane, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = control_plane.submit()

    def broken(*_: Any) -> None:
        raise OverflowError("Python int too large to convert to SQLite INTEGER")

    monkeypatch.setattr(event_handlers, "kind_of", broken)
    monkeypatch.setattr("service.control.checkpoints.publishing.expire", broken)
    body = published_body(a_manifest(job.id, 10))
    claim = agent.claimed()
    reply = agent.beat(
        claim,
        an_event(1, "started", step=0, total_steps=9),
        an_event(2, "checkpoint", **body),
        an_event(3, "progress", step=5, total_steps=9, phase="train", metrics={"loss": 1.0}),
    )
    assert reply.acked_seq == 3
    assert control_plane.checkpoints_of(job) == {}
    assert control_plane.job(job).progress.step == 5
    notes = [each.message for each in control_plane.events_of(job, "note")]
    assert len(notes) == 2
    assert all("could not be applied: OverflowError" in note for note in notes)


def test_a_beat_that_cannot_be_read_costs_no_other_its_lease(
    control_plane: ControlPlane, agent: Agent
) -> None:
    control_plane.submit()
    broken = {"job_id": "j" * 65, "attempt": -1, "token": "t"}
    (reply,) = beat_as_sent(agent, agent.claimed(), NOTE, others=(broken, "beat"))
    assert (reply.lease_lost, reply.acked_seq) == (False, 2)


def test_a_flood_of_notes_is_taken_in_parts_and_ends_in_one_that_says_so(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job, other = control_plane.submit(), control_plane.submit()
    claim, quiet = agent.claimed(), agent.claimed()
    notes = [
        {"seq": seq, "kind": "note", "at": AT, "body": {"message": f"note {seq}"}}
        for seq in range(1, 3001)
    ]
    (reply,) = beat_as_sent(agent, claim, *notes)
    assert reply.acked_seq == 1000
    held = {"job_id": quiet.job_id, "attempt": quiet.attempt, "token": quiet.token}
    others = (held | {"events": notes},)
    first, second = beat_as_sent(agent, claim, *notes[1000:], others=others)
    assert (first.acked_seq, second.acked_seq) == (1500, 500)
    with control_plane.write() as tx:
        assert history.count(tx, job.id, 1, 9999) == 1001
        last = history.events_after(tx, job.id, 0, 9999)[-1].message
    assert len(control_plane.events_of(other, "note")) == 500
    assert last == "this attempt has 1000 entries; its further notes are left out"


def test_what_a_report_leaves_out_is_said(control_plane: ControlPlane, agent: Agent) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    metrics = {"step": 1, "metrics": {"loss": 1.0}}
    events: list[ReportedEvent] = [an_event(seq, "metrics", **metrics) for seq in range(1, 1500)]
    agent.report(claim, events=events)
    (note,) = control_plane.events_of(job, "note")
    assert note.message == "500 more events came with the end; they are left out"
    assert control_plane.job(job).state == "succeeded"
