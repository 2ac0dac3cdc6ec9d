"""Images built and run by buildah, without an engine, on a base that is made here."""

import json
import os
import subprocess
import sysconfig
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from api_tests.support.server import wait_for

ROOT = Path(__file__).parents[2]
BASE = "localhost/trainyard-base:1"
# In this isolation no runtime, no cgroup and no network of its own is needed.
_ISOLATION = ("--isolation", "chroot", "--network", "host")
_QUICKLY = (
    "--quiet",
    "--variant=apt",
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
)
# The process of buildah between it and the command, as the same user.
_FRAME = "buildah-chroot-exec"
_CERTIFICATES = "/etc/ssl/certs:/etc/ssl/certs:ro"
_PIP = Path("/etc/pip.conf")


class Buildah:
    """The tool, with images and containers in `folder` alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        configuration = folder / "storage.conf"
        configuration.write_text(
            f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/graph"\n'
            f'runroot = "{folder}/run"\n'
        )
        self.environment = os.environ | {"CONTAINERS_STORAGE_CONF": str(configuration)}

    def __call__(self, *arguments: str | Path) -> str:
        """What the command prints; raises AssertionError with its words if it fails."""
        done = subprocess.run(
            ["buildah", *arguments], env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout.strip()

    def make_base(self, suite: str) -> None:
        """Make an image of Debian with Python, as BASE."""
        tree = self._folder / "base.tar"
        packages = "passwd,python3,python3-venv,ca-certificates"
        made = subprocess.run(
            ["mmdebstrap", *_QUICKLY, f"--include={packages}", suite, tree],
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stderr[-4000:]
        container = self("from", "scratch")
        self("add", "--quiet", container, tree, "/")
        tree.unlink()
        self("commit", "--quiet", "--rm", container, BASE)

    def build(self, name: str, *flags: str | Path) -> "Image":
        """Build `docker/NAME.Dockerfile` on BASE as this machine reaches packages."""
        volumes = ["--volume", _CERTIFICATES]
        if _PIP.exists():
            volumes += ["--volume", f"{_PIP}:{_PIP}:ro"]
        dockerfile = ROOT / "docker" / f"{name}.Dockerfile"
        tag = f"localhost/trainyard-{name}"
        kept = ("--format", "docker", "--build-arg", f"BASE={BASE}", "--tag", tag)
        self("build", *_ISOLATION, *volumes, *kept, *flags, "--file", dockerfile, ROOT)
        inspected = json.loads(self("inspect", "--type", "image", tag))
        return Image(self, tag, inspected["Docker"]["config"])

    def close(self) -> None:
        """Remove every container and image."""
        self("rm", "--all")
        self("rmi", "--all", "--force")


@dataclass(frozen=True)
class Image:
    """An image and its configuration, as Docker names it."""

    buildah: Buildah
    tag: str
    config: dict[str, Any]

    def container(self, volumes: Mapping[Path, str], **variables: str) -> "Container":
        """A container that mounts these folders of the machine, with further variables."""
        flags = [flag for at, to in volumes.items() for flag in ("--volume", f"{at}:{to}")]
        flags += [flag for pair in variables.items() for flag in ("--env", "=".join(pair))]
        name = self.buildah("from", self.tag)
        return Container(self, (*_ISOLATION, *flags, name, "--"))


@dataclass
class Container:
    """A container; it runs the commands that its image names."""

    image: Image
    _flags: tuple[str, ...]
    _runs: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command beside what runs already."""
        return subprocess.run(
            ["buildah", "run", *self._flags, *command],
            env=self.image.buildah.environment,
            capture_output=True,
            text=True,
        )

    def is_healthy(self) -> bool:
        """What the image's own check says."""
        kind, *command = self.image.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.run(*command).returncode == 0

    def start(self, log_path: Path) -> psutil.Process:
        """Start the image's command; gives its process."""
        with log_path.open("wb") as log:
            run = subprocess.Popen(
                ["buildah", "run", *self._flags, *self.image.config["Cmd"]],
                env=self.image.buildah.environment,
                stdout=log,
                stderr=log,
            )
        self._runs.append(run)
        found: list[psutil.Process] = []

        def is_there() -> bool:
            assert run.poll() is None, log_path.read_text()
            found[:] = filter(_is_command, psutil.Process(run.pid).children(recursive=True))
            return bool(found)

        wait_for(is_there, "the command of the image")
        return found[0]

    def wait(self, seconds: float) -> int:
        """The exit status of what was started last."""
        return self._runs[-1].wait(seconds)

    def close(self) -> None:
        """End what still runs."""
        for run in self._runs:
            if run.poll() is None:
                for process in psutil.Process(run.pid).children(recursive=True):
                    process.kill()
                run.wait()


def _is_command(process: psutil.Process) -> bool:
    try:
        return process.uids().real == 10001 and process.cmdline()[:1] != [_FRAME]
    except psutil.NoSuchProcess:
        return False


def index_of_stand_ins(folder: Path) -> Path:
    """A package index of an empty torch and torchvision, in the versions that images pin.

    The real ones are gigabytes: a container mounts those of the tests, see `own_packages`.
    """
    pins = (ROOT / "constraints.txt").read_text().split()
    for name in ("torch", "torchvision"):
        [version] = [pin.partition("==")[2] for pin in pins if pin.startswith(f"{name}==")]
        place = folder / name
        place.mkdir(parents=True)
        wheel = place / f"{name}-{version}-py3-none-any.whl"
        about = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(
                f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            )
            archive.writestr(
                f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{about}/RECORD", "")
        (place / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    return folder


def own_packages() -> Path:
    """The folder of the packages with which the tests run."""
    return Path(sysconfig.get_paths()["purelib"])
