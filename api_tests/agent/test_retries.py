"""Calls of the agent that the control plane asks to send again."""

import threading
from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Response

from api_tests.support.fake_server import FakeServer
from service.contract.registration import ProcessIdentity, Registration
from workers.agent.client import ControlPlane

KERNEL = ProcessIdentity(boot_id="boot", pid_namespace="pid:[1]", pid=7, started_ticks=99)
REGISTRATION = Registration(host="test", process=KERNEL)


class Pauses(threading.Event):
    """The pauses between tries, none of which is made."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Note a pause."""
        self.seconds.append(timeout or 0.0)
        return False


class BusyServer(FakeServer):
    """Refuses each call as often as `refusals` says, with a header if there is one."""

    def __init__(self) -> None:
        self.refusals, self.retry_after = 2, ""
        app = FastAPI()

        @app.put("/agent/workers/{worker_id}")
        def register() -> Response:
            if not self.refusals:
                return Response('{"predecessors": []}', media_type="application/json")
            self.refusals -= 1
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            return Response("{}", 429, headers)

        super().__init__(app)


@pytest.fixture
def server() -> Iterator[BusyServer]:
    server = BusyServer()
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("9", 9.0, 9.0), ("86400", 15.0, 15.0), ("", 0.0, 1.0), ("soon", 0.0, 1.0)],
)
def test_a_call_is_sent_again_after_the_time_that_the_server_asks_for(
    server: BusyServer, header: str, least: float, most: float
) -> None:
    server.retry_after, pauses = header, Pauses()
    control_plane = ControlPlane(server.url, None, pauses)
    control_plane.register("wrk_1", REGISTRATION)
    control_plane._http.close()
    assert len(pauses.seconds) == 2
    assert all(least <= seconds <= most for seconds in pauses.seconds)
