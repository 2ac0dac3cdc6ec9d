"""What `python -m service.main` says of settings with which it cannot start."""

from pathlib import Path

import pytest

from api_tests.support.server import environment
from service import main


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"port": "eighty"}, "TRAINYARD_PORT: Input should be a valid integer"),
        ({"port": "70000"}, "TRAINYARD_PORT: Input should be less than or equal to 65535"),
        ({"reassign_seconds": "-1"}, "TRAINYARD_REASSIGN_SECONDS: Input should be greater than 0"),
        ({"heartbeat_seconds": "nan"}, "TRAINYARD_HEARTBEAT_SECONDS: Input should be"),
        ({"heartbeat_seconds": "60"}, "heartbeat_seconds must be less than unreachable_seconds"),
        ({"stall_seconds": "0.001"}, "heartbeat_seconds must be less than stall_seconds"),
        ({"unreachable_seconds": "300"}, "unreachable_seconds must be less than reassign_seconds"),
        ({"self_end_seconds": "280"}, "else two workers could run one job"),
        ({"mlflow_uri": "mlflow:5000"}, "TRAINYARD_MLFLOW_URI: it must be an address like http"),
        ({"mlflow_uri": "http://a:b@c"}, "user and password belong into TRAINYARD_MLFLOW_TOKEN"),
        ({"host": "no.such.host.invalid"}, "cannot listen on no.such.host.invalid"),
        ({"volume": "/proc/nowhere"}, "cannot create /proc/nowhere"),
        ({"token": "s3cret "}, "TRAINYARD_TOKEN: the token has a blank"),
        ({"token": "s3cret\N{LATIN SMALL LETTER E WITH ACUTE}"}, "openssl rand -hex 24"),
        ({"host": "0.0.0.0"}, "set TRAINYARD_TOKEN, as `openssl rand -hex 24` gives one"),
        ({"host": "0.0.0.0"}, "make a first token with `trainyard token create --admin`"),
        ({"host": "::"}, "or listen on 127.0.0.1"),
        ({"database_url": "nonsense"}, "TRAINYARD_DATABASE_URL"),
        ({"database_url": "mysql://localhost/x"}, "TRAINYARD_DATABASE_URL"),
        ({"database_url": "postgresql://[::1/x"}, "TRAINYARD_DATABASE_URL"),
        ({"database_url": "sqlite://"}, "an SQLite database needs a file"),
        ({"database_url": "sqlite:////proc/nowhere/x.db"}, "TRAINYARD_DATABASE_URL"),
        ({"database_url": "postgresql://u:s3cret@127.0.0.1:1/x"}, "cannot be used"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    settings: dict[str, str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment(tmp_path, **settings).items():
        monkeypatch.setenv(name, value)
    # What a server does to its own process would stay in this one.
    monkeypatch.setattr(main, "setproctitle", lambda _: None)
    monkeypatch.setattr(main, "configure_logs", lambda: None)
    assert main.main() == 2
    stderr = capsys.readouterr().err
    assert message in stderr
    assert "s3cret" not in stderr
    assert stderr.count("\n") == 1
