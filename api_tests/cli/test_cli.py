"""The commands, against a stand-in server over real HTTP."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.commands import Run, runner
from service.contract.jobs import Job


@pytest.fixture
def run(fake: Any) -> Run:
    return runner(fake.url, TRAINYARD_TOKEN="secret")


def test_submit_takes_a_file_and_prints_the_id(
    run: Run, fake: Any, spec: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "job.json"
    file.write_text(json.dumps(spec))
    result = run("submit", str(file))
    assert (result.exit_code, result.output) == (0, "job_0001\n")
    assert fake.requests_to("POST", "/jobs")[0]["authorization"] == "Bearer secret"


def test_submit_takes_stdin_and_prints_the_job_for_scripts(run: Run, spec: dict[str, Any]) -> None:
    result = run("submit", "-", "--json", stdin=json.dumps(spec))
    assert Job.model_validate_json(result.output).id == "job_0001"


def test_submit_takes_options_alone(run: Run, fake: Any) -> None:
    args = ("--recipe", "oneshot", "--dataset", "digits", "--name", "mine")
    assert run("submit", *args, "--param", "total_iters=7").exit_code == 0
    (job,) = fake.jobs
    assert (job.name, job.spec.data.dataset) == ("mine", "digits")
    assert job.spec.params["total_iters"] == 7


def test_options_go_before_the_file(run: Run, fake: Any, spec: dict[str, Any]) -> None:
    given = spec | {"params": {"total_iters": 5, "batch_size": 4}}
    run("submit", "-", "--param", "total_iters=7", stdin=json.dumps(given))
    params = fake.jobs[0].spec.params
    assert (params["total_iters"], params["batch_size"]) == (7, 4)


@pytest.mark.parametrize(
    ("args", "stdin", "status", "message"),
    [
        (("submit", "-"), "{", 2, "- is not JSON"),
        (("submit", "-"), "[]", 2, "must hold a JSON object"),
        (("submit", "/nowhere.json"), None, 2, "cannot be read"),
        (("submit",), None, 2, "give a JSON or YAML file"),
        (("submit", "--recipe", "oneshot", "--param", "x"), None, 2, "like total_iters=400"),
        (("job", "job_9"), None, 4, "there is no job job_9"),
        (("checkpoints", "latest"), None, 4, "nothing has been published yet"),
        (("jobs", "--server", "nonsense"), None, 2, "not an address"),
    ],
)
def test_an_error_is_a_sentence_on_stderr(
    run: Run, args: tuple[str, ...], stdin: str | None, status: int, message: str
) -> None:
    result = run(*args, stdin=stdin)
    assert (result.exit_code, result.stdout) == (status, "")
    assert message in result.stderr
    assert result.stderr.startswith("trainyard: ")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["jobs", "--state", "nix"],
        ["jobs", "--kind", "nix"],
        ["checkpoints", "list", "--order-by", "nix"],
    ],
)
def test_a_filter_that_there_is_not_is_refused_with_those_there_are(
    run: Run, fake: Any, args: list[str]
) -> None:
    refused = run(*args)
    assert refused.exit_code == 2
    assert f"Invalid value for '{args[-2]}': 'nix' is not one of" in refused.stderr
    assert not fake.requests


def test_jobs_in_a_pipe_are_whole_lines(run: Run, fake: Any, a_job: Any) -> None:
    fake.jobs = [a_job(2, name="a name that is much longer than any terminal " * 5), a_job(1)]
    lines = run("jobs").stdout.splitlines()
    assert len(lines) == 3
    assert lines[1].rstrip().endswith("12.34 %")


def test_jobs_for_scripts_are_json_a_line(run: Run, fake: Any, a_job: Any) -> None:
    fake.jobs = [a_job(number) for number in (3, 2, 1)]
    lines = run("jobs", "--json").stdout.splitlines()
    assert [Job.model_validate_json(line).id for line in lines] == [j.id for j in fake.jobs]
    assert len(run("jobs", "--json", "--limit", "1").stdout.splitlines()) == 1


def test_job_shows_what_it_waits_for(run: Run, fake: Any, a_job: Any) -> None:
    fake.jobs = [a_job(1, state="queued", wait_reason="no worker has 2 free GPUs")]
    assert "no worker has 2 free GPUs" in run("job", "job_0001").stdout


def test_job_shows_what_may_be_done_with_it(run: Run, fake: Any, a_job: Any) -> None:
    paths = {name: f"/jobs/job_0001/{name}" for name in ("pause", "cancel")}
    fake.jobs = [a_job(1, actions=[{"name": name, "path": path} for name, path in paths.items()])]
    lines = run("job", "job_0001").stdout.splitlines()
    assert [line.split(maxsplit=1) for line in lines if line.startswith("actions")] == [
        ["actions", "pause, cancel"]
    ]


def test_job_shows_where_its_time_went(run: Run, fake: Any, a_job: Any) -> None:
    progress = {"step": 9, "total_steps": 9}
    spent = {"data_wait_seconds": 300.0, "step_seconds": 260.0, "other_seconds": 40.0}
    fake.jobs = [a_job(1, progress=progress | {"time_spent": spent}), a_job(2, progress=progress)]
    lines = run("job", "job_0001").stdout.splitlines()
    assert f"{'time':<12}data wait 50 %, step 43 %, other 7 % of 10 min 0 s" in lines
    assert "time" not in run("job", "job_0002").stdout


def test_wait_shows_progress_as_lines_where_there_is_no_terminal(
    run: Run, fake: Any, a_job: Any
) -> None:
    fake.jobs = [a_job(1)]

    def end_after_the_first_answer() -> None:
        if fake.statuses("/jobs/job_0001"):
            fake.jobs = [a_job(1, state="succeeded")]

    fake.on_request = end_after_the_first_answer
    result = run("wait", "job_0001")
    assert result.exit_code == 0
    running, ended = result.stdout.splitlines()
    assert running == ("train: step 120 of 300, loss 0.5321, top-1 error 12.34 %, 311 images/s")
    assert ended.startswith("succeeded: ")


def test_wait_for_a_job_that_fails_ends_with_its_reason(run: Run, fake: Any, a_job: Any) -> None:
    fake.jobs = [a_job(1, state="failed", reason="invalid_data", message="3.png is no image")]
    result = run("wait", "job_0001")
    assert result.exit_code == 1
    assert result.stderr == "trainyard: job_0001 failed (invalid_data: 3.png is no image)\n"


def test_cancel_tells_the_state(run: Run) -> None:
    assert run("cancel", "job_0001").stdout == "cancelling\n"
    assert run("cancel", "job_0001", "--now").stdout == "cancelled\n"


def test_logs_are_printed_to_their_present_end(run: Run, fake: Any, a_job: Any) -> None:
    fake.jobs, fake.log = [a_job(1)], "one\ntwo\nthree\nfour\n"
    assert run("logs", "job_0001").stdout == fake.log


def test_followed_logs_end_with_the_job_and_miss_nothing(run: Run, fake: Any, a_job: Any) -> None:
    fake.jobs, fake.log = [a_job(1)], "one\n"

    def write_more_and_end() -> None:
        if fake.statuses("/jobs/job_0001/logs"):
            fake.log, fake.jobs = "one\ntwo\nthe last line\n", [a_job(1, state="succeeded")]

    fake.on_request = write_more_and_end
    assert run("logs", "job_0001", "--follow").stdout == "one\ntwo\nthe last line\n"


def test_checkpoints_are_listed_and_the_latest_named(
    run: Run, fake: Any, a_checkpoint: Any
) -> None:
    fake.checkpoints = [a_checkpoint(number, b"x" * 2000) for number in (3, 2, 1)]
    listed = run("checkpoints", "list").stdout
    assert [line.split()[0] for line in listed.splitlines()[1:]] == [
        "ckpt_0003",
        "ckpt_0002",
        "ckpt_0001",
    ]
    assert "2 kB" in listed
    assert run("checkpoints", "latest").stdout == "ckpt_0003\n"
    assert json.loads(run("checkpoints", "latest", "--json").stdout)["step"] == 3


def test_a_checkpoint_is_downloaded_into_a_folder(
    run: Run, fake: Any, a_checkpoint: Any, tmp_path: Path
) -> None:
    fake.checkpoints, fake.content = [a_checkpoint(1, b"weights")], b"weights"
    result = run("checkpoints", "download", "ckpt_0001", "--to", str(tmp_path))
    assert result.exit_code == 0
    assert (tmp_path / "model.safetensors").read_bytes() == b"weights"


def test_a_files_name_cannot_lead_out_of_the_folder(
    run: Run, fake: Any, a_checkpoint: Any, tmp_path: Path
) -> None:
    hostile = a_checkpoint(1, b"x").files["model.safetensors"]
    checkpoint = a_checkpoint(1, b"x").model_copy(update={"files": {"../evil": hostile}})
    fake.checkpoints = [checkpoint]
    folder = tmp_path / "folder"
    result = run("checkpoints", "download", "ckpt_0001", "--to", str(folder))
    assert result.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_the_list_has_the_error_of_a_training_and_of_an_eval(
    run: Run, fake: Any, a_job: Any
) -> None:
    fake.jobs = [
        a_job(1, metrics={"top1_error": 0.25}),
        a_job(2, kind="eval", metrics={}, result={"top1_error": 0.0194}),
    ]
    lines = run("jobs", "--server", fake.url).stdout.splitlines()[1:]
    assert sorted(line.split()[-2] for line in lines) == ["1.94", "25.00"]


def test_version_names_the_servers_too(run: Run, fake: Any) -> None:
    assert "1.2.3" in run("version", "--server", fake.url).stdout


def test_settings_that_could_run_a_job_twice_are_refused(tmp_path: Path) -> None:
    args = ["up", "--data-dir", str(tmp_path / "yard")]
    ended = subprocess.run(
        [sys.executable, "-m", "service.cli", *args],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=os.environ | {"TRAINYARD_SELF_END_SECONDS": "299"},
    )
    assert ended.returncode == 2
    assert "else two workers could run one job" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("by", ["file", "stdin"])
def test_submit_takes_json_in_each_encoding_that_the_api_takes(
    run: Run, fake: Any, spec: dict[str, Any], tmp_path: Path, encoding: str, by: str
) -> None:
    raw = json.dumps(spec | {"name": "café"}, ensure_ascii=False).encode(encoding)
    file = tmp_path / "job.json"
    file.write_bytes(raw)
    result = run("submit", str(file)) if by == "file" else run("submit", "-", stdin=raw)
    assert (result.exit_code, fake.jobs[0].name) == (0, "café")
