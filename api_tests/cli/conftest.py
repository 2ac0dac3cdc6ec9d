from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import Response

from api_tests.support.fake_rest_server import (
    SPEC,
    FakeRestServer,
    a_checkpoint,
    a_job,
    problem,
    wait_for,
)
from service.client import TrainyardClient
from service.contract.checkpoints import Checkpoint
from service.contract.jobs import Job


@pytest.fixture(autouse=True)
def _log_of_the_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    # What `serve` does to its own process would stay in the one of the tests.
    monkeypatch.setattr("service.main.configure_logs", lambda: None)


@pytest.fixture
def fake() -> Iterator[FakeRestServer]:
    fake = FakeRestServer()
    yield fake
    fake.stop()


@pytest.fixture
def client(fake: FakeRestServer) -> Iterator[TrainyardClient]:
    with TrainyardClient(fake.url) as client:
        yield client


@pytest.fixture(name="a_job")
def _a_job() -> Callable[..., Job]:
    return a_job


@pytest.fixture(name="a_checkpoint")
def _a_checkpoint() -> Callable[..., Checkpoint]:
    return a_checkpoint


@pytest.fixture(name="problem")
def _problem() -> Callable[..., Response]:
    return problem


@pytest.fixture(name="wait_for")
def _wait_for() -> Callable[[Callable[[], Any]], None]:
    return wait_for


@pytest.fixture
def spec() -> dict[str, Any]:
    return dict(SPEC)
