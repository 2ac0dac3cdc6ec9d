"""What Slurm's commands say, and what is wrong where they say nothing; without a Slurm."""

from pathlib import Path

import pytest

from workers.launcher.base import CannotLaunch, LauncherOptions
from workers.launcher.slurm.allocation import own_allocation, seconds_of
from workers.launcher.slurm.engine import gone_tasks
from workers.launcher.slurm.launcher import SlurmLauncher
from workers.main import main

IN_ALLOCATION = {"SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "n[1-2]"}


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH, for commands of Slurm that a test writes."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in ("srun", "scontrol", "squeue", "scancel", "sinfo"):
        _write(folder / name, "exit 1")
    return folder


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1-02:03:04", 93784.0), ("2:03:04", 7384.0), ("4:30", 270.0), ("0:00", 0.0)],
)
def test_a_time_of_slurm_is_read_in_all_its_forms(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["UNLIMITED", "NOT_SET", "INVALID", ""])
def test_a_job_without_a_limit_has_no_seconds_left(text: str) -> None:
    assert seconds_of(text) is None


@pytest.mark.parametrize(
    ("line", "gone"),
    [
        ("srun: error: nb: task 1: Killed", [(1, "Killed")]),
        ("srun: error: n[1-3]: tasks 0-1,3: Killed", [(0, "Killed"), (1, "Killed"), (3, "Killed")]),
        ("srun: error: na: task 0: Exited with exit code 2", [(0, "Exited with exit code 2")]),
        ("srun: error: Node failure on nb", []),
        ("srun: launch/slurm: _step_signal: Terminating StepId=1.0", []),
    ],
)
def test_the_tasks_that_srun_says_have_ended_are_known(
    line: str, gone: list[tuple[int, str]]
) -> None:
    assert list(gone_tasks(line)) == gone


def test_a_worker_outside_an_allocation_is_told_of_sbatch_and_salloc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert main(["--launcher", "slurm", "--volume", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "sbatch" in told
    assert "salloc" in told


def test_a_node_without_slurms_commands_is_told_which_are_missing(commands: Path) -> None:
    (commands / "srun").unlink()
    with pytest.raises(CannotLaunch, match=r"needs srun on the PATH.*slurm-client"):
        own_allocation(IN_ALLOCATION)


def test_a_slurm_that_does_not_answer_is_quoted(commands: Path) -> None:
    _write(commands / "scontrol", "echo 'Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(CannotLaunch, match=r"job 7.*Unable to contact slurm controller"):
        own_allocation(IN_ALLOCATION)


def test_the_slots_of_a_slurm_worker_are_its_nodes() -> None:
    options = LauncherOptions("wrk_1", 2, "module:function")
    with pytest.raises(CannotLaunch, match="each node is a slot"):
        SlurmLauncher(options)


def test_an_allocation_offers_its_nodes_and_the_gpus_that_each_of_them_has(
    commands: Path,
) -> None:
    nodes = "NodeName=n1 Arch=x86 NodeAddr=10.0.0.1 State=UP\\nNodeName=n2 NodeAddr=10.0.0.2"
    _write(
        commands / "scontrol",
        f"case $2 in hostnames) printf 'n1\\nn2\\n';; *) printf '{nodes}\\n';; esac",
    )
    _write(commands / "srun", "printf '8\\n4\\n'")
    allocation = own_allocation(IN_ALLOCATION | {"SLURM_GPUS_ON_NODE": "8"})
    assert [(host.name, host.address) for host in allocation.hosts] == [
        ("n1", "10.0.0.1"),
        ("n2", "10.0.0.2"),
    ]
    assert allocation.host_gpus == 4
    assert own_allocation(IN_ALLOCATION).host_gpus == 0


def _write(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
