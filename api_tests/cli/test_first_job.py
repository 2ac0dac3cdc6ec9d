import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from api_tests.support.server import Server
from service.client import TrainyardClient

_README = Path(__file__).parents[2] / "README.md"


def _shipped() -> dict[str, Any]:
    job: dict[str, Any] = json.loads(
        (files("service") / "dashboard" / "first_job.json").read_text()
    )
    return job


def test_the_readme_submits_the_job_that_comes_with_the_package() -> None:
    (submitted,) = re.findall(r"^curl \S+/jobs .*? -d '(.*?)'$", _README.read_text(), re.M | re.S)
    assert json.loads(submitted) == _shipped()


def test_the_server_takes_the_job_that_comes_with_the_package(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with TrainyardClient(server.url) as client:
        job = client.submit(_shipped())
        assert (job.state, job.variant) == ("queued", "searched")
    server.stop()
