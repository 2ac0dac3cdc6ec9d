"""Whatever a user gives the commands wrong is answered with a sentence, never with a traceback."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from api_tests.support.commands import Run, runner
from api_tests.support.fake_rest_server import SPEC
from service.client import InvalidRequest, TrainyardClient
from workers.main import main as worker

DEEP = "[" * 100_000
SUBMIT = ("submit", "--recipe", "oneshot", "--dataset", "digits")
LONE = os.fsdecode(b"caf\xe9")
"""An argument that is not UTF-8."""


@pytest.fixture
def run(fake: Any) -> Run:
    return runner(fake.url)


def _sentence(result: Result) -> str:
    """What was printed on stderr before an orderly exit."""
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (1, 2, 4)
    assert "Traceback" not in result.stderr
    assert 0 < len(result.stderr.splitlines()) <= 4
    return result.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((*SUBMIT, "--param", "x=NaN"), "NaN is no finite number"),
        ((*SUBMIT, "--param", "x=-Infinity"), "-Infinity is no finite number"),
        ((*SUBMIT, "--param", "x=1e999"), "1e999 is no finite number"),
        ((*SUBMIT, "--param", 'x={"a": [1e999]}'), "1e999 is no finite number"),
        ((*SUBMIT, "--param", "x=1", "--param", "x=2"), "--param x is there twice"),
        ((*SUBMIT, "--name", LONE), "cannot be written as JSON"),
        ((*SUBMIT, "--key", "é"), "cannot be sent"),
        ((*SUBMIT, "--key", "a\nb"), "cannot be sent"),
        (("job", LONE), "cannot be sent"),
        (("job", ""), "'' is no id"),
        (("cancel", ".."), "'..' is no id"),
        (("checkpoints", "download", "."), "'.' is no id"),
        (("jobs", "--limit", "99999999999999999999"), "--limit"),
        (("wait", "job_1", "--timeout", "nan"), "--timeout"),
        (("checkpoints", "export", "x" * 65), "there is no checkpoint"),
        (("checkpoints", "import", "../x.pth"), "file: "),
        (("checkpoints", "list", "/dev/null"), "is not a folder"),
        (("checkpoints", "download", "ckpt_0001", "--to", "/dev/null"), "/dev/null: "),
        (("checkpoints", "reindex", "--data-dir", "/dev/null"), "is the volume mounted?"),
        (("up", "--data-dir", "/dev/null", "--port", "1024"), "choose another folder"),
        (("demo", "--data-dir", "/dev/null", "--port", "1024"), "choose another folder"),
        (("up", "--data-dir", "/proc/yard", "--port", "1024"), "choose another folder"),
        (("up", "--data-dir", LONE, "--port", "1024"), "is not UTF-8"),
        (("up", "--host", "ü" * 70, "--port", "1024"), "no address to listen on"),
        (("serve", "--host", "ü" * 70, "--port", "1024"), "no address to listen on"),
        (("serve", "--volume", "/dev/null", "--port", "1024"), "cannot create /dev/null"),
        (("serve", "--database-url", "nonsense", "--port", "1024"), "TRAINYARD_DATABASE_URL"),
        (("db", "upgrade", "--database-url", "sqlite:////dev/null/x.db"), "TRAINYARD_DATABASE_URL"),
        (("jobs", "--server", "localhost:8000"), "is not an address"),
        (("jobs", "--server", "http://[::1"), "is not an address"),
        (("jobs", "--token", "é"), "no HTTP header can carry"),
    ],
)
def test_a_wrong_argument_is_answered_with_a_sentence(
    run: Run,
    fake: Any,
    a_checkpoint: Any,
    args: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    fake.checkpoints = [a_checkpoint(1, b"x")]
    assert message in _sentence(run(*args))
    assert fake.jobs == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps({**SPEC, "params": None}), "params in the file must be an object"),
        (json.dumps({**SPEC, "params": []}), "params in the file must be an object"),
        (json.dumps({**SPEC, "params": "x"}), "params in the file must be an object"),
        ('{"params": {"x": NaN}}', "NaN is no finite number"),
        ('{"params": {"x": 1e999}}', "1e999 is no finite number"),
        (DEEP, "is not JSON"),
        ("", "is not JSON"),
        (b"\xff\xfe{", "is not JSON"),
        (b'{"name": "caf\xe9"}', "is not JSON"),
        (b"\x80\x02}q\x00.", "is not JSON"),
    ],
)
def test_a_wrong_file_is_answered_with_a_sentence(
    run: Run, fake: Any, text: str | bytes, message: str
) -> None:
    result = run("submit", "-", "--param", "total_iters=1", stdin=text)
    assert message in _sentence(result)
    assert fake.jobs == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ALL_PROXY": "socks5://proxy:1080"}, "SOCKS proxy"),
        ({"HTTP_PROXY": "nonsense://proxy"}, "no address like http://host:port"),
        ({"SSL_CERT_FILE": "/nowhere"}, "SSL_CERT_FILE"),
        ({"TRAINYARD_TOKEN": LONE}, "no HTTP header can carry"),
    ],
)
def test_what_the_environment_has_wrong_is_answered_with_a_sentence(
    run: Run, variables: dict[str, str], message: str
) -> None:
    result = run("jobs", "--server", "http://train.example", **variables)
    assert message in _sentence(result)


def test_proxies_of_the_environment_do_not_matter_on_this_machine(run: Run) -> None:
    assert run("jobs", ALL_PROXY="socks5://proxy:1080", no_proxy="::1,fe80::/10").exit_code == 0


@pytest.mark.parametrize(
    "spec", [{"x": float("nan")}, {"x": float("inf")}, {"x": "\ud800"}, {"x": {1, 2}}]
)
def test_the_client_refuses_what_json_cannot_hold(
    client: TrainyardClient, spec: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest, match="cannot be written as JSON"):
        client.submit(SPEC | {"params": spec})


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--labels", "a b=c"), "'a b' is no name of a label"),
        (("--labels", "a=1,a=2"), "there twice"),
        (("--labels", "a"), "name=value"),
        (("--server", "localhost:8000"), "is not an address like http://host:port"),
        (("--server", "http://train.example"), "SOCKS proxy"),
        (("--volume", "/dev/null/x"), "volume: "),
        (("--volume", "/dev/null"), "is not a folder"),
        (("--slots", "many"), "slots: "),
    ],
)
def test_a_worker_answers_wrong_settings_with_a_sentence(
    args: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    assert worker(["--volume", str(tmp_path), *args]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("args", [("jobs",), ("logs", "job_0001"), ("--help",)])
def test_a_full_disk_behind_stdout_is_a_sentence(
    fake: Any, a_job: Any, args: tuple[str, ...]
) -> None:
    fake.jobs, fake.log = [a_job(1)], "one\n"
    with Path("/dev/full").open("wb") as full:
        ended = _run(_trainyard(fake, *args), stdout=full)
    assert (ended.returncode, ended.stderr) == (1, b"trainyard: No space left on device\n")


def test_a_stdin_that_is_closed_is_a_sentence(fake: Any) -> None:
    script = f"{shlex.join(_trainyard(fake, 'submit', '-'))} <&-"
    ended = _run(["sh", "-c", script])
    assert (ended.returncode, ended.stderr.splitlines()) == (
        2,
        [b"trainyard: stdin is closed: give it the JSON, or name a file"],
    )


@pytest.mark.parametrize("args", [("jobs",), ("jobs", "--json")])
def test_a_terminal_of_another_encoding_has_escapes_for_what_it_lacks(
    fake: Any, a_job: Any, args: tuple[str, ...]
) -> None:
    fake.jobs = [a_job(1, name="日本 é", metrics={})]
    ended = _run(_trainyard(fake, *args), PYTHONIOENCODING="latin-1")
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert "\\u65e5\\u672c é".encode("latin-1") in ended.stdout


def _trainyard(fake: Any, *args: str) -> tuple[str, ...]:
    server = () if args == ("--help",) else ("--server", fake.url)
    return (sys.executable, "-m", "service.cli", *args, *server)


def _run(
    command: tuple[str, ...], stdout: Any = subprocess.PIPE, **variables: str
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=os.environ | variables,
        timeout=60,
        check=False,
    )
