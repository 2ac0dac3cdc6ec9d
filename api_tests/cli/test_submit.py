"""The submission of jobs by options, by files, and by both."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.runs import Run as Training
from api_tests.support.server import Server
from service.cli import app
from service.contract.catalog import builtin_catalog

Run = Callable[..., Result]
NOBODY = ("--worker-label", "for=nobody")
"""Without it the agent of another test would claim the job."""

ONESHOT = ("--recipe", "oneshot", "--dataset", "digits")


@pytest.fixture
def submitted(run: Run, server: Server) -> Callable[..., dict[str, Any]]:
    """The specification of the job that the options submit."""

    def spec(*args: str, stdin: str | None = None) -> dict[str, Any]:
        nobody = () if "--worker-label" in args else NOBODY
        result = run("submit", *args, *nobody, stdin=stdin)
        assert result.exit_code == 0, result.stderr
        body: dict[str, Any] = server.http.get(f"/jobs/{result.stdout.strip()}").json()
        return body["spec"] | {"kind": body["kind"]}

    return spec


@pytest.mark.parametrize("recipe", builtin_catalog().recipes, ids=lambda recipe: recipe.name)
def test_every_recipe_is_submitted_by_options_alone(
    submitted: Callable[..., dict[str, Any]], recipe: Any
) -> None:
    variant = recipe.variants[-1]
    folders = ("--train-dir", "photos/train", "--val-dir", "photos/val")
    classes = ("--param", "num_classes=10")
    spec = submitted("--recipe", recipe.name, "--variant", variant, *folders, *classes)
    assert (spec["recipe"], spec["variant"]) == (recipe.name, variant)
    assert spec["data"]["train_dir"] == "photos/train"


def test_every_field_of_a_submission_is_an_option(submitted: Callable[..., Any]) -> None:
    spec = submitted(
        *("--recipe", "shufflenet_v2", "--variant", "1.0x", "--packed", "photos.pack"),
        *("--exif-orientation", "apply", "-p", "num_classes=10", "-p", "learning_rate=0.25"),
        *("--name", "all of it", "--label", "team=vision", "--label", "owner:me"),
        *("--priority", "-7", "--gpus", "2", "--worker-label", "host=big", "--max-failures", "5"),
        "--preemptible",
        *("--keep-last", "4", "--keep-best", "2", "--keep-metric", "loss"),
    )
    assert spec["data"]["packed"] == "photos.pack"
    assert spec["data"]["exif_orientation"] == "apply"
    assert (spec["params"]["num_classes"], spec["params"]["learning_rate"]) == (10, 0.25)
    assert (spec["name"], spec["labels"]) == ("all of it", {"team": "vision", "owner": "me"})
    assert spec["resources"] == {"gpus": 2, "labels": {"host": "big"}}
    assert (spec["priority"], spec["preemptible"], spec["max_failures"]) == (-7, True, 5)
    assert spec["retention"] == {"keep_last": 4, "keep_best": 2, "metric": "loss"}


def test_gpus_may_be_a_range_of_them(submitted: Callable[..., Any]) -> None:
    of_file = json.dumps(
        {"recipe": "oneshot", "data": {"dataset": "digits"}, "resources": {"gpus": 4}}
    )
    assert submitted(*ONESHOT, "--gpus", "2:8")["resources"]["gpus"] == {"min": 2, "max": 8}
    mixed = submitted("-f", "-", "--gpus", "1:2", stdin=of_file)
    assert mixed["resources"]["gpus"] == {"min": 1, "max": 2}
    yaml = "recipe: oneshot\ndata: {dataset: digits}\nresources: {gpus: {min: 1, max: 4}}\n"
    assert submitted("-f", "-", stdin=yaml)["resources"]["gpus"] == {"min": 1, "max": 4}


@pytest.mark.parametrize("gpus", ["many", "2:", "2-8", "1:2:3", "-1", "²"])
def test_gpus_that_are_neither_a_number_nor_a_range_are_refused(run: Run, gpus: str) -> None:
    refused = run("submit", *ONESHOT, f"--gpus={gpus}")
    assert refused.exit_code == 2
    assert f"--gpus {gpus!r} must be a number like 4, or a range like 2:8" in refused.stderr


@pytest.mark.parametrize("of", ["tag", "@latest", "@best", "id", "file"])
def test_weights_are_named_by_checkpoint_job_or_file(
    submitted: Callable[..., Any], run: Run, server: Server, agent: FakeAgent, of: str
) -> None:
    training = Training(server, agent)
    named = agent.http.patch(f"/jobs/{training.job_id}", json={"name": f"source {agent.id}"})
    named.raise_for_status()
    whole = training.save(1, 0.5)
    agent.http.patch(f"/checkpoints/{whole}", json={"tags": [f"t-{agent.id}"]}).raise_for_status()
    reference = {
        "tag": f"t-{agent.id}",
        "@latest": f"source {agent.id}@latest",
        "@best": f"{training.job_id}@best",
        "id": whole,
        "file": "file:x.pth",
    }[of]
    if of == "file":
        shown = run("submit", *ONESHOT, "--init-from", reference, "--dry-run", "--json")
        assert json.loads(shown.stdout)["spec"]["init_from"]["file"] == "x.pth"
        return
    evaluated = submitted("--eval", reference, "--dataset", "digits")
    origin = {"job": training.job_id} if of.startswith("@") else {"id": whole}
    assert evaluated["kind"] == "eval"
    assert origin.items() <= evaluated["checkpoint"].items()
    trained = submitted("--init-from", reference, "--init-head", "replace", "--dataset", "digits")
    assert trained["kind"] == "train"
    assert (origin | {"head": "replace"}).items() <= trained["init_from"].items()


def test_data_alone_are_checked(submitted: Callable[..., Any]) -> None:
    spec = submitted("--kind", "check_data", "--packed", "photos.pack", "--batch-size", "32")
    assert (spec["kind"], spec["batch_size"]) == ("check_data", 32)


YAML = """\
kind: train
recipe: oneshot
data: {dataset: digits}
params:
  total_iters: 7
  learning_rate: 1e-3   # YAML 1.1 reads a text here
