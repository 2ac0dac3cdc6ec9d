"""Fixtures: a server that a test tells what to answer, and a client of it."""

from collections.abc import Iterator

import pytest

from api_tests.support.fake_rest_server import FakeRestServer
from service.client import Client


@pytest.fixture
def fake() -> Iterator[FakeRestServer]:
    fake = FakeRestServer()
    yield fake
    fake.stop()


@pytest.fixture
def client(fake: FakeRestServer) -> Iterator[Client]:
    with Client(fake.url) as client:
        yield client
