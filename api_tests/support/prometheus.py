"""A real Prometheus that scrapes a test's server by the repository's own configuration."""

import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx
import yaml

from api_tests.support.server import wait_for

FOLDER = Path(__file__).parents[2] / "deploy" / "observability"
PATIENCE_SECONDS = 60.0


class Prometheus:
    """A process on a free port of 127.0.0.1 that has all its files in `folder`."""

    def __init__(self, folder: Path, target: str, token: str) -> None:
        self._folder, self._token_file = folder, folder / "trainyard_token"
        self.use_token(token)
        shutil.copy(FOLDER / "alerts.yml", folder)
        config = _adapted(self._token_file, target)
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        with (folder / "prometheus.log").open("w") as log:
            self._process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={folder}/prometheus.yml",
                    f"--storage.tsdb.path={folder}/series",
                    f"--web.listen-address={address}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._http = httpx.Client(base_url=f"http://{address}", timeout=PATIENCE_SECONDS)

    def use_token(self, token: str) -> None:
        """Write the file that Prometheus reads before each scrape."""
        self._token_file.write_text(token, encoding="utf-8")

    def wait_until_ready(self) -> None:
        """Return once it answers queries; fails with its log if it ends instead."""
        wait_for(self._is_ready, "Prometheus", PATIENCE_SECONDS)

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The labels and the newest value of each series of an expression."""
        found = self._get("query", query=expression)["result"]
        return [(each["metric"], float(each["value"][1])) for each in found]

    def target(self) -> dict[str, Any]:
        """What it knows of its only target: `health`, `lastError`, `scrapeUrl`."""
        (target,) = self._get("targets", state="active")["activeTargets"]
        return dict(target)

    def rules(self) -> list[dict[str, Any]]:
        """Each alert rule that it has loaded: `name`, `health`, `state`, `lastError`."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def stop(self) -> None:
        """End the process."""
        self._http.close()
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, (self._folder / "prometheus.log").read_text()
        try:
            return self._http.get("/-/ready").status_code == 200
        except httpx.ConnectError:
            return False

    def _get(self, path: str, **query: str) -> Any:
        answer = self._http.get(f"/api/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


def _adapted(token_file: Path, target: str) -> dict[str, Any]:
    """The repository's configuration, with the places and the intervals of a test."""
    config: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    (scrape,) = config["scrape_configs"]
    scrape["authorization"]["credentials_file"] = str(token_file)
    scrape["static_configs"][0]["targets"] = [target]
    # The timeout of a scrape is no longer than its interval: a busy server needs some of it.
    scrape["scrape_interval"] = "2s"
    # The rules are evaluated once a minute else.
    return config | {"global": {"evaluation_interval": "1s"}}
