"""The images are built and run: they serve, train, save at SIGTERM, and hold no more than that."""

import os
import platform
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from api_tests.support.buildah import Buildah, Container, Image, index_of_stand_ins, own_packages
from api_tests.support.fake_server import free_port
from api_tests.support.server import wait_for

TOKEN = "token-of-the-images-0123456789"
LONG = {
    "kind": "train",
    "recipe": "oneshot",
    "data": {"dataset": "digits"},
    "params": {
        "total_iters": 5000,
        "batch_size": 8,
        "image_size": 32,
        "learning_rate": 0.02,
        "val_interval": 5000,
        "save_interval": 5000,
        "display_interval": 1,
    },
}
_ABSENT = "import sys, importlib.util as u; sys.exit(u.find_spec(sys.argv[1]) is not None)"
MISSING = [name for name in ("buildah", "mmdebstrap") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.registry,
    pytest.mark.timeout(1500),
    pytest.mark.xdist_group("whole machine"),
    pytest.mark.skipif(
        "TRAINYARD_TEST_IMAGES" not in os.environ, reason="set TRAINYARD_TEST_IMAGES: takes minutes"
    ),
    pytest.mark.skipif(bool(MISSING), reason=f"needs {' and '.join(MISSING)} (Debian)"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to build images"),
]


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    folder = tmp_path_factory.mktemp("buildah")
    buildah = Buildah(folder)
    buildah.make_base(platform.freedesktop_os_release()["VERSION_CODENAME"])
    yield buildah
    buildah.close()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def server_image(buildah: Buildah) -> Image:
    return buildah.build("service")


@pytest.fixture(scope="module")
def worker_image(buildah: Buildah, tmp_path_factory: pytest.TempPathFactory) -> Image:
    index = index_of_stand_ins(tmp_path_factory.mktemp("index"))
    flags = ("--build-arg", "TORCH_INDEX=file:///torch-index")
    return buildah.build("worker", *flags, "--volume", f"{index}:/torch-index:ro")


class Yard:
    """A server in a container, over folders that its workers mount too."""

    def __init__(self, folder: Path, image: Image) -> None:
        self.volumes: dict[Path, str] = {}
        for name, target in (
            ("volume", "/srv/volume"),
            ("db", "/srv/db"),
            ("secrets", "/run/secrets"),
        ):
            (folder / name).mkdir()
            self.volumes[folder / name] = target
        (folder / "secrets" / "trainyard_token").write_text(f"{TOKEN}\n")
        for path in (folder, *folder.iterdir()):
            os.chown(path, 10001, 10001)
        self.port = str(free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = image.container(
            self.volumes, TRAINYARD_PORT=self.port, TRAINYARD_SECRETS_DIR="/run/secrets"
        )
        self.http = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30
        )


@pytest.fixture
def yard(server_image: Image, tmp_path: Path) -> Iterator[Yard]:
    yard = Yard(tmp_path, server_image)
    with ExitStack() as ends:
        ends.callback(yard.server.close)
        ends.callback(yard.http.close)
        yield yard


@pytest.fixture
def worker(yard: Yard, worker_image: Image) -> Iterator[Container]:
    """A worker's container that computes with the tests' own torch."""
    worker = worker_image.container(
        yard.volumes | {own_packages(): "/packages"},
        TRAINYARD_SERVER=yard.url,
        TRAINYARD_SECRETS_DIR="/run/secrets",
        PYTHONPATH="/packages",
        OMP_NUM_THREADS="1",
    )
    yield worker
    worker.close()


def test_the_servers_image_serves_as_nobody_and_ends_at_sigterm(yard: Yard, tmp_path: Path) -> None:
    assert not yard.server.is_healthy()
    process = yard.server.start(tmp_path / "server.log")
    wait_for(yard.server.is_healthy, "the server's health", 120)
    assert process.uids() == (10001, 10001, 10001)
    assert yard.http.get("/jobs").status_code == 200
    assert httpx.get(f"{yard.url}/jobs").status_code == 401
    process.send_signal(signal.SIGTERM)
    assert yard.server.wait(30) == 0


@pytest.mark.parametrize("name", ["torch", "workers"])
def test_the_servers_image_has_no_torch(name: str, server_image: Image) -> None:
    assert server_image.container({}).run("python3", "-c", _ABSENT, name).returncode == 0


@pytest.mark.parametrize("name", ["fastapi", "sqlalchemy", "uvicorn", "service.api", "psycopg"])
def test_the_workers_image_has_nothing_of_the_server(name: str, worker_image: Image) -> None:
    assert worker_image.container({}).run("python3", "-c", _ABSENT, name).returncode == 0


def test_the_workers_image_trains_and_saves_at_sigterm(
    yard: Yard, worker: Container, tmp_path: Path
) -> None:
    yard.server.start(tmp_path / "server.log")
    wait_for(yard.server.is_healthy, "the server's health", 120)
    assert not worker.is_healthy()
    process = worker.start(tmp_path / "worker.log")
    wait_for(worker.is_healthy, "the worker's health", 120)
    answer = yard.http.post("/jobs", json=LONG)
    assert answer.status_code == 201, answer.text
    job = answer.json()["id"]
    path = f"/jobs/{job}"

    def step() -> int:
        return int((yard.http.get(path).json()["progress"] or {}).get("step") or 0)

    wait_for(lambda: step() > 0, "a step", 180)
    process.send_signal(signal.SIGTERM)
    assert worker.wait(90) == 0
    assert yard.http.get(path).json()["state"] == "queued"
    [checkpoint] = yard.http.get(f"{path}/checkpoints").json()["data"]
    assert checkpoint["step"] > 0
    assert not worker.is_healthy()
