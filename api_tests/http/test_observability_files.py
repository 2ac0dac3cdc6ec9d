"""The Grafana dashboard and the alert rules name metrics that a scrape really has."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import wait_for

FOLDER = Path(__file__).parents[2] / "deploy" / "observability"
METRIC = re.compile(r"\btrainyard_\w+")
BRACES = re.compile(r"(trainyard_\w+)\{([^}]*)\}")
LABEL = re.compile(r"(\w+)(?:=~|!~|!=|=)")


def expressions() -> Iterator[str]:
    """Each query of the dashboard, and the expression of each alert."""
    dashboard = json.loads((FOLDER / "grafana" / "trainyard.json").read_text())
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    rules: dict[str, Any] = yaml.safe_load((FOLDER / "alerts.yml").read_text())
    for group in rules["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


@pytest.fixture
def scraped(agent: FakeAgent) -> dict[str, set[str]]:
    """By name of a metric its labels, of a server that has done a little of everything."""
    agent.submit()
    claim = agent.claim()
    agent.save(claim, 10)
    agent.report(claim)
    wait_for(lambda: "trainyard_space_free_bytes{" in _text(agent.http), "the space")
    wait_for(lambda: "trainyard_jobs{" in _text(agent.http), "another count")
    return {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(_text(agent.http))
        for sample in family.samples
    }


def test_every_metric_and_label_that_the_files_name_is_there(
    scraped: dict[str, set[str]],
) -> None:
    queries = list(expressions())
    assert len(queries) > 30
    named = {name for query in queries for name in METRIC.findall(query)}
    assert len(named) > 20
    assert named <= set(scraped)
    for query in queries:
        for name, braces in BRACES.findall(query):
            assert set(LABEL.findall(braces)) <= scraped[name], query


def test_the_documentation_has_every_metric(scraped: dict[str, set[str]]) -> None:
    text = (FOLDER.parents[1] / "docs" / "observability.md").read_text()
    suffixes = re.compile(r"_(bucket|count|sum|created)$")
    names = {suffixes.sub("", name) for name in scraped if name.startswith("trainyard_")}
    assert len(names) > 20
    assert not [name for name in names if f"`{name}`" not in text]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (Debian: prometheus)")
def test_promtool_finds_nothing_wrong_with_the_rules() -> None:
    checked = subprocess.run(
        ["promtool", "check", "rules", FOLDER / "alerts.yml"], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (Debian: prometheus)")
def test_promtool_finds_nothing_wrong_with_a_scrape(http: httpx.Client) -> None:
    command = ["promtool", "check", "metrics"]
    checked = subprocess.run(command, input=_text(http), capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _text(http: httpx.Client) -> str:
    return http.get("/metrics").text
