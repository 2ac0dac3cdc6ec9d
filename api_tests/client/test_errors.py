"""Each answer that is an error, as the exception that a program can tell apart."""

import socket

import pytest
from fastapi import Response

from api_tests.support.fake_rest_server import FakeRestServer, a_job, problem
from service import client as room
from service.client import ApiError, Client


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, room.Refused),
        (401, room.Unauthorized),
        (403, room.Unauthorized),
        (404, room.NotFound),
        (409, room.Conflict),
        (412, room.Conflict),
        (413, room.Refused),
        (422, room.Refused),
        (429, room.ServerBusy),
        (500, room.ServerError),
        (503, room.ServerBusy),
    ],
)
def test_each_status_has_its_exception(
    fake: FakeRestServer, status: int, kind: type[ApiError]
) -> None:
    fake.instead = [problem(status, "code", "what to change")]
    with Client(fake.url, tries=1) as client, pytest.raises(ApiError, match="what to change") as it:
        client.job("job_0001")
    assert type(it.value) is kind
    assert it.value.status == status


def test_a_busy_and_an_absent_server_are_both_unavailable(fake: FakeRestServer) -> None:
    fake.instead = [Response("gone", 502)]
    with Client(fake.url, tries=1) as client:
        with pytest.raises(room.ServerUnavailable):
            client.job("job_0001")
        fake.stop()
        with pytest.raises(room.ServerUnavailable):
            client.job("job_0001")


def test_the_time_that_is_over_is_a_timeout_of_python_too(
    fake: FakeRestServer, client: Client
) -> None:
    fake.jobs = [a_job(1)]
    with pytest.raises(TimeoutError, match="has not ended"):
        client.wait("job_0001", timeout_seconds=0.02, poll_seconds=0.01)


def test_a_missing_token_is_said_with_where_to_give_it(fake: FakeRestServer) -> None:
    fake.instead = [problem(401, "unauthorized", "send the token")]
    with Client(fake.url) as client, pytest.raises(room.Unauthorized, match="TRAINYARD_TOKEN"):
        client.job("job_0001")


def test_an_absent_server_is_named_with_how_to_start_one() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with Client(url, tries=1) as client, pytest.raises(room.ServerUnavailable) as caught:
            client.job("job_0001")
    assert url in str(caught.value)
    assert "trainyard up" in str(caught.value)
