"""A real Slurm of two nodes on this machine: its own folder, ports and key, nothing installed."""

import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from api_tests.support.polling import eventually

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "sbatch")
NODES = ("na", "nb")
_CONFIG = """
ClusterName=wide
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1
SlurmdTimeout=30
KillWait=30
MinJobAge=300
ReturnToService=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
PartitionName=usual Nodes=na,nb Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=na,nb MaxTime=INFINITE State=UP PriorityTier=9
"""
_NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1\n"


def missing_for_slurm() -> str:
    """Why no Slurm can be started here; empty if one can."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"no {', '.join(missing)}: apt-get install slurmctld slurmd slurm-client munge"
    return "" if os.geteuid() == 0 else "a Slurm is started as root alone"


class SlurmCluster:
    """Two slurmd, a slurmctld and a munged, each a child of this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}
        self._configure()
        for name in ("munged", "slurmctld", *NODES):
            self.start_daemon(name)
        eventually(lambda: self.node_states() == ["idle"] * len(NODES))

    def start_daemon(self, name: str) -> None:
        """Start munged, slurmctld, or the slurmd of a node."""
        folder = self.folder
        key = [f"--key-file={folder}/munge.key", f"--seed-file={folder}/munge.seed"]
        places = [f"--socket={folder}/munge.socket", f"--pid-file={folder}/munged.pid"]
        logs = [f"--log-file={folder}/munged.log"]
        command = {
            "munged": ["munged", "--force", "--foreground", *key, *places, *logs],
            "slurmctld": ["slurmctld", "-D"],
        }.get(name, ["slurmd", "-D", "-N", name])
        with (folder / f"{name}.out").open("ab") as log:
            self._daemons[name] = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log
            )
        if name == "munged":
            eventually((folder / "munge.socket").exists)

    def daemon(self, name: str) -> "subprocess.Popen[bytes]":
        """The process of a daemon."""
        return self._daemons[name]

    def run(self, *command: str) -> str:
        """What a command of Slurm prints; it must succeed."""
        ran = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def node_states(self) -> list[str]:
        """The states of the nodes, such as idle."""
        command = ["sinfo", "--noheader", "--Node", "--partition=usual", "--format=%t"]
        ran = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        return ran.stdout.split()

    def job_state(self, job_id: str) -> str:
        """The state of a job, such as RUNNING; empty for one that Slurm has forgotten."""
        command = ["squeue", "--noheader", "--states=all", f"--jobs={job_id}", "--format=%T"]
        ran = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        return ran.stdout.strip()

    def allocate(self, *flags: str, nodes: Sequence[str] = NODES) -> str:
        """An allocation without a shell; the id of its job."""
        self.run(
            "salloc", "--no-shell", f"--nodelist={','.join(nodes)}", f"--nodes={len(nodes)}", *flags
        )
        return self.run("squeue", "--noheader", "--states=R", "--sort=-i", "--format=%A").split()[0]

    def end_jobs(self) -> None:
        """Cancel every job, and wait until its nodes are free."""
        self.run("scancel", "--full", "--signal=KILL", "--state=RUNNING", "--user=root")
        self.run("scancel", "--user=root")
        eventually(lambda: self.node_states() == ["idle"] * len(NODES))

    def close(self) -> None:
        """End the daemons."""
        for name in reversed(list(self._daemons)):
            self._daemons[name].terminate()
            self._daemons[name].wait(30)

    def _configure(self) -> None:
        host = socket.gethostname()
        ports = _free_ports(1 + len(NODES))
        nodes = [
            _NODE.format(name=name, host=host, port=port)
            for name, port in zip(NODES, ports[1:], strict=True)
        ]
        config = _CONFIG.format(host=host, folder=self.folder, port=ports[0])
        (self.folder / "slurm.conf").write_text(config + "".join(nodes))
        for name in ("state", *(f"spool-{node}" for node in NODES)):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
