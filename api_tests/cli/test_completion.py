"""The completion that `--show-completion` prints, in a real shell."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_ASK = """
eval "$(trainyard --show-completion bash)"
function=$(complete -p trainyard | sed 's/.*-F \\([^ ]*\\).*/\\1/')
COMP_WORDS=(%s) COMP_CWORD=%d
$function "${COMP_WORDS[0]}"
printf '%%s\\n' "${COMPREPLY[@]}"
"""


def _offered(*words: str, server: str) -> list[str]:
    script = _ASK % (" ".join(f"'{word}'" for word in words), len(words) - 1)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "PATH": path, "TRAINYARD_SERVER": server, "SHELL": "/bin/bash"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert not done.stderr
    return [line for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("trainyard", "wat"), ["watch"]),
        (("trainyard", "webhooks", "red"), ["redeliver"]),
        (("trainyard", "show", "job_00"), ["job_0002", "job_0001"]),
        (("trainyard", "watch", "fir"), ["first"]),
    ],
)
def test_a_shell_completes_commands_and_the_ids_and_names_of_jobs(
    fake: Any, a_job: Any, words: tuple[str, ...], offered: list[str]
) -> None:
    fake.jobs = [a_job(2, name="two words"), a_job(1, name="first")]
    assert sorted(_offered(*words, server=fake.url)) == sorted(offered)


def test_without_a_server_no_job_is_offered_and_nothing_is_said(nobody: str) -> None:
    assert _offered("trainyard", "show", "job", server=nobody) == []
