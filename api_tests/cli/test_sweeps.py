"""`trainyard sweep`, against a real server and a worker that a test plays."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server
from api_tests.support.sweep_calls import a_sweep, run_trials
from service.cli.completion import sweeps_beginning_with
from service.contract.sweep_specs import Asha, NewSweep, Objective
from service.contract.sweeps import SweepState, TrialState

DOCUMENT = Path(__file__).parents[2] / "docs" / "sweeps.md"
Run = Callable[..., Result]
Make = Callable[..., str]
YAML = """
job: {recipe: oneshot, data: {dataset: digits}, resources: {labels: {for: nobody}}}
parameters:
  learning_rate: {low: 1e-2, high: 1e0, log: true}
  batch_size: {values: [16, 32]}
method: {kind: random, trials: 3}
"""


@pytest.fixture
def make(run: Run, agent: FakeAgent, tmp_path: Path) -> Make:
    """Begins a sweep from a JSON file by the command, and returns its id."""

    def made(*args: str, **more: Any) -> str:
        path = tmp_path / "sweep.json"
        path.write_text(json.dumps(a_sweep(agent, **more)))
        result = run("sweep", "create", "-f", str(path), *args)
        assert result.exit_code == 0, result.output
        return result.stdout.strip()

    return made


def test_a_dry_run_of_a_yaml_file_checks_it_and_begins_nothing(run: Run) -> None:
    before = run("sweep", "list", "--json").stdout
    checked = run("sweep", "create", "-f", "-", "--dry-run", stdin=YAML)
    assert (checked.exit_code, checked.stdout) == (
        *(0, "It can run, with 3 trials at most; nothing was stored.\n"),
    )
    whole = run("sweep", "create", "-f", "-", "--dry-run", "--json", stdin=YAML)
    assert json.loads(whole.stdout)["jobs_at_once"] == 4
    assert run("sweep", "list", "--json").stdout == before


def test_a_file_that_holds_no_object_is_shown_how_a_sweep_begins(run: Run) -> None:
    refused = run("sweep", "create", "-f", "-", stdin="[]")
    assert refused.exit_code == 2
    assert '- must hold a JSON object like {"job": …, "parameters": …}' in refused.output


def test_the_files_of_the_documentation_can_be_pasted(run: Run) -> None:
    files = re.findall(r"^```yaml\n(.*?)^```$", DOCUMENT.read_text(), re.M | re.S)
    assert len(files) == 3
    for text in files:
        checked = run("sweep", "create", "-f", "-", "--dry-run", stdin=text)
        assert (checked.exit_code, checked.stdout[:10]) == (0, "It can run"), checked.output


def test_the_document_names_every_field_and_state_of_a_sweep() -> None:
    document = DOCUMENT.read_text()
    kinds = (NewSweep, Objective, Asha)
    fields = {name for kind in kinds for name in kind.model_fields} - {"kind"}
    for name in fields | set(SweepState) | set(TrialState):
        assert f"`{name}`" in document or f"{name}:" in document, name


def test_a_training_that_would_be_refused_ends_with_3_and_its_field(run: Run) -> None:
    text = YAML.replace("[16, 32]", "[16, -1]")
    for more in (["--dry-run"], []):
        refused = run("sweep", "create", "-f", "-", *more, stdin=text)
        assert (refused.exit_code, refused.stdout) == (3, "")
        assert "/parameters/batch_size" in refused.stderr


def test_a_sweep_is_watched_to_its_end_and_shows_its_best_trial(
    run: Run, agent: FakeAgent, make: Make
) -> None:
    sweep_id = make(name=f"rates {agent.id}")
    run_trials(agent, {0.5: 0.75, 0.25: 0.125})
    watched = run("sweep", "watch", f"rates {agent.id}")
    assert watched.exit_code == 0, watched.output
    assert "finished: 2 of 2 trials ended, 0 live, best top1_error 0.125 (trial 2)" in (
        watched.stdout
    )
    facts = dict(re.findall(r"^(\w+) +(.*)$", run("sweep", "show", sweep_id).stdout, re.M))
    assert facts["sweep"] == sweep_id
    assert facts["trials"] == "2 of 2 ended, 2 succeeded"
    assert facts["best"] == "top1_error 0.125 (trial 2)"
    assert facts["parameters"] == "learning_rate=0.25"
    job = json.loads(run("show", facts["job"], "--json").stdout)
    assert job["spec"]["params"]["learning_rate"] == 0.25
    checkpoint = json.loads(run("checkpoints", "best", "--job", job["id"], "--json").stdout)
    assert facts["checkpoint"] == checkpoint["id"]
    lines = run("sweep", "trials", sweep_id).stdout.splitlines()
    assert [line.split()[:4] for line in lines[1:]] == [
        ["1", "succeeded", "learning_rate=0.5", "0.75"],
        ["2", "succeeded", "learning_rate=0.25", "0.125"],
    ]
    assert facts["job"] in lines[2]
    first = json.loads(run("sweep", "trials", sweep_id, "--json", "--limit", "1").stdout)
    assert (first["number"], first["parameters"]) == (1, {"learning_rate": 0.5})


def test_a_watched_sweep_of_which_no_trial_succeeded_ends_with_1(
    run: Run, agent: FakeAgent, make: Make
) -> None:
    sweep_id = make(rates=(0.5,))
    run_trials(agent, {0.5: None})
    watched = run("sweep", "watch", sweep_id, "--json")
    assert watched.exit_code == 1, watched.output
    assert "no trial succeeded" in watched.stderr
    assert json.loads(watched.stdout)["state"] == "finished"
    assert "failed" in run("sweep", "trials", sweep_id).stdout


def test_a_sweep_is_paused_resumed_cancelled_and_deleted(run: Run, make: Make) -> None:
    sweep_id = make()
    assert run("sweep", "pause", sweep_id[:-2]).stdout == "paused\n"
    listed = run("sweep", "list", "--state", "paused", "--json").stdout.splitlines()
    assert sweep_id in [json.loads(line)["id"] for line in listed]
    assert sweep_id not in run("sweep", "list", "--state", "running").stdout
    late = run("sweep", "watch", sweep_id, "--timeout", "0")
    assert (late.exit_code, "it goes on" in late.stderr) == (6, True)
    assert run("sweep", "resume", sweep_id).stdout == "running\n"
    refused = run("sweep", "delete", sweep_id)
    assert (refused.exit_code, "cancel it first" in refused.stderr) == (3, True)
    assert run("sweep", "cancel", sweep_id).stdout.strip() in ("cancelling", "cancelled")
    watched = run("sweep", "watch", sweep_id)
    assert (watched.exit_code, "cancelled by a user" in watched.stderr) == (1, True)
    assert run("sweep", "delete", sweep_id).stdout == f"deleted {sweep_id}\n"
    gone = run("sweep", "show", sweep_id)
    assert (gone.exit_code, gone.stdout) == (4, "")


def test_the_same_key_makes_no_second_sweep(agent: FakeAgent, make: Make) -> None:
    key = f"key of {agent.id}"
    assert make("--key", key) == make("--key", key)


def test_the_newest_sweep_is_named_by_last_and_an_unknown_one_is_not_found(
    run: Run, make: Make
) -> None:
    sweep_id = make()
    assert sweep_id in run("sweep", "show", "@last").stdout
    unknown = run("sweep", "show", "nobody")
    assert (unknown.exit_code, "there is no sweep 'nobody'" in unknown.stderr) == (4, True)


def test_a_shell_is_offered_the_ids_and_names_of_sweeps(
    agent: FakeAgent, server: Server, make: Make
) -> None:
    sweep_id = make(name=f"offered-{agent.id}")
    context: Any = type("Context", (), {"params": {"server": server.url}})()
    names = sweeps_beginning_with(context, f"offered-{agent.id}")
    assert names == [(f"offered-{agent.id}", f"running {sweep_id}")]
    assert [each[0] for each in sweeps_beginning_with(context, sweep_id)] == [sweep_id]
