import hashlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from api_tests.support.job_lists import newest_jobs
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.specs import submission
from api_tests.support.use_cases import SPEC, Agent, ControlPlane, an_event
from service.contract.catalog import builtin_catalog
from service.contract.exchange import ImportRequest
from service.contract.jobs import Job, JobState
from service.contract.specs import EvalSpec, ImportSpec, TrainSpec
from service.control.jobs.import_export import submit_import
from service.control.jobs.submission import complete
from service.control.scheduling import catalogs
from service.domain.errors import IdempotencyMismatch, Unprocessable
from service.store.tables import idempotency_keys


def test_a_submission_is_queued_with_its_defaults_and_a_line_in_its_history(
    control_plane: ControlPlane,
) -> None:
    job = control_plane.submit(name="first")
    assert (job.state, job.variant, job.queue_position) == (JobState.QUEUED, "searched", 1)
    assert job.wait_reason == "no worker is connected"
    assert job.progress.total_steps == 300_000
    assert [event.message for event in control_plane.events_of(job, "submitted")] == [
        "submitted: train of oneshot"
    ]


def test_the_same_key_and_body_give_the_same_job(control_plane: ControlPlane) -> None:
    first = control_plane.submit(key="k")
    control_plane.later(3600)
    assert control_plane.submit(key="k").id == first.id
    assert control_plane.submit(key="another").id != first.id


def test_the_same_key_with_another_body_is_refused_and_stores_nothing(
    control_plane: ControlPlane,
) -> None:
    control_plane.submit(key="k")
    with pytest.raises(IdempotencyMismatch):
        control_plane.submit(key="k", priority=1)
    assert len(all_jobs(control_plane)) == 1


def test_a_key_stored_by_an_older_version_gives_the_same_job(control_plane: ControlPlane) -> None:
    first = control_plane.submit(key="k")
    with control_plane.write() as tx:
        # An older version stored the digest of the completed submission.
        digest = hashlib.sha256(first.spec.model_dump_json().encode()).hexdigest()
        tx.execute(update(idempotency_keys).values(body_sha256=digest))
    assert control_plane.submit(key="k").id == first.id
    with pytest.raises(IdempotencyMismatch):
        control_plane.submit(key="k", params={"total_iters": 7})


def test_the_same_body_with_its_defaults_written_out_gives_the_same_job(
    control_plane: ControlPlane,
) -> None:
    first = control_plane.submit(key="k")
    again = control_plane.submit(key="k", variant="searched", params=first.spec.params)
    assert again.id == first.id


def test_two_submissions_at_once_with_one_key_make_one_job(control_plane: ControlPlane) -> None:
    start = Barrier(2)

    def submit(_: int) -> str:
        start.wait()
        try:
            return control_plane.submit(key="k").id
        except IntegrityError:
            # As the route does: the twin was faster, and its job is there now.
            return control_plane.submit(key="k").id

    with ThreadPoolExecutor(2) as threads:
        ids = set(threads.map(submit, range(2)))
    assert len(ids) == 1
    assert [job.id for job in all_jobs(control_plane)] == list(ids)


