import sys

import pytest
from typer.testing import CliRunner

from service.cli import app


@pytest.mark.parametrize(
    ("command", "absent", "sentence"),
    [
        (
            ["serve"],
            "uvicorn",
            "trainyard serve needs the server extra: pip install 'trainyard-service[server]'",
        ),
        (
            ["worker"],
            "torch",
            "trainyard worker needs the workers extra: pip install 'trainyard-service[workers]'",
        ),
        (
            ["up"],
            "torch",
            "trainyard up needs the workers extra: pip install 'trainyard-service[workers]'",
        ),
    ],
)
def test_a_command_whose_extra_is_not_installed_says_which_to_install(
    monkeypatch: pytest.MonkeyPatch, command: list[str], absent: str, sentence: str
) -> None:
    monkeypatch.setitem(sys.modules, absent, None)
    refused = CliRunner().invoke(app, command)
    assert (refused.exit_code, refused.stderr) == (2, f"{sentence}\n")
