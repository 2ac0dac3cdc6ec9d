"""What a worker tells of itself after registering, and which launcher it uses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from api_tests.support.claims import a_claim
from api_tests.support.doc_files import doc_files
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.packages import package
from api_tests.support.worker_process import StartWorker
from service.contract.catalog import builtin_catalog


def test_a_worker_tells_its_catalog_again_when_it_was_forgotten(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    start_worker(ranks="succeeds")
    control_plane.wait_for(lambda: control_plane.catalogs)
    worker_id, catalog = control_plane.catalogs[0]
    assert worker_id == control_plane.registered[0][0]
    assert catalog == builtin_catalog()
    control_plane.report_of(control_plane.offer(a_claim("job_0")))
    control_plane.stop()
    control_plane.forgets = {"claims"}
    control_plane.start()
    control_plane.wait_for(lambda: len(control_plane.catalogs) == 2)
    assert control_plane.catalogs[1] == control_plane.catalogs[0]


@pytest.mark.parametrize("status", [404, 405, 422])
def test_a_control_plane_that_takes_no_catalog_is_worked_for_all_the_same(
    control_plane: FakeControlPlane, start_worker: StartWorker, status: int
) -> None:
    control_plane.catalog_refusal = status
    worker = start_worker(ranks="succeeds")
    event = "catalog_refused" if status == 422 else "catalog_not_supported"
    worker.wait_for_log(event)
    assert control_plane.report_of(control_plane.offer(a_claim())).outcome == "succeeded"


def test_a_recipe_that_the_control_plane_refuses_costs_itself_alone(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    control_plane.refused_recipe = "detnas"
    worker = start_worker(ranks="succeeds")
    worker.wait_for_log("catalog_sent")
    (_, whole), (_, smaller) = control_plane.catalogs
    assert whole == builtin_catalog()
    assert {r.name for r in whole.recipes} - {r.name for r in smaller.recipes} == {"detnas"}
    worker.wait_for_log("plugin_not_offered")
    assert control_plane.report_of(control_plane.offer(a_claim())).outcome == "succeeded"


def test_the_launcher_of_the_docs_starts_the_ranks_when_the_setting_names_it(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    package(site, "noted", doc_files()["noted.py"], "trainyard.launchers", "noted")
    path = os.pathsep.join((str(site), os.environ.get("PYTHONPATH", "")))
    worker = start_worker("--launcher", "noted", ranks="succeeds", PYTHONPATH=path)
    assert control_plane.report_of(control_plane.offer(a_claim())).outcome == "succeeded"
    worker.wait_for_log("launched")


def test_a_launcher_that_is_not_there_is_a_wrong_setting() -> None:
    program = [sys.executable, "-m", "workers", "--launcher", "lokal"]
    ended = subprocess.run(program, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "there is no 'lokal'; there is local" in ended.stderr
