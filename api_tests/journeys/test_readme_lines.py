"""The lines of the README, as they are pasted into a shell.

Only what a reader fills in is put in its place (`JOB`, `CKPT`, `HOST`, folders of a machine), and
the address of the server by that of the test's own.
"""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest

from api_tests.support.installation import PARAMS, TRAIN, Installation, until
from api_tests.support.jpegs import write_photos
from api_tests.support.shell_blocks import ROOT, shell_blocks
from service.client import ServerUnreachable, TrainyardClient

README = ROOT / "README.md"
COMMANDS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
"""The path of programs, as an activated environment has it."""


class Shell:
    """A reader's shell in a folder of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self._url = folder, url
        folder.mkdir()
        # A refusal by HTTP is a failure of the line.
        (folder / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\n")
        clean = {name: value for name, value in os.environ.items() if "TRAINYARD" not in name}
        mine = {"PATH": COMMANDS, "HOME": str(folder), "TRAINYARD_SERVER": url}
        self._environment = {**clean, **mine, "OMP_NUM_THREADS": "1"}

    def run(self, line: str, **filled_in: str) -> str:
        """What the line prints; fails if it does."""
        done = self.start(line, **filled_in)
        out, err = done.communicate(timeout=120)
        assert done.returncode == 0, f"{line}\n{out[-2000:]}\n{err[-2000:]}"
        assert "Traceback" not in err
        return out

    def start(self, line: str, **filled_in: str) -> "subprocess.Popen[str]":
        """The shell that runs the line."""
        return subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", self.pasted(line, **filled_in)],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def pasted(self, line: str, **filled_in: str) -> str:
        """The line with what its reader fills in."""
        line = line.replace("http://127.0.0.1:8000", self._url)
        for word, value in filled_in.items():
            line = re.sub(rf"\b{word}\b", value, line)
        return line


@pytest.fixture
def shell(installation: Installation, tmp_path: Path) -> Shell:
    shell = Shell(tmp_path / "here", installation.url)
    (shell.folder / "yard").symlink_to(installation.folder)
    return shell


def test_the_first_two_lines_are_targets_of_the_makefile() -> None:
    lines = _block("make demo").splitlines()
    targets = [line.split("#")[0].split() for line in lines]
    assert targets == [["make", "demo"], ["make", "up"]]
    for target in targets:
        subprocess.run([*target, "--dry-run"], cwd=ROOT, check=True, capture_output=True)


def test_a_job_is_submitted_watched_fetched_and_cancelled(
    installation: Installation, shell: Shell
) -> None:
    installation.start_worker()
    submit, *rest = _commands(_block("-H 'Content-Type: application/json' -d '{\n"))
    job = json.loads(shell.run(submit))["id"]
    installation.running_past(job, 100)
    look, latest, fetch, cancel = rest
    assert json.loads(shell.run(look, JOB=job))["id"] == job
    checkpoint = json.loads(shell.run(latest, JOB=job))
    shell.run(fetch, CKPT=checkpoint["id"])
    (weights,) = shell.folder.glob("*.safetensors")
    digest = sha256(weights.read_bytes()).hexdigest()
    assert digest == checkpoint["files"]["model.safetensors"]["sha256"]
    shell.run(cancel, JOB=job)
    ended = installation.client.wait(job, timeout_seconds=60)
    assert ended.state == "cancelled"
    saved = installation.client.latest_checkpoint(job=job)
    assert saved.step > checkpoint["step"]


def test_many_jobs_are_found_and_changed_by_one_call(
    installation: Installation, shell: Shell
) -> None:
    named = {"name": "vision", "labels": {"team": "vision"}}
    slow = named | {"params": PARAMS | {"learning_rate": 0.5}}
    vision = [installation.client.submit(TRAIN | slow).id for _ in range(2)]
    others = [installation.client.submit(TRAIN).id for _ in range(3)]
    find, change, table, cancel, retry = _commands(_block("/jobs/bulk"))
    found = json.loads(shell.run(find))
    assert {job["name"] for job in found["data"]} == {"vision"}
    assert len(found["data"]) == len(vision)
    changed = json.loads(shell.run(change))["results"]
    assert [(each["id"] in vision, each["ok"]) for each in changed] == [(True, True)] * 2
    (header,) = shell.run(table).splitlines()
    assert header.startswith("JOB")
    for job in others:
        cancel = cancel.replace("JOB", job, 1)
    shell.run(cancel)
    states = [installation.client.job(job).state for job in (*vision, *others)]
    assert states == ["cancelled"] * 5
    # These never ran, so there is nothing else to go on from.
    from_start = retry.replace("state=failed", "state=cancelled").strip() + " --from start"
    retried = shell.run(from_start).split()
    assert {job for job in retried if job in vision} == set(vision)
    assert retried.count("queued") == 2


def test_photos_are_checked_and_packed(installation: Installation, shell: Shell) -> None:
    write_photos(shell.folder / "photos")
    (installation.folder / "data").mkdir(exist_ok=True)
    for line in _commands(_block("data check photos")):
        shell.run(line)
    assert (installation.folder / "data" / "photos.pack").exists()


def test_weights_come_in_and_out(installation: Installation, shell: Shell) -> None:
    installation.start_worker()
    job = installation.client.submit(TRAIN)
    assert installation.client.wait(job.id, timeout_seconds=90).state == "succeeded"
    checkpoint = installation.client.latest_checkpoint(job=job.id).id
    shell.run(f"trainyard checkpoints export {checkpoint} --format pth.tar")
    (exported,) = shell.folder.glob("*.pth.tar")
    exported.rename(shell.folder / "OneShot.pth.tar")
    (installation.folder / "imports").mkdir(exist_ok=True)
    copy, bring_in, take_out = _commands(_block("checkpoints import"))
    shell.run(copy)
    (imported,) = re.findall(r"ckpt_\w+", shell.run(bring_in))
    assert installation.client.checkpoint(imported).tags == ("published",)
    shell.run(take_out, CKPT=imported)


def test_a_machine_is_joined_by_a_token(tmp_path: Path) -> None:
    """Over loopback, since the server is not to be seen from outside while the test runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"127.0.0.1:{port}"
    shell = Shell(tmp_path / "here", f"http://{address}")
    for folder in ("volume", "data"):
        (shell.folder / folder).mkdir()
    first, serve, second, use_token, work = (
        line.replace("/mnt", str(shell.folder))
        .replace("0.0.0.0", "127.0.0.1")
        .replace("HOST:8000", address)
        for line in _commands(_block("trainyard worker --server"))
    )
    (admin,) = re.findall(r"ty_\S+", shell.run(first))
    started = [shell.start(f"export TRAINYARD_PORT={port}\n{_in_place(serve)}")]
    try:
        with TrainyardClient(f"http://{address}", token=admin) as client:
            until(lambda: _answers(client))
            (worker,) = re.findall(r"ty_\S+", shell.run(second, ty_ADMIN=admin))
            started.append(shell.start(use_token + _in_place(work), ty_WORKER=worker))
            until(lambda: len(client.workers()) == 1)
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=30)
            assert "Traceback" not in errors


def _in_place(line: str) -> str:
    """Of the shell, so that a signal for it reaches the program."""
    return line.replace("trainyard ", "exec trainyard ", 1)


def _answers(client: TrainyardClient) -> bool:
    try:
        return client.workers() == []
    except ServerUnreachable:
        return False


def _block(part: str) -> str:
    (block,) = (block for block in shell_blocks(README) if part in block)
    return block


def _commands(block: str) -> Iterator[str]:
    """The commands of a block; after a backslash, or in quotes, one goes on in the next line."""
    command = ""
    for line in block.splitlines(keepends=True):
        command += line
        if line.endswith("\\\n"):
            continue
        with suppress(ValueError):
            shlex.split(command, comments=True)
            yield command
            command = ""
    assert not command
