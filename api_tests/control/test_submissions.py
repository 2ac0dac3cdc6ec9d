"""Submissions: what is stored, once for each key, and what is refused."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from api_tests.support.job_lists import newest_jobs
from api_tests.support.specs import SPEC, submission
from api_tests.support.use_cases import ControlPlane
from service.contract.exchange import ImportRequest
from service.contract.jobs import Job, JobState
from service.control.jobs.import_export import submit_import
from service.control.jobs.submission import complete
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


def test_validation_alone_stores_nothing(control_plane: ControlPlane) -> None:
    with control_plane.database.read() as tx:
        complete(tx, submission(SPEC))
    assert all_jobs(control_plane) == []


def test_an_import_of_a_variant_that_is_not_there_is_told_those_there_are(
    control_plane: ControlPlane,
) -> None:
    request = ImportRequest(file="a.pth", recipe="shufflenet_v2", variant="9x")
    with control_plane.write() as tx, pytest.raises(Unprocessable, match="has the variants 0"):
        submit_import(tx, request, job_id="job_1", key=None, now=control_plane.now)


def all_jobs(control_plane: ControlPlane) -> list[Job]:
    with control_plane.database.read() as tx:
        return newest_jobs(tx)
