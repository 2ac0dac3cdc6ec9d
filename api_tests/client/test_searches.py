"""Searches by both clients, against a real server."""

from pathlib import Path

import pytest

from api_tests.support.coroutines import result_of
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.own_server import agent, client, server
from api_tests.support.search_calls import begin, leave, tell, trained_supernet
from api_tests.support.searches import PARAMS, SMALL, a_candidate, blocks_of
from api_tests.support.server import Server
from service.client import AsyncClient, Client, NotFound, TrainyardError
from service.contract.specs import SearchSpec, TrainSpec

__all__ = ["agent", "client", "server"]

NOBODY = {"labels": {"for": "nobody"}}
"""The resources of a job that no worker takes."""


def test_a_search_is_begun_read_and_what_it_found_is_trained(
    client: Client, agent: FakeAgent
) -> None:
    checkpoint = client.checkpoint(trained_supernet(agent))
    resources = {"labels": {"agent": agent.id}}
    own = {"name": "paths", "resources": resources}
    search = client.search(checkpoint, "digits", **own, **PARAMS, **SMALL)
    assert isinstance(search.spec, SearchSpec)
    assert (search.name, search.kind, search.spec.checkpoint.id) == (
        "paths",
        "search",
        checkpoint.id,
    )
    assert search.spec.params.generations == PARAMS["generations"]
    with pytest.raises(TrainyardError, match="has measured no candidate yet"):
        _ = search.best
    tell(agent, agent.claim(), *map(a_candidate, range(3)))
    assert search.summary().evaluated == 3
    assert [each.order for each in search.candidates(order_by="fitness")] == [2, 1, 0]
    assert search.refresh().state == "running"
    job = search.best.train(params={"total_iters": 7}, resources=NOBODY)
    assert isinstance(job.spec, TrainSpec)
    assert (job.variant, job.parent_job_id) == (f"b{blocks_of(2)}", search.id)
    assert (job.spec.params["total_iters"], job.spec.data.dataset) == (7, "digits")
    assert isinstance(search.spec, SearchSpec)
    assert job.spec.params["image_size"] == search.spec.training["image_size"]
    (second,) = (each for each in client.search_job(search.id).candidates() if each.order == 1)
    assert second.train(resources=NOBODY).variant == f"b{blocks_of(1)}"


def test_a_table_of_candidates_has_a_row_for_each(client: Client, agent: FakeAgent) -> None:
    claim = begin(agent)
    tell(agent, claim, a_candidate(0), a_candidate(1))
    table = client.candidates(claim["job_id"]).to_pandas()
    assert list(table["blocks"]) == [blocks_of(0), blocks_of(1)]
    with pytest.raises(NotFound, match="only a search has candidates"):
        client.search_summary(agent.submit()["id"])


def test_the_files_of_a_search_are_downloaded(
    client: Client, agent: FakeAgent, tmp_path: Path
) -> None:
    claim = begin(agent)
    search = client.search_job(claim["job_id"])
    with pytest.raises(TrainyardError, match="is running, and its result names no file"):
        search.download(tmp_path)
    leave(agent, claim, {"front.png": b"strips", "choices.png": b"heat"})
    paths = search.download(tmp_path / "new")
    assert paths == [tmp_path / "new" / name for name in ("choices.png", "front.png")]
    assert [path.read_bytes() for path in paths] == [b"heat", b"strips"]


def test_the_same_in_an_event_loop(server: Server, agent: FakeAgent, tmp_path: Path) -> None:
    claim = begin(agent)
    tell(agent, claim, a_candidate(0), a_candidate(1))
    leave(agent, claim, {"front.png": b"strips"})

    async def read() -> tuple[int, list[int], str | None]:
        async with AsyncClient(server.url) as client:
            search = await client.search_job(claim["job_id"])
            found = [each.order async for each in search.candidates(order_by="fitness")]
            job = await (await search.best).train(resources=NOBODY)
            assert await search.download(tmp_path) == [tmp_path / "front.png"]
            return (await search.summary()).evaluated, found, job.variant

    assert result_of(read()) == (2, [1, 0], f"b{blocks_of(1)}")