labels: {day: 2026-01-31, answer: no}
"""


@pytest.mark.parametrize("name", ["job.yaml", "-"])
def test_a_job_is_a_yaml_file_and_options_go_before_it(
    submitted: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    (tmp_path / "job.yaml").write_text(YAML)
    file = "-" if name == "-" else str(tmp_path / name)
    args = ("-f", file, "--param", "total_iters=9", "--label", "answer=yes")
    spec = submitted(*args, stdin=YAML)
    assert (spec["params"]["total_iters"], spec["params"]["learning_rate"]) == (9, 0.001)
    assert spec["labels"] == {"day": "2026-01-31", "answer": "yes"}


@pytest.mark.parametrize(
    ("options", "data"),
    [
        (("--dataset", "digits"), {"dataset": "digits"}),
        (("--packed", "b.pack"), {"packed": "b.pack"}),
        (("--val-dir", "c"), {"train_dir": "a", "val_dir": "c"}),
    ],
)
def test_a_source_of_data_replaces_that_of_the_file(
    submitted: Callable[..., Any], options: tuple[str, ...], data: dict[str, str]
) -> None:
    file = {"recipe": "oneshot", "data": {"train_dir": "a", "val_dir": "b"}}
    file["params"] = {"num_classes": 10}
    spec = submitted("-f", "-", *options, stdin=json.dumps(file))
    given = {name: value for name, value in spec["data"].items() if value is not None}
    assert {name: given[name] for name in data} == data
    assert given.keys() <= {*data, "exif_orientation"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not JSON or YAML"),
        ("recipe: oneshot\nrecipe: oneshot", "'recipe' is there twice in line 1"),
        ("- oneshot", 'must hold a JSON object like {"kind": "train"'),
        ("params: {x: .nan}", "nan is no finite number"),
        ("labels: x", "labels in the file must be an object"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(run: Run, text: str, message: str) -> None:
    refused = run("submit", "-f", "-", "--label", "a=b", stdin=text)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert message in refused.stderr


def test_a_key_makes_one_job(run: Run) -> None:
    args = ("submit", *ONESHOT, *NOBODY, "--idempotency-key", "only-once")
    assert run(*args).stdout == run(*args).stdout


def test_a_submitted_job_is_watched_to_its_end(fake: Any, a_job: Any) -> None:
    def end() -> None:
        if fake.statuses("/jobs/job_0001"):
            fake.jobs = [a_job(1, state="succeeded")]

    fake.on_request = end
    watched = CliRunner(env={"TRAINYARD_SERVER": fake.url}).invoke(
        app, ["submit", *ONESHOT, "--watch"]
    )
    assert watched.exit_code == 0
    assert watched.stdout.splitlines()[0] == "queued"
    assert watched.stdout.splitlines()[-1].startswith("succeeded: ")


def test_a_watched_job_that_fails_ends_the_submission_with_1(fake: Any, a_job: Any) -> None:
    def end() -> None:
        if fake.statuses("/jobs"):
            fake.jobs = [a_job(1, state="failed", reason="invalid_data")]

    fake.on_request = end
    args = ["submit", *ONESHOT, "--watch", "--json"]
    watched = CliRunner(env={"TRAINYARD_SERVER": fake.url}).invoke(app, args)
    assert watched.exit_code == 1
    assert json.loads(watched.stdout)["reason"] == "invalid_data"


def test_a_job_is_cloned_with_other_values(run: Run, server: Server, agent: FakeAgent) -> None:
    job = agent.submit(name="first", labels={"a": "b", "c": "d"})
    args = ("clone", job["id"], "-p", "learning_rate=0.125", "--name", "second", "--label", "c=")
    args = (*args, "--preemptible")
    copy = server.http.get(f"/jobs/{run(*args).stdout.strip()}").json()
    assert copy["spec"]["params"] == job["spec"]["params"] | {"learning_rate": 0.125}
    assert (copy["name"], copy["labels"]) == ("second", {"a": "b"})
    assert copy["spec"]["preemptible"] is True


def test_a_job_is_edited(run: Run, server: Server, agent: FakeAgent) -> None:
    job = agent.submit(name="first", labels={"a": "b"})
    args = ("--name", "new", "--label", "c=d", "--priority", "4", "--preemptible")
    assert run("edit", job["id"], *args).stdout == f"{job['id']}\n"
    edited = server.http.get(f"/jobs/{job['id']}").json()
    assert (edited["name"], edited["labels"]) == ("new", {"a": "b", "c": "d"})
    assert (edited["spec"]["priority"], edited["spec"]["preemptible"]) == (4, True)
    run("edit", job["id"], "--no-preemptible")
    assert "preemptible" not in server.http.get(f"/jobs/{job['id']}").json()["spec"]
    assert run("edit", job["id"]).exit_code == 2
