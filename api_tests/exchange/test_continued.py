"""A run of ours goes out as a file of the original scripts, comes back, and goes on."""

from pathlib import Path

from api_tests.support.attempts import (
    as_checkpoint,
    attempt,
    draw_photos,
    ended,
    final_digest,
    losses,
    resumable,
    run,
    train_spec,
)
from api_tests.support.originals import NOW
from service.contract.checkpoints import attempt_path
from service.contract.exchange import ImportRequest
from workers.checkpoints.snapshot import load
from workers.exchange.exports import export_checkpoint
from workers.exchange.imports import import_file
from workers.exchange.publish import publish_import
from workers.recipes.oneshot import OneShotParams

# Without dropout: the random state does not travel. A file of the original scripts goes on in their
# arithmetic.
SPEC = train_spec(dropout=0.0, parity=True, total_iters=5, bn_recalibration_iters=2)


def test_a_oneshot_run_exported_and_imported_again_ends_as_if_it_had_never_left(
    tmp_path: Path,
) -> None:
    draw_photos(tmp_path)
    stayed = attempt(tmp_path, spec=SPEC)
    assert ended(run(stayed))["outcome"] == "succeeded"
    (step_3,) = [found for found in resumable(tmp_path) if found.step == 3]
    file = tmp_path / "weights.pth.tar"
    params = OneShotParams(**SPEC["params"])
    export_checkpoint(
        load(tmp_path / step_3.path), file, "pth.tar", params=params, module_prefix=True
    )
    folder = tmp_path / attempt_path("job_2", 1)
    folder.mkdir(parents=True)
    request = ImportRequest(file=file.name, class_names=("cat", "dog"), image_size=32)
    names = {"checkpoint_id": "ckpt_2", "job_id": "job_2"}
    back = publish_import(
        import_file(request, tmp_path), folder, **names, attempt=1, created_at=NOW
    )
    weights = as_checkpoint(tmp_path, back.folder)
    spec = SPEC | {"init_from": {"id": weights.id, "state": "full"}}
    went_on = attempt(tmp_path, job_id="job_3", spec=spec, weights=weights)
    events = run(went_on)
    assert events[-1].body["outcome"] == "succeeded"
    assert losses(went_on) == {s: loss for s, loss in losses(stayed).items() if s > 3}
    assert final_digest(tmp_path, "job_3") == final_digest(tmp_path)
    notes = [event.body["message"] for event in events if event.kind == "note"]
    assert any("equality bit for bit cannot be promised" in note for note in notes)
