"""The whole way: a claim, real ranks on the digits, and what the control plane hears."""

from pathlib import Path

from workers.checkpoints.folder import verify


def test_a_claim_is_run_to_its_end_and_every_event_is_heard_once_and_in_order(
    plane, start_worker, a_claim, tmp_path: Path
) -> None:
    start_worker()
    held = plane.offer(a_claim())
    plane.wait_for(lambda: held.report)
    assert held.report.outcome == "succeeded"
    assert held.report.reason == "finished"
    assert [event.seq for event in held.events] == list(range(1, len(held.events) + 1))
    assert held.kinds()[0] == "started"
    assert held.kinds()[-1] == "ended"
    assert "metrics" in held.kinds()
    paths = [event.body["path"] for event in held.events if event.kind == "checkpoint"]
    assert [Path(path).name for path in paths][-1] == "final-000000016"
    assert all(verify(tmp_path / path) == [] for path in paths)
