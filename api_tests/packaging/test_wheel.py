"""The built wheel in an environment that has nothing else: what a client installs."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server

ROOT = Path(__file__).parents[2]
LIMIT_BYTES = 40_000_000
_SCRIPT = """
from pathlib import Path
from service.client import AsyncClient, Client, NotFound

def main() -> float:
    job = Client("http://127.0.0.1:1").submit(recipe="oneshot", data={{"dataset": "digits"}})
    job.wait(timeout=5).cancel("now")
    for event in job.stream():
        print(event.number + 1, event.kind.upper())
    for other in Client().jobs(state="running"):
        print(other.pause().progress.step + 1, *other.logs(follow=True))
    try:
        folder: Path = job.best.download("weights")
    except NotFound as error:
        print(error.status + 1)
    return job.metrics["loss"] + job.metrics()["loss"][0][1]

async def wait() -> int:
    async with AsyncClient(token="t") as client:
        job = await client.job("job_1")
        await job.wait()
        return (await (await job.best).refresh()).step

job = Client("http://127.0.0.1:1").job("job_1")
step: {type} = job.progress.step
"""
pytestmark = [
    pytest.mark.registry,
    # Built and installed once, for all of these.
    pytest.mark.xdist_group("wheel"),
]


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel and what it depends on."""

    wheel: Path
    python: Path
    added_bytes: int

    def run(self, *command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """`trainyard COMMAND…` of this environment alone."""
        return subprocess.run(
            [self.python.with_name("trainyard"), *command],
            cwd=self.python.parent,
            env={"PATH": os.environ["PATH"], **variables},
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("trainyard_service-*.whl")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    before = _size(folder / "venv")
    constraints = ROOT / "constraints.txt"
    install = [python, *pip[1:], "install", "--no-compile", "-c", constraints, wheel]
    subprocess.run(install, check=True, env={"PATH": os.environ["PATH"]} | _registry())
    return Installed(wheel, python, _size(folder / "venv") - before)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


def test_the_wheel_has_the_product_its_types_and_nothing_of_the_tests(
    installed: Installed,
) -> None:
    names = zipfile.ZipFile(installed.wheel).namelist()
    assert {"service/py.typed", "workers/py.typed"} <= set(names)
    rooms = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert rooms == {"service", "workers"}


def test_what_a_client_installs_is_below_40_megabytes(installed: Installed) -> None:
    assert installed.added_bytes < LIMIT_BYTES


def test_a_client_submits_a_job_lists_it_and_reads_its_log(
    installed: Installed, server: Server
) -> None:
    agent = FakeAgent(server)
    own = {"TRAINYARD_SERVER": server.url}
    assert "submit" in installed.run("--help").stdout
    assert "--recipe" in installed.run("submit", "--help").stdout
    agent.submit(name="from elsewhere")
    claim = agent.claim()
    agent.log(claim, b"step 1\n")
    listed = installed.run("jobs", **own)
    assert listed.returncode == 0, listed.stderr
    assert claim["job_id"] in listed.stdout
    log = installed.run("logs", claim["job_id"], **own)
    assert (log.returncode, log.stdout) == (0, "step 1\n"), log.stderr
    submitted = installed.run(
        *("submit", "--recipe", "oneshot", "--dataset", "digits", "--name", "mine"), **own
    )
    assert submitted.returncode == 0, submitted.stderr
    assert "mine" in installed.run("jobs", **own).stdout
    agent.http.close()


@pytest.mark.parametrize(
    ("command", "extras"),
    [
        ("serve", "server"),
        ("db upgrade", "server"),
        ("checkpoints reindex", "server"),
        ("worker", "workers"),
        ("up", "server,workers"),
        ("demo", "server,workers"),
    ],
)
def test_a_command_that_needs_an_extra_says_which(
    installed: Installed, command: str, extras: str
) -> None:
    refused = installed.run(*command.split())
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"trainyard {command} needs the {extras.split(',')[0]}")
    assert refused.stderr.endswith(f"pip install 'trainyard-service[{extras}]'\n")


@pytest.mark.parametrize(("type_", "status"), [("int", 0), ("str", 1)])
def test_a_type_checker_sees_the_types_of_the_client(
    installed: Installed, tmp_path: Path, type_: str, status: int
) -> None:
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT.format(type=type_))
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path),
            *("--python-executable", installed.python, script),
        ],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert checked.returncode == status, checked.stdout + checked.stderr
    assert "import-untyped" not in checked.stdout


def _registry() -> dict[str, str]:
    """The variables by which pip is told which registry to use, and how to reach it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PIP_") or name.lower().endswith(("_proxy", "_cert_file", "_ca_bundle"))
    }


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
