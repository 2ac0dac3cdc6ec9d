"""The Slurm allocation that this process is in: its nodes, its GPUs, and the time that is left."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from workers.launcher.base import CannotLaunch
from workers.launcher.slurm.commands import SlurmFailed, answer_of, require_commands
from workers.launcher.wide.engine import Host

_TIME = re.compile(r"(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)")
_FIELD = re.compile(r"(\w+)=(\S+)")


@dataclass(frozen=True)
class Allocation:
    """The nodes of a job of Slurm, in Slurm's order; each has at least `host_gpus` GPUs for it."""

    job_id: str
    hosts: tuple[Host, ...]
    host_gpus: int


def own_allocation(environment: Mapping[str, str]) -> Allocation:
    """The allocation that the environment names; raises CannotLaunch."""
    job_id, nodes = environment.get("SLURM_JOB_ID"), environment.get("SLURM_JOB_NODELIST")
    if not job_id or not nodes:
        raise CannotLaunch(
            "launcher: slurm works in an allocation alone, and SLURM_JOB_ID is not set: submit "
            "deploy/slurm/worker.sh with sbatch, or start the worker in the shell that salloc gives"
        )
    require_commands()
    try:
        names = answer_of(["scontrol", "show", "hostnames", nodes])
        addresses = _addresses(answer_of(["scontrol", "--oneliner", "show", "node", nodes]))
        gpus = _host_gpus(len(names)) if environment.get("SLURM_GPUS_ON_NODE") else 0
    except SlurmFailed as error:
        raise CannotLaunch(
            f"launcher: Slurm does not say what job {job_id} has: {error}; check that it runs"
        ) from error
    hosts = tuple(Host(name, addresses.get(name, name)) for name in names)
    return Allocation(job_id, hosts, gpus)


def seconds_left(job_id: str) -> float | None:
    """The seconds until Slurm ends the job; None without a time limit. Raises SlurmFailed."""
    lines = answer_of(["squeue", "--noheader", f"--jobs={job_id}", "--format=%L"])
    return seconds_of(lines[0]) if lines else 0.0


def seconds_of(text: str) -> float | None:
    """A time as Slurm writes it, such as 1-02:03:04 or 2:30; None for one that is no number."""
    time = _TIME.fullmatch(text)
    if time is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in time.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def _addresses(lines: list[str]) -> dict[str, str]:
    nodes = [dict(_FIELD.findall(line)) for line in lines]
    return {node["NodeName"]: node["NodeAddr"] for node in nodes if "NodeAddr" in node}


def _host_gpus(nodes: int) -> int:
    # The nodes of one job may differ: a job gets what each of them has.
    count = ["sh", "-c", "echo ${SLURM_GPUS_ON_NODE:-0}"]
    every_node = [f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1"]
    return min(int(line) for line in answer_of(["srun", "--overlap", *every_node, *count]))
