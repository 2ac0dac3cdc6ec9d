"""Settings of both sides may lie as files in a folder of secrets."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from service.contract.sentences import sentence_of
from service.settings import Settings
from workers.settings import WorkerSettings

TOKEN = "a-token-of-the-tests-0123456789"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRAINYARD_SECRETS_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("settings", [Settings, WorkerSettings])
def test_a_token_is_read_from_its_file(
    settings: type[Settings] | type[WorkerSettings], folder: Path
) -> None:
    (folder / "trainyard_token").write_text(f"{TOKEN}\n")
    (folder / "postgres_password").write_bytes(b"\xff")
    (folder / "trainyard_of_another_program").mkdir()
    assert settings().token == SecretStr(TOKEN)


def test_a_file_wins_over_a_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINYARD_DATABASE_URL", "sqlite:////srv/db/trainyard.db")
    (folder / "trainyard_database_url").write_text("postgresql+psycopg://a:b@postgres/trainyard")
    assert Settings().database_url == "postgresql+psycopg://a:b@postgres/trainyard"


def test_a_setting_without_a_file_keeps_its_variable(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "trainyard_token").write_text(TOKEN)
    monkeypatch.setenv("TRAINYARD_PORT", "8123")
    assert (Settings().port, Settings().volume) == (8123, Path("yard/volume"))


@pytest.mark.parametrize("settings", [Settings, WorkerSettings])
@pytest.mark.parametrize(
    ("content", "words"),
    [(b" \n", "is empty"), (b"\xff", "is not UTF-8"), (None, "Is a directory")],
)
def test_a_file_that_is_no_secret_is_refused_by_name(
    settings: type[Settings] | type[WorkerSettings],
    content: bytes | None,
    words: str,
    folder: Path,
) -> None:
    path = folder / "trainyard_token"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(ValidationError) as raised:
        settings()
    assert words in sentence_of(raised.value)
    assert str(path) in sentence_of(raised.value)


def test_a_folder_that_is_not_there_is_refused(folder: Path) -> None:
    folder.rmdir()
    with pytest.raises(ValidationError) as raised:
        Settings()
    assert "name the folder of the secrets, or set none" in sentence_of(raised.value)


def test_an_invalid_value_of_a_file_is_refused_without_showing_it(folder: Path) -> None:
    (folder / "trainyard_token").write_text("a secret with spaces")
    with pytest.raises(ValidationError) as raised:
        Settings()
    assert "token" in sentence_of(raised.value)
    assert "with spaces" not in sentence_of(raised.value)
