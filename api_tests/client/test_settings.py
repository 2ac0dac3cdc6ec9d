"""Where the client has the server's address and the token from."""

import pytest

from api_tests.support.fake_rest_server import FakeRestServer, a_job
from service.client import Client, InvalidConnection, TrainyardClient


def test_the_server_and_the_token_are_those_of_the_environment(
    fake: FakeRestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.jobs = [a_job(1)]
    monkeypatch.setenv("TRAINYARD_SERVER", fake.url)
    monkeypatch.setenv("TRAINYARD_TOKEN", "of-the-environment")
    with Client() as client:
        client.job("job_0001")
    (headers,) = fake.requests_to("GET", "/jobs/job_0001")
    assert headers["authorization"] == "Bearer of-the-environment"


def test_an_argument_wins_over_the_environment(
    fake: FakeRestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.jobs = [a_job(1)]
    monkeypatch.setenv("TRAINYARD_SERVER", "http://nowhere.invalid")
    monkeypatch.setenv("TRAINYARD_TOKEN", "of-the-environment")
    with Client(fake.url, token="of-the-argument") as client:
        client.job("job_0001")
    (headers,) = fake.requests_to("GET", "/jobs/job_0001")
    assert headers["authorization"] == "Bearer of-the-argument"


def test_no_proxy_of_the_environment_gets_what_is_for_this_machine(
    fake: FakeRestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.jobs = [a_job(1)]
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Client(fake.url) as client:
        assert client.job("job_0001").id == "job_0001"


def test_a_wrong_address_of_the_environment_is_said_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRAINYARD_SERVER", "somewhere:8000")
    with pytest.raises(InvalidConnection, match="TRAINYARD_SERVER"):
        Client()


def test_the_first_name_of_the_client_is_the_same_class() -> None:
    assert TrainyardClient is Client
