"""Texts of users in a terminal: control characters are shown as escapes."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.commands import Run, runner
from service.cli import terminal

ROOT = Path(__file__).parents[2]

HOSTILE = {
    "colour": ("\x1b[31mred", "\\x1b[31mred"),
    "C1": ("\x9b31mred", "\\x9b31mred"),
    "row": ("mine\njob_9999  forged", "mine\\njob_9999  forged"),
    "over": ("mine\rover", "mine\\rover"),
    "bell": ("mine\x07\x01\x7f", "mine\\x07\\x01\\x7f"),
    "direction": ("a\u202egnp.exe", "a\\u202egnp.exe"),
    "line": ("a\u2028b\u0085c", "a\\u2028b\\x85c"),
    "markup": ("[bold]x[/nonsense] :smile:", "[bold]x[/nonsense] :smile:"),
}
PLAIN = ("日本　語", "naïve — “ok”", "👩‍🔬", "می‌خواهم", "a\\x1b")


@pytest.fixture
def run(fake: Any) -> Run:
    return runner(fake.url)


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_what_a_terminal_interprets_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert terminal.visible(text) == shown
    assert terminal.visible(shown) == shown


@pytest.mark.parametrize("text", PLAIN)
def test_words_of_every_script_are_shown_as_they_are(text: str) -> None:
    assert terminal.visible(text) == text


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_a_name_forges_no_row_of_a_table_and_no_line_of_a_job(
    run: Run, fake: Any, a_job: Any, text: str, shown: str
) -> None:
    fake.jobs = [a_job(1, name=text, state="failed", reason="crashed", message=f"x\nstate {text}")]
    listed = run("jobs").stdout
    assert len(listed.splitlines()) == 2
    assert shown in listed
    lines = run("job", "job_0001").stdout.splitlines()
    assert [line for line in lines if line.startswith("state ")] == [f"{'state':<12}failed"]
    assert f"{'name':<12}{shown}" in lines
    waited = run("wait", "job_0001")
    assert all(line.startswith(("trainyard: ", "  ")) for line in waited.stderr.splitlines())
    assert set(re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]", waited.output)) == set()


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_json_holds_the_same_text_in_escapes_of_its_own(
    run: Run, fake: Any, a_job: Any, text: str, shown: str
) -> None:
    fake.jobs = [a_job(1, name=text)]
    for printed in (run("job", "job_0001", "--json").stdout, run("jobs", "--json").stdout):
        assert json.loads(printed)["name"] == text
        assert terminal.visible(printed, "\n") == printed
    assert terminal.visible(shown) == shown


def test_why_a_job_waits_is_no_markup(run: Run, fake: Any, a_job: Any) -> None:
    fake.jobs = [a_job(1, state="queued", wait_reason="no worker has [/team]=\x1b[2J")]

    def end() -> None:
        if fake.statuses("/jobs/job_0001"):
            fake.jobs = [a_job(1, state="succeeded")]

    fake.on_request = end
    assert "queued (no worker has [/team]=\\x1b[2J)" in run("wait", "job_0001").stdout


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_log_on_a_terminal_has_no_control_sequences_however_it_is_cut(size: int) -> None:
    log = (
        "\x1b[1;31mred\x1b[0m\t\x1b]0;title\x07\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n"
        "10 %\r20 %\r\x1b[2K30 %\r\n\x1b(B\x9b1A\x07é\x1b"
    )
    parts = (log[start : start + size] for start in range(0, len(log), size))
    assert "".join(terminal.visible_log(parts)) == ("red\tlink\n10 %\r20 %\r30 %\r\n\\x07é\\x1b")


def test_a_log_is_plain_on_a_terminal_and_as_it_is_in_a_pipe(fake: Any, a_job: Any) -> None:
    fake.jobs, fake.log = [a_job(1)], "\x1b[31mred\x1b[0m 1 %\r2 %\nend\n"
    command = [sys.executable, "-m", "service.cli", "logs", "job_0001", "--server", fake.url]
    piped = subprocess.run(command, capture_output=True, timeout=30, check=True)
    assert piped.stdout.decode() == fake.log
    controller, terminal_end = pty.openpty()
    with subprocess.Popen(command, stdout=terminal_end) as process:
        os.close(terminal_end)
        shown = b""
        while not shown.endswith(b"end\r\n"):
            shown += os.read(controller, 1000)
        assert process.wait(30) == 0
    os.close(controller)
    assert shown == b"red 1 %\r2 %\r\nend\r\n"


def test_no_other_module_of_the_commands_prints() -> None:
    call = re.compile(r"typer\.echo|(?<![\w.])print\(|sys\.stdout\.write|(?<!\w)Console\(\w")
    rooms = (ROOT / "service" / "cli", ROOT / "service" / "client", ROOT / "service" / "devserver")
    printing = {
        path.name for room in rooms for path in room.rglob("*.py") if call.search(path.read_text())
    }
    assert printing == {"terminal.py"}