@pytest.mark.parametrize(
    ("fields", "pointer", "message"),
    [
        ({"data": {"dataset": "cats"}}, "/data/dataset", "there is digits"),
        ({"params": {"num_classes": 7}}, "/params/num_classes", "10 classes, not 7"),
        ({"params": {"batch_size": 1438}}, "/params/batch_size", "use at most 1437"),
        ({"resources": {"gpus": 5}}, "/params/batch_size", "32 .* by 5 GPUs: use 30 or 35"),
        (
            {"resources": {"gpus": 64}, "params": {"batch_size": 32}},
            "/params/batch_size",
            "32 cannot be shared evenly by 64 GPUs: use 64, or another number of GPUs",
        ),
        (
            {"resources": {"ranks": 3, "hosts": 2}},
            "/params/batch_size",
            "32 cannot be shared evenly by 6 ranks: use 30 or 36, or another number of ranks",
        ),
        (
            {"params": {"batch_size": 24, "accumulate": 5}, "resources": {"ranks": 2}},
            "/params/accumulate",
            "accumulate 5 does not divide the 12 images of each rank in equal parts: use 4 or 6",
        ),
        (
            {"params": {"batch_size": 24, "accumulate": 50}},
            "/params/accumulate",
            "accumulate 50 does not divide the 24 images of each rank in equal parts: use 24, or",
        ),
        ({"init_from": {"id": "ckpt_none"}}, "/init_from/id", "no checkpoint ckpt_none"),
        ({"init_from": {"job": "job_none"}}, "/init_from/job", "no job job_none"),
    ],
)
def test_what_cannot_run_is_refused_with_the_field_and_what_to_change(
    control_plane: ControlPlane, fields: dict[str, Any], pointer: str, message: str
) -> None:
    with pytest.raises(Unprocessable, match=message) as refused:
        control_plane.submit(**fields)
    assert refused.value.pointer == pointer
    assert all_jobs(control_plane) == []


def test_a_batch_that_its_gpus_share_evenly_is_taken(control_plane: ControlPlane) -> None:
    for number in (1, 2, 32):
        assert control_plane.submit(resources={"gpus": number}).state == "queued"


