"""docker-compose.yml is what the tool itself takes, and no secret is in an environment."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from service.settings import Settings
from workers.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
COMPOSE = Path(sys.executable).with_name("docker-compose")
TOKEN = "token-of-the-test"
PASSWORD = "password-of-the-test"
RAY_TOKEN = "token-of-ray-in-the-test"
URL = f"postgresql://trainyard:{PASSWORD}@postgres/trainyard"
ADDRESS = "TRAINYARD_RAY_ADDRESS"
SECRETS = {
    "TRAINYARD_TOKEN": TOKEN,
    "POSTGRES_PASSWORD": PASSWORD,
    "RAY_AUTH_TOKEN": RAY_TOKEN,
    "TRAINYARD_DATABASE_URL": URL,
}


def compose(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """`docker compose` with the project's file; it asks no engine."""
    given = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables}
    command = [COMPOSE, "--project-directory", ROOT, "--env-file", "/dev/null", *arguments]
    return subprocess.run(command, env=given, capture_output=True, text=True)


def resolved(*flags: str, **variables: str) -> dict[str, Any]:
    """The file as the tool has resolved it; it refuses what is not in its schema."""
    done = compose(*flags, "config", "--format", "json", **variables)
    assert done.returncode == 0, done.stderr
    model: dict[str, Any] = json.loads(done.stdout)
    return model


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return resolved("--profile", "*", **SECRETS)


def test_each_profile_adds_its_services(whole: dict[str, Any]) -> None:
    plain = resolved(TRAINYARD_TOKEN=TOKEN)["services"]
    assert set(plain) == {"server", "worker"}
    profiles = {name: service.get("profiles", []) for name, service in whole["services"].items()}
    assert {name: named for name, named in profiles.items() if named} == {
        "worker-gpu": ["gpu"],
        "ray-head": ["ray"],
        "ray-node": ["ray"],
        "worker-ray": ["ray"],
        "postgres": ["postgres"],
        "prometheus": ["monitoring"],
        "grafana": ["monitoring"],
    }


def test_without_a_token_nothing_starts_and_the_tool_says_what_to_set() -> None:
    done = compose("config", "--quiet")
    assert done.returncode != 0
    assert "openssl rand -hex 24" in done.stderr


def test_no_secret_is_in_the_environment_of_a_service(whole: dict[str, Any]) -> None:
    shown = json.dumps(whole["services"])
    assert TOKEN not in shown
    assert PASSWORD not in shown
    assert RAY_TOKEN not in shown


def test_the_database_is_sqlite_unless_a_url_names_another(whole: dict[str, Any]) -> None:
    [plain] = resolved(TRAINYARD_TOKEN=TOKEN)["configs"].values()
    assert plain["content"] == "sqlite:////srv/db/trainyard.db"
    [given] = whole["configs"].values()
    assert given["content"] == URL


def test_the_files_of_secrets_are_settings_of_what_reads_them(whole: dict[str, Any]) -> None:
    """A file of another name would be nobody's concern, and the server without a token."""
    for name, fields in {
        "server": Settings.model_fields,
        "worker": WorkerSettings.model_fields,
    }.items():
        service = whole["services"][name]
        targets = [each["target"] for each in service["secrets"] + service.get("configs", [])]
        assert {Path(target).parent for target in targets} == {
            Path(service["environment"]["TRAINYARD_SECRETS_DIR"])
        }
        assert {Path(target).name.removeprefix("trainyard_") for target in targets} <= set(fields)


def test_everything_has_a_health_check_of_its_own_or_of_its_image(whole: dict[str, Any]) -> None:
    own = {name: service.get("healthcheck") for name, service in whole["services"].items()}
    assert {name for name, check in own.items() if check is None} == {
        "server",
        "worker",
        "worker-gpu",
    }
    for name, check in own.items():
        if check is not None:
            assert not check.get("disable", False)
            assert check["test"][0] == "CMD"
            continue
        dockerfile = ROOT / whole["services"][name]["build"]["dockerfile"]
        last_stage = dockerfile.read_text().rpartition("\nFROM ")[2]
        assert re.search(r"^HEALTHCHECK --", last_stage, re.MULTILINE), name


def test_no_image_is_without_a_tag_and_what_is_pulled_is_a_release(whole: dict[str, Any]) -> None:
    for service in whole["services"].values():
        # One without a tag is `latest`, which is another image on another day.
        name, _, tag = service["image"].partition(":")
        assert tag not in ("", "latest"), name
        if "build" not in service:
            assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-[a-z]+)?", tag), name


def test_ray_wants_its_token_and_its_worker_is_that_of_the_launcher(whole: dict[str, Any]) -> None:
    services = whole["services"]
    for name in ("ray-head", "ray-node", "worker-ray"):
        environment = services[name]["environment"]
        assert environment["RAY_AUTH_MODE"] == "token"
        assert environment["RAY_AUTH_TOKEN_PATH"] in [
            secret["target"] for secret in services[name]["secrets"]
        ]
        assert services[name]["build"]["args"]["EXTRAS"] == "workers,otel,ray"
    given = services["worker-ray"]["environment"]
    settings = WorkerSettings(launcher=given["TRAINYARD_LAUNCHER"], ray_address=given[ADDRESS])
    head = services["ray-head"]
    assert settings.ray_address == f"{head['hostname']}:6379"
    assert "--port=6379" in head["command"]


def test_a_worker_has_time_to_save_and_memory_to_share(whole: dict[str, Any]) -> None:
    for name in ("worker", "worker-gpu", "ray-node", "worker-ray"):
        worker = whole["services"][name]
        assert worker["stop_grace_period"] == "1m30s"
        assert int(worker["shm_size"]) == 8 << 30
    [device] = whole["services"]["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])


def test_every_mounted_file_of_ours_is_there(whole: dict[str, Any]) -> None:
    volumes = [each for service in whole["services"].values() for each in service["volumes"]]
    files = [
        Path(each["source"]) for each in volumes if each["source"].startswith(f"{ROOT}/deploy/")
    ]
    assert len(files) == 5
    assert all(path.is_file() for path in files)


def test_grafana_looks_where_its_files_are_mounted(whole: dict[str, Any]) -> None:
    targets = {
        Path(each["source"]).name: Path(each["target"])
        for each in whole["services"]["grafana"]["volumes"]
    }
    # As Grafana's image has it, unless GF_PATHS_PROVISIONING names another.
    provisioning = Path("/etc/grafana/provisioning")
    assert targets["datasources.yml"].parent == provisioning / "datasources"
    assert targets["dashboards.yml"].parent == provisioning / "dashboards"
    assert "environment" not in whole["services"]["grafana"]
    [provider] = of_grafana("dashboards.yml")["providers"]
    assert Path(provider["options"]["path"]) == targets["trainyard.json"].parent
    [source] = of_grafana("datasources.yml")["datasources"]
    assert urlsplit(source["url"]).hostname in whole["services"]


def of_grafana(name: str) -> dict[str, Any]:
    """A file of deploy/observability/grafana."""
    text = (ROOT / "deploy" / "observability" / "grafana" / name).read_text()
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    """The check of the schema is real."""
    path = tmp_path / "more.yml"
    path.write_text("services: {server: {restarts: always}}\n")
    done = compose("-f", str(ROOT / "docker-compose.yml"), "-f", str(path), "config", **SECRETS)
    assert done.returncode != 0
    assert "restarts" in done.stderr
