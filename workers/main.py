"""`python -m workers`: one worker, until a signal drains it."""

import os
import signal
import socket
import sys
import threading
from pathlib import Path
from stat import S_ISDIR
from types import FrameType

import structlog
from pydantic import ValidationError
from pydantic_settings import CliApp
from setproctitle import setproctitle

from service import __version__
from service.contract.http_client import BadConnection
from service.contract.ids import new_id
from service.contract.kernel import become_subreaper, boot_clock
from service.contract.process_title import process_title
from service.contract.registration import Registration
from service.contract.sentences import sentences_of
from service.contract.traces import TracesUnavailable, tracer_of
from workers.agent.client import ControlPlane
from workers.agent.gpu_inventory import GpuInventory
from workers.agent.gpu_sources import gpu_source
from workers.agent.health_reporter import CannotWriteHealth, HealthReporter
from workers.agent.identity import own_identity
from workers.agent.loop import Agent
from workers.agent.worker_paths import WorkerPaths
from workers.launcher import launchers
from workers.launcher.base import CannotLaunch, LauncherOptions
from workers.recipes.catalog import catalog
from workers.settings import WorkerSettings
from workers.telemetry import log_to_stderr

RANK_MAIN = "workers.runs.preloaded:run_rank"
_log = structlog.get_logger()


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 once drained, 1 if the control plane refused, 2 for wrong settings."""
    try:
        settings = CliApp.run(WorkerSettings, cli_args=arguments)
    except ValidationError as error:
        for sentence in sentences_of(error):
            sys.stderr.write(f"{sentence}\n")
        return 2
    if settings.launcher not in launchers():
        known = ", ".join(launchers())
        sys.stderr.write(f"launcher: there is no {settings.launcher!r}; there is {known}\n")
        return 2
    if _is_no_folder(settings.volume):
        sys.stderr.write(f"volume: {settings.volume} is not a folder: name the shared volume\n")
        return 2
    try:
        return work(settings)
    except BadConnection as error:
        sys.stderr.write(f"server: {error}\n")
        return 2
    except (TracesUnavailable, CannotServeMetrics, CannotWriteHealth, CannotLaunch) as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _is_no_folder(path: Path) -> bool:
    try:
        return not S_ISDIR(path.stat().st_mode)
    except NotADirectoryError:
        return True
    except OSError:
        # It may be mounted later: the agent tells the server what it sees.
        return False


class CannotServeMetrics(Exception):
    """The metrics that the settings ask for cannot be served; the message says what to change."""


def work(settings: WorkerSettings, rank_main: str = RANK_MAIN) -> int:
    """Run an agent in this process until two signals, or one and its work, have ended it.

    Raises BadConnection, TracesUnavailable, CannotServeMetrics, CannotWriteHealth, CannotLaunch.
    """
    stop_retries = threading.Event()
    control_plane = ControlPlane(settings.server, settings.token, stop_retries)
    tracer = tracer_of(os.environ, "trainyard-worker")
    log_to_stderr()
    setproctitle(process_title("agent"))
    become_subreaper()
    worker_id = new_id("wrk")
    options = LauncherOptions(
        worker_id,
        settings.slots,
        rank_main,
        settings.last_claim_seconds,
        ray_address=settings.ray_address,
    )
    launcher = launchers()[settings.launcher](options)
    source = gpu_source(launcher)
    gpus = GpuInventory(os.environ.get("CUDA_VISIBLE_DEVICES"))
    if gpus.are_wanted:
        # While the launcher loads.
        gpus.take(source.listing(), ())
    hosts = launcher.hosts
    agent = Agent(
        worker_id,
        Registration(
            host=socket.gethostname(),
            process=own_identity(),
            gpus=gpus.gpus,
            slots=hosts if hosts > 1 else settings.slots,
            hosts=hosts,
            labels=settings.labels,
            version=__version__,
        ),
        paths=WorkerPaths(settings.volume, settings.data_root, settings.import_root),
        launcher=launcher,
        control_plane=control_plane,
        stop_retries=stop_retries,
        gpus=gpus,
        source=source,
        on_drain=settings.on_drain,
        clock=boot_clock,
        catalog=catalog(),
        tracer=tracer,
    )

    if settings.metrics_port is not None:
        _serve_metrics(settings.metrics_host, settings.metrics_port, agent)
    health: HealthReporter | None = None
    if settings.health_file is not None:
        health = HealthReporter(settings.health_file, agent.heartbeat_turns, boot_clock)
        health.start()

    def drain(_number: int, _frame: FrameType | None) -> None:
        agent.drain()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, drain)
    try:
        return agent.run()
    finally:
        if health is not None:
            health.close()
        if tracer is not None:
            tracer.close()


def _serve_metrics(host: str, port: int, agent: Agent) -> None:
    try:
        from workers.agent.metrics import MetricsAddress, serve_metrics
    except ImportError as error:
        message = f"--metrics-port needs {error.name}: install trainyard-service[workers]"
        raise CannotServeMetrics(message) from error
    try:
        chosen = serve_metrics(MetricsAddress(host, port), agent.figures)
    except OSError as error:
        raise CannotServeMetrics(
            f"metrics: cannot listen on {host}:{port} ({error.strerror}): choose another "
            "--metrics-port or --metrics-host"
        ) from error
    _log.info("serving_metrics", url=f"http://{host}:{chosen}/metrics")
