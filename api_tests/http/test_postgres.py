"""What is different on PostgreSQL: many servers, and what its columns cannot hold."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import Connection, create_engine, text

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.postgres import Postgres
from api_tests.support.server import Server, two_servers, wait_for


@pytest.fixture(scope="module")
def database_url(postgres: Postgres) -> str:
    return postgres.make()


@pytest.fixture(scope="module")
def servers(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    with two_servers(tmp_path_factory.mktemp("servers"), database_url) as servers:
        yield servers


def test_one_key_sent_to_two_servers_at_once_makes_one_job(
    servers: list[Server],
) -> None:
    agent = FakeAgent(servers[0])
    spec, key = agent.spec(), {"Idempotency-Key": "one key"}

    def submit(number: int) -> httpx.Response:
        return servers[number % 2].http.post("/jobs", json=spec, headers=key)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(submit, range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    agent.http.close()


@pytest.mark.parametrize("resource", ["jobs", "imports", "retries"])
def test_a_call_whose_key_another_call_is_storing_waits_for_it_and_gives_its_job(
    servers: list[Server], database_url: str, resource: str
) -> None:
    http = servers[0].http
    agent = FakeAgent(servers[0])
    spec = agent.spec()
    agent.http.close()
    path, body = {
        "jobs": ("/jobs", spec),
        "imports": ("/checkpoints/import?wait_seconds=0", {"file": "weights.pth"}),
        "retries": ("/jobs/{}/retry", {"from": "start"}),
    }[resource]
    if resource == "retries":
        ended = http.post("/jobs", json=spec).json()["id"]
        http.post(f"/jobs/{ended}/cancel")
        path = path.format(ended)
    first = http.post(path, json=body, headers={"Idempotency-Key": f"first of {resource}"}).json()
    engine = create_engine(database_url)
    with ThreadPoolExecutor(1) as thread, engine.connect() as storing, engine.connect() as watching:
        storing.execute(
            text(
                "INSERT INTO idempotency_keys SELECT :second, body_sha256, job_id, created_at "
                "FROM idempotency_keys WHERE key = :first"
            ),
            {"first": f"first of {resource}", "second": f"second of {resource}"},
        )
        key = {"Idempotency-Key": f"second of {resource}"}
        call = thread.submit(lambda: http.post(path, json=body, headers=key))
        wait_for(lambda: _has_waiting_insert(watching), "an insert of the same key")
        storing.commit()
        answer = call.result(30)
    engine.dispose()
    assert answer.status_code in (200, 202), answer.text
    assert answer.json()["id"] == first["id"]
    http.post(f"/jobs/{first['id']}/cancel")


def _has_waiting_insert(watching: Connection) -> bool:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO idempotency_keys%'"
    )
    with watching.begin():
        return bool(watching.execute(waiting).scalar())


def test_a_job_submitted_to_one_server_runs_by_the_other(servers: list[Server]) -> None:
    agent = FakeAgent(servers[0])
    job = servers[1].http.post("/jobs", json=agent.spec()).json()
    claim = agent.ask(wait_seconds=10).json()
    assert claim["job_id"] == job["id"]
    agent.beat(claim, ("metrics", {"step": 1, "metrics": {"loss": 1.5}}))
    agent.report(claim)
    shown = servers[1].http.get(f"/jobs/{job['id']}").json()
    assert (shown["state"], shown["metrics"]) == ("succeeded", {"loss": 1.5})
    agent.http.close()


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/jobs/%00", {}),
        ("/checkpoints/%00", {}),
        ("/jobs", {"recipe": "\0"}),
        ("/jobs", {"after": "\0"}),
        ("/jobs", {"label": "team:\0"}),
        ("/checkpoints/latest", {"job": "\0"}),
    ],
)
def test_a_character_that_the_database_cannot_hold_is_no_mistake_of_the_server(
    servers: list[Server], path: str, query: dict[str, str]
) -> None:
    answer = servers[0].http.get(path, params=query)
    assert answer.status_code in (200, 404, 422), answer.text
