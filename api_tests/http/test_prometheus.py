"""A real Prometheus with the repository's own files scrapes a real server that has tokens."""

import shutil
from collections.abc import Iterator

import pytest
import yaml

from api_tests.support.prometheus import FOLDER, PATIENCE_SECONDS, Prometheus
from api_tests.support.server import Server, wait_for
from service.client import Client

pytestmark = [
    pytest.mark.skipif(
        shutil.which("prometheus") is None, reason="needs prometheus (Debian: prometheus)"
    ),
    pytest.mark.xdist_group("prometheus"),
]

ADMIN = "the-token-of-an-admin"
JOB = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"), token=ADMIN)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[Client]:
    with Client(server.url, ADMIN) as client:
        yield client


@pytest.fixture(scope="module")
def viewer_token(admin: Client) -> str:
    """The token that docs/access.md gives to Prometheus."""
    return admin.create_token("prometheus", "viewer").secret


@pytest.fixture(scope="module")
def prometheus(
    server: Server, viewer_token: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    target = server.url.removeprefix("http://")
    prometheus = Prometheus(tmp_path_factory.mktemp("prometheus"), target, viewer_token)
    try:
        prometheus.wait_until_ready()
        yield prometheus
    finally:
        prometheus.stop()


@pytest.fixture
def scraped(prometheus: Prometheus) -> Prometheus:
    _wait_for_up(prometheus, 1)
    return prometheus


def test_a_viewers_token_lets_prometheus_see_the_jobs_by_their_state(
    scraped: Prometheus, admin: Client
) -> None:
    admin.submit(JOB)
    admin.cancel(admin.submit(JOB).id)
    queued = 'trainyard_jobs{job="trainyard", recipe="oneshot", state="queued"}'
    cancelled = queued.replace("queued", "cancelled")
    wait_for(lambda: _value(scraped, queued) == 1, "the queued job", PATIENCE_SECONDS)
    wait_for(lambda: _value(scraped, cancelled) == 1, "the cancelled job", PATIENCE_SECONDS)


def test_prometheus_evaluates_every_alert_rule_without_an_error(scraped: Prometheus) -> None:
    files = yaml.safe_load((FOLDER / "alerts.yml").read_text())
    names = [rule["alert"] for group in files["groups"] for rule in group["rules"]]
    assert len(names) > 10
    assert [rule["name"] for rule in scraped.rules()] == names
    wait_for(
        lambda: all(rule["health"] != "unknown" for rule in scraped.rules()),
        "an evaluation of each rule",
        PATIENCE_SECONDS,
    )
    assert {rule["health"] for rule in scraped.rules()} == {"ok"}, scraped.rules()


def test_a_wrong_token_takes_the_target_down_and_its_alert_begins(
    scraped: Prometheus, viewer_token: str
) -> None:
    _wait_for_state(scraped, "TrainyardDown", "inactive")
    scraped.use_token("ty_wrong")
    wait_for(lambda: "401" in scraped.target()["lastError"], "the refusal", PATIENCE_SECONDS)
    _wait_for_up(scraped, 0)
    _wait_for_state(scraped, "TrainyardDown", "pending")
    scraped.use_token(viewer_token)
    _wait_for_up(scraped, 1)


def _wait_for_up(prometheus: Prometheus, value: int) -> None:
    expression = 'up{job="trainyard"}'
    wait_for(lambda: _value(prometheus, expression) == value, f"up == {value}", PATIENCE_SECONDS)


def _value(prometheus: Prometheus, expression: str) -> float | None:
    """That of an expression's only series, or None while there is none."""
    series = prometheus.query(expression)
    assert len(series) <= 1, series
    return series[0][1] if series else None


def _wait_for_state(prometheus: Prometheus, alert: str, state: str) -> None:
    def has_state() -> bool:
        return (alert, state) in ((rule["name"], rule["state"]) for rule in prometheus.rules())

    wait_for(has_state, f"{alert}: {state}", PATIENCE_SECONDS)
