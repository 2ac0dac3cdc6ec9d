import httpx
import pytest

from api_tests.support.fake_agent import FakeAgent
from service.api.security_headers import HEADERS


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/dashboard/main.js"),
        ("GET", "/docs"),
        ("GET", "/jobs"),
        ("GET", "/nowhere"),
        ("GET", "/jobs?status=queued"),
        ("POST", "/jobs"),
        ("PUT", "/jobs"),
    ],
)
def test_every_answer_has_them(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_the_page_runs_scripts_and_styles_of_this_server_alone(http: httpx.Client) -> None:
    answer = http.get("/")
    policy = answer.headers["content-security-policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'"):
        assert rule in policy.split("; ")
    assert "unsafe" not in policy
    assert HEADERS["Content-Security-Policy"] in policy
    others = {name: value for name, value in HEADERS.items() if "Policy" not in name}
    assert {name: answer.headers.get(name) for name in others} == others


def test_a_file_of_the_volume_has_them(agent: FakeAgent) -> None:
    agent.submit()
    checkpoint = agent.save(agent.claim(), 1, b"<script>alert(1)</script>")
    answer = agent.http.get(f"/checkpoints/{checkpoint}/files/model.safetensors")
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "attachment" in answer.headers["content-disposition"]