def test_an_eval_may_have_a_batch_larger_than_the_training_set(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = trained(control_plane, agent)
    assert control_plane.submit(**an_eval(source), params={"batch_size": 2000}).state == "queued"


def test_an_eval_of_a_job_takes_its_latest_checkpoint_along(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = trained(control_plane, agent)
    job = control_plane.submit(**an_eval(source))
    claim = agent.claim()
    assert claim is not None
    assert claim.job_id == job.id
    assert claim.weights is not None
    assert claim.weights.id == control_plane.job(source).latest_checkpoint


def test_an_eval_of_the_best_takes_the_best(control_plane: ControlPlane, agent: Agent) -> None:
    source = trained(control_plane, agent, errors=(0.2, 0.4))
    control_plane.submit(kind="eval", checkpoint={"job": source.id, "which": "best"})
    claim = agent.claim()
    assert claim is not None
    assert claim.weights is not None
    assert claim.weights.step == 10


def test_an_eval_of_a_job_without_a_checkpoint_is_refused(control_plane: ControlPlane) -> None:
    source = control_plane.submit()
    with pytest.raises(Unprocessable, match="has no checkpoint yet") as refused:
        control_plane.submit(**an_eval(source))
    assert refused.value.pointer == "/checkpoint/job"


def test_an_eval_of_another_network_is_refused(control_plane: ControlPlane, agent: Agent) -> None:
    source = trained(control_plane, agent)
    with pytest.raises(Unprocessable, match="is of oneshot searched, the job of shufflenet_v2"):
        control_plane.submit(**an_eval(source), recipe="shufflenet_v2", variant="1.0x")


def test_an_eval_on_data_with_another_class_count_is_refused(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = trained(control_plane, agent)
    with pytest.raises(Unprocessable, match="has 10 classes, the data 7") as refused:
        control_plane.submit(**an_eval(source), data={"val_dir": "val"}, params={"num_classes": 7})
    assert refused.value.code == "class_count"


def test_a_training_may_replace_the_head_for_another_class_count(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = trained(control_plane, agent)
    start = {"job": source.id, "head": "replace"}
    data = {"train_dir": "train", "val_dir": "val"}
    job = control_plane.submit(init_from=start, data=data, params={"num_classes": 7})
    assert job.state == "queued"


def test_a_damaged_checkpoint_is_no_source(control_plane: ControlPlane, agent: Agent) -> None:
    source = control_plane.submit()
    claim, manifest = agent.claimed(), a_manifest(source.id, 10)
    damaged = manifest.checkpoint_id
    found = an_event(2, "damaged", checkpoint_id=damaged, problems=["a bit flipped"])
    agent.beat(claim, an_event(1, "checkpoint", **published_body(manifest)), found)
    with pytest.raises(Unprocessable, match="is damaged; name another one"):
        control_plane.submit(kind="eval", checkpoint={"id": damaged})


def test_final_weights_have_no_training_state_to_go_on_from(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = control_plane.submit()
    final = published_body(a_manifest(source.id, 10, phase="final"))
    agent.beat(agent.claimed(), an_event(1, "checkpoint", **final))
    with pytest.raises(Unprocessable, match="final weights have no training state"):
        control_plane.submit(init_from={"job": source.id, "state": "full"})


def test_validation_alone_stores_nothing(control_plane: ControlPlane) -> None:
    with control_plane.database.read() as tx:
        complete(tx, submission(SPEC))
    assert all_jobs(control_plane) == []


def an_eval(source: Job) -> dict[str, Any]:
    return {"kind": "eval", "checkpoint": {"job": source.id}}


def trained(
    control_plane: ControlPlane, agent: Agent, errors: tuple[float, ...] = (0.5,), **network: str
) -> Job:
    """A running job with a checkpoint for each error."""
    job = control_plane.submit(**network)
    events = [
        an_event(
            seq,
            "checkpoint",
            **published_body(
                a_manifest(job.id, 10 * seq, metrics={"top1_error": error}, **network)
            ),
        )
        for seq, error in enumerate(errors, start=1)
    ]
    claim = agent.claimed()
    agent.beat(claim, *events)
    return job


def all_jobs(control_plane: ControlPlane) -> list[Job]:
    with control_plane.database.read() as tx:
        return newest_jobs(tx)


@pytest.mark.parametrize("named", [{}, {"variant": "1.0x"}, {"recipe": "shufflenet_v2"}])
def test_an_eval_takes_from_the_checkpoint_what_it_leaves_out_of_the_network(
    control_plane: ControlPlane, agent: Agent, named: dict[str, str]
) -> None:
    source = trained(control_plane, agent, recipe="shufflenet_v2", variant="1.0x")
    job = control_plane.submit(**an_eval(source), **({"recipe": None} | named))
    assert (job.recipe, job.variant) == ("shufflenet_v2", "1.0x")
    assert isinstance(job.spec, EvalSpec)
    assert job.spec.network == ("shufflenet_v2", "1.0x")
    assert job.spec.params["image_size"] == 224


def test_a_fine_tune_takes_its_network_from_the_checkpoint(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = trained(control_plane, agent, recipe="shufflenet_v2", variant="1.0x")
    job = control_plane.submit(recipe=None, init_from={"job": source.id})
    assert (job.recipe, job.variant) == ("shufflenet_v2", "1.0x")
    assert job.progress.total_steps == 300_000


@pytest.mark.parametrize("fields", [{}, {"init_from": {"file": "weights.pth"}}])
def test_a_network_that_no_checkpoint_tells_is_asked_for(
    control_plane: ControlPlane, fields: dict[str, Any]
) -> None:
    with pytest.raises(Unprocessable, match="name a recipe; there are oneshot, ") as refused:
        control_plane.submit(recipe=None, **fields)
    assert refused.value.pointer == "/recipe"


@pytest.mark.parametrize(
    ("named", "job"),
    [
        ({"recipe": "shufflenet_v2"}, "shufflenet_v2"),
        ({"recipe": "resnet"}, "resnet"),
        ({"recipe": None, "variant": "1.0x"}, "1.0x"),
    ],
)
def test_a_wrong_network_is_answered_with_what_the_checkpoint_is(
    control_plane: ControlPlane, agent: Agent, named: dict[str, Any], job: str
) -> None:
    source = trained(control_plane, agent)
    with pytest.raises(Unprocessable, match=f"of oneshot searched, the job of {job};") as refused:
        control_plane.submit(**an_eval(source), **named)
    assert (refused.value.code, refused.value.pointer) == ("other_network", "/checkpoint")


def test_an_import_of_a_variant_that_is_not_there_is_told_those_there_are(
    control_plane: ControlPlane,
) -> None:
    request = ImportRequest(file="a.pth", recipe="shufflenet_v2", variant="9x")
    with control_plane.write() as tx, pytest.raises(Unprocessable, match="has the variants 0"):
        submit_import(tx, request, job_id="job_1", key=None, now=control_plane.now)


BLOCKS = "21012020202300003233"
_SEARCHED = {"blocks": "00311100202110202132", "channels": "65352634257546744543"}


@pytest.mark.parametrize(
    ("named", "variant"),
    [({"blocks": BLOCKS}, f"b{BLOCKS}"), (f"b{BLOCKS}", f"b{BLOCKS}"), (_SEARCHED, "searched")],
)
def test_an_architecture_is_stored_by_its_one_text(
    control_plane: ControlPlane, named: Any, variant: str
) -> None:
    job = control_plane.submit(variant=named)
    assert isinstance(job.spec, TrainSpec)
    assert (job.variant, job.spec.variant) == (variant, variant)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"blocks": "0" * 19}, "blocks must have 20 digits of 0 to 3, .*: these are 19"),
        ({"blocks": "0" * 19 + "5"}, "blocks must have 20 digits .*: at place 19 is 5"),
        ({"blocks": "0" * 20, "channels": "48"}, "channels must have 20 digits of 0 to 7"),
    ],
)
def test_what_is_no_architecture_is_answered_with_what_is_wrong(
    control_plane: ControlPlane, named: dict[str, str], message: str
) -> None:
    with pytest.raises(Unprocessable, match=f"recipe oneshot: {message}") as refused:
        control_plane.submit(variant=named)
    assert (refused.value.code, refused.value.pointer) == ("no_such_architecture", "/variant")
    with pytest.raises(Unprocessable, match="recipe shufflenet_v2 has the variants 0"):
        control_plane.submit(recipe="shufflenet_v2", variant=named)


@pytest.mark.parametrize("named", [{}, {"variant": {"blocks": BLOCKS, "channels": "4" * 20}}])
def test_an_eval_of_an_architecture_takes_it_from_the_checkpoint(
    control_plane: ControlPlane, agent: Agent, named: dict[str, Any]
) -> None:
    with control_plane.write() as tx:
        catalogs.put(tx, agent.id, builtin_catalog(), control_plane.now)
    source = trained(control_plane, agent, recipe="oneshot", variant=f"b{BLOCKS}")
    job = control_plane.submit(**an_eval(source), **({"recipe": None} | named))
    assert (job.recipe, job.variant) == ("oneshot", f"b{BLOCKS}")
    with pytest.raises(Unprocessable, match=f"of oneshot b{BLOCKS}, the job of searched;"):
        control_plane.submit(**an_eval(source), recipe=None, variant=_SEARCHED)


def test_a_name_of_the_searched_architecture_fits_its_checkpoint(
    control_plane: ControlPlane, agent: Agent
) -> None:
    source = trained(control_plane, agent)
    job = control_plane.submit(**an_eval(source), recipe=None, variant=_SEARCHED)
    assert job.variant == "searched"


def test_an_import_is_asked_for_the_architecture_by_its_one_text(
    control_plane: ControlPlane,
) -> None:
    request = ImportRequest(file="a.pth", recipe="oneshot", variant=_SEARCHED)  # type: ignore[arg-type]
    with control_plane.write() as tx:
        submit_import(tx, request, job_id="job_1", key=None, now=control_plane.now)
    (job,) = all_jobs(control_plane)
    assert isinstance(job.spec, ImportSpec)
    assert (job.variant, job.spec.request.variant) == ("searched", "searched")
