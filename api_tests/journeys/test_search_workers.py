"""A search by several real workers measures the same table as one does, whatever dies meanwhile."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch
from safetensors.torch import load_file

from api_tests.support.digit_searches import DIGITS, SEARCH, TRAINING
from api_tests.support.installation import SHORT, TRAIN, Installation, kill, until
from service.contract.candidates import Candidate
from service.contract.exchange import ExportRequest
from service.contract.jobs import Job
from workers.recipes import build

# One after another: their leases are of seconds, and each needs the machine's cores.
pytestmark = pytest.mark.xdist_group("whole machine")

PATIENCE_SECONDS = 300.0
HARDLY = TRAIN["params"] | SHORT | {"learning_rate": 1e-30}


class Searches:
    """Two workers, a supernet of the digits that is hardly trained, and a search of it by one."""

    def __init__(self, folder: Path) -> None:
        self.installation = Installation(folder)
        self.client = self.installation.client
        self.workers = [self.installation.start_worker()]
        training = {"kind": "train", "recipe": "supernet", "data": DIGITS, "params": TRAINING}
        self.supernet = self._ended(self.client.submit(training).id).id
        self.alone = self._ended(self.begin()).id
        self.workers.append(self.installation.start_worker())

    def begin(self, **params: Any) -> str:
        """Submit a search; its id."""
        body = {"kind": "search", "checkpoint": {"job": self.supernet}, "data": DIGITS}
        return self.client.submit(body | {"params": SEARCH | params}).id

    def ask(self, search: str, action: str) -> None:
        """Pause, resume or cancel a search, by REST."""
        reply = self.installation.http.post(f"/jobs/{search}/{action}", json={})
        assert reply.status_code in (200, 202), reply.text

    def asked(self, search: str, action: str, state: str) -> list[Candidate]:
        """What a search has measured that is asked to end amid its candidates, and has done so."""
        until(lambda: len(self.table(search)) >= 2, PATIENCE_SECONDS)
        self.ask(search, action)
        until(lambda: self.client.job(search).state == state, PATIENCE_SECONDS)
        return self.table(search)

    def ends_as_alone(self, search: str) -> Job:
        """Wait until a search has ended as the one by one worker."""
        job = self._ended(search)
        table = self.table(search)
        assert table == self.table(self.alone)
        assert len(table) == 15
        digest = self.installation.final_digest
        assert digest(search) == digest(self.alone)
        return job

    def table(self, search: str) -> list[Candidate]:
        """What a search has measured."""
        found = self.client.candidates(search)
        return [Candidate.model_validate(each.model_dump()) for each in found]

    def parts(self, search: str) -> list[Job]:
        """The jobs that have measured for a search."""
        return list(self.client.jobs(label=f"part_of:{search}"))

    def _ended(self, job_id: str) -> Job:
        job = self.client.wait(job_id, timeout_seconds=PATIENCE_SECONDS)
        assert job.state == "succeeded", job.message
        return job


@pytest.fixture(scope="module")
def searches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searches]:
    searches = Searches(tmp_path_factory.mktemp("searches"))
    yield searches
    searches.installation.close()


def test_two_workers_measure_the_same_table_as_one(searches: Searches) -> None:
    search = searches.begin(workers=2)
    job = searches.ends_as_alone(search)
    # An attempt for each of three generations, and one that publishes.
    assert job.attempt == 4
    parts = searches.parts(search)
    assert len(parts) == 6
    # Two at once, as nobody may have both; and no part leaves a network.
    hosts = {searches.client.attempts(part.id)[0].worker_id for part in parts}
    assert len(hosts) == 2
    assert all(part.latest_checkpoint is None for part in parts)
    assert all(part.attempt == 1 for part in parts)


def test_given_candidates_are_divided_too(searches: Searches) -> None:
    paths = [each.blocks for each in searches.table(searches.alone)][:4]
    search = searches.begin(workers=2, candidates=paths)
    assert searches.client.wait(search, timeout_seconds=PATIENCE_SECONDS).state == "succeeded"
    assert [each.blocks for each in searches.table(search)] == paths
    expected = {each.blocks: each.loss for each in searches.table(searches.alone)}
    assert all(each.loss == expected[each.blocks] for each in searches.table(search))
    assert len(searches.parts(search)) == 2


def test_a_killed_server_and_a_killed_worker_lose_nothing(searches: Searches) -> None:
    search = searches.begin(workers=2)
    until(lambda: len(searches.table(search)) >= 2, PATIENCE_SECONDS)
    kill(searches.workers[0])
    kill(searches.installation.server)
    searches.installation.start_server()
    until(lambda: len(searches.table(search)) >= 8, PATIENCE_SECONDS)
    kill(searches.installation.server)
    searches.installation.start_server()
    searches.workers[0] = searches.installation.start_worker()
    searches.ends_as_alone(search)


def test_a_search_that_is_paused_and_cancelled_keeps_all_that_it_has_measured(
    searches: Searches,
) -> None:
    client, many = searches.client, {"population": 20, "at_once": 1}
    alone, search, third = (searches.begin(**many) for _ in range(3))
    paused = searches.asked(search, "pause", "paused")
    searches.ask(search, "resume")
    cancelled = searches.asked(third, "cancel", "cancelled")
    for each in (alone, search):
        assert client.wait(each, timeout_seconds=PATIENCE_SECONDS).state == "succeeded"
    whole = searches.table(alone)
    assert searches.table(search) == whole
    assert len(whole) == 60
    for kept in (paused, cancelled):
        assert 2 <= len(kept) < 60
        assert all(each in whole for each in kept)
    ends = {each: client.attempts(each)[0].reason for each in (search, third)}
    assert ends == {search: "paused", third: "cancelled"}
    assert [client.job(each).attempt for each in (search, third)] == [2, 1]
    digest = searches.installation.final_digest
    assert digest(search) == digest(alone)


def test_what_a_search_has_published_is_exported_and_trained_on(
    searches: Searches, tmp_path: Path
) -> None:
    client = searches.client
    best = client.latest_checkpoint(job=searches.alone)
    tensors = load_file(searches.installation.volume / best.path / "model.safetensors")
    export = client.export(ExportRequest(checkpoint=best.id, format="onnx"))
    found = {"search": searches.alone}
    train = TRAIN | {"variant": found, "init_from": found, "params": HARDLY}
    trained = client.submit(train)
    job = client.wait(export.id, timeout_seconds=PATIENCE_SECONDS)
    assert job.state == "succeeded", job.message
    (name,) = (job.result or {})["files"]
    session = onnxruntime.InferenceSession(client.download_of_job(job, name, tmp_path / name))
    images = torch.randn((3, 3, 32, 32), generator=torch.Generator().manual_seed(1))
    (logits,) = session.run(["logits"], {"images": images.numpy()})
    network = build("oneshot", best.variant, num_classes=10).eval()
    network.load_state_dict(tensors)
    with torch.no_grad():
        expected = network(images).numpy()
    assert abs(logits - expected).max() <= 1e-4 * abs(expected).max()

    job = client.wait(trained.id, timeout_seconds=PATIENCE_SECONDS)
    assert job.state == "succeeded", job.message
    final = client.latest_checkpoint(job=job.id)
    assert final.variant == best.variant
    after = load_file(searches.installation.volume / final.path / "model.safetensors")
    # By such a rate no weight moves: these are those that it began with.
    weights = [key for key in tensors if key.endswith("weight")]
    assert len(weights) > 40
    assert all(torch.equal(after[key], tensors[key]) for key in weights)
