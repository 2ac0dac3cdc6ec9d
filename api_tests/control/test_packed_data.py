"""Jobs with packed data, and checks of data, go to workers that can do them, and to no other."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from api_tests.support.catalogs import a_catalog, put_catalog
from api_tests.support.control_agent import Agent
from api_tests.support.use_cases import ControlPlane
from service.contract.catalog import Catalog
from service.contract.submissions import Submission
from service.control.jobs import submission
from service.domain.errors import Unprocessable
from service.store.tables import jobs as jobs_table

NewAgent = Callable[..., Agent]
PACKED = {
    "kind": "train",
    "recipe": "oneshot",
    "data": {"packed": "photos.pack"},
    "params": {"total_iters": 10},
}
CHECK = {"kind": "check_data", "data": {"train_dir": "train", "val_dir": "val"}}
CHECK_OF_A_PACK = {"kind": "check_data", "data": {"packed": "photos.pack"}}


def submit(control_plane: ControlPlane, body: dict[str, Any]) -> Any:
    spec, job_id = Submission.model_validate(body).root, control_plane.new_job_id()
    with control_plane.write() as tx:
        submission.submit(tx, spec, job_id=job_id, key=None, now=control_plane.now)
    with control_plane.write() as tx:
        row = tx.execute(select(jobs_table).where(jobs_table.c.id == job_id)).mappings().one()
    return row


def put(agent: Agent, **fields: Any) -> None:
    put_catalog(agent, a_catalog(**fields))


@pytest.mark.parametrize(
    ("body", "lack"),
    [
        (PACKED, {"data_forms": ()}),
        (CHECK_OF_A_PACK, {"data_forms": ()}),
        (CHECK, {"kinds": ("train", "eval", "import", "export")}),
    ],
    ids=["packed data", "the check of a pack", "the check of folders"],
)
def test_a_job_waits_for_a_worker_that_can_do_it(
    control_plane: ControlPlane, new_agent: NewAgent, body: Any, lack: Any
) -> None:
    older, silent, able = new_agent(), new_agent(), new_agent()
    put(older, **lack)
    job_id = submit(control_plane, body)["id"]
    # A worker of the first versions sends no catalog.
    assert (older.claim(), silent.claim()) == (None, None)
    put(able)
    claim = able.claim()
    assert claim is not None
    assert claim.job_id == job_id


def test_a_waiting_job_says_that_no_worker_reads_packed_data(
    control_plane: ControlPlane, agent: Agent
) -> None:
    put(agent, data_forms=())
    job = control_plane.submit(data={"packed": "photos.pack"})
    reason = control_plane.job(job).wait_reason
    assert reason == "no worker reads packed data: start one of a version that does"


def test_a_server_that_does_not_know_the_form_of_data_takes_it_for_a_label(
    control_plane: ControlPlane,
) -> None:
    needs = json.loads(submit(control_plane, PACKED)["needs"])
    # Labels begin with a letter or a digit: no worker has this one.
    assert needs["@data"] == "packed"


def test_a_check_of_an_unknown_data_set_is_refused(control_plane: ControlPlane) -> None:
    with pytest.raises(Unprocessable, match="there is no data set 'digit'"):
        submit(control_plane, {"kind": "check_data", "data": {"dataset": "digit"}})


def test_the_catalog_of_an_older_worker_has_the_digest_that_it_had() -> None:
    # With another one it would have come first when its worker came again, and be the newest.
    body: dict[str, Any] = {"datasets": [], "kinds": ["train"], "recipes": []}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    assert Catalog(kinds=("train",)).digest == hashlib.sha256(text.encode()).hexdigest()
    assert Catalog(data_forms=("packed",)).digest != Catalog().digest


@pytest.mark.parametrize("reports_splits", [True, False])
def test_what_a_check_has_counted_is_known_of_later_jobs(
    control_plane: ControlPlane, agent: Agent, reports_splits: bool
) -> None:
    put(agent)
    submit(control_plane, CHECK_OF_A_PACK)
    split = {"name": "train", "images": 7, "classes": 2, "smallest_class": 3, "passed_over": ""}
    report = {"data": "photos.pack", "ok": True, "splits": [split], "problems": []}
    result = report | {"problems_total": 0} if reports_splits else {"splits": "of a newer version"}
    agent.report(agent.claimed(), "succeeded", "finished", result=result)
    spec = Submission.model_validate(PACKED | {"params": {"batch_size": 7}}).root
    with control_plane.database.read() as tx:
        hints = submission.explain(tx, spec).hints
    told = [hint.detail for hint in hints if hint.pointer == "/data/packed"]
    assert len(told) == reports_splits
    assert all(text.startswith("7 images of 2 classes to train on, as job_") for text in told)
