"""A worker whose hosts are network namespaces: `python -m api_tests.support.namespace_worker`.

Its hosts are those that TRAINYARD_TEST_HOSTS names, as NAME=ADDRESS,NAME=ADDRESS. Its ranks wait
for each other for seconds, unless TRAINYARD_TEST_WAITS is `real`.
"""

import os
import sys

from pydantic_settings import CliApp

from api_tests.support.namespace_engine import NamespaceEngine
from workers import launcher, main
from workers.launcher.base import LauncherOptions
from workers.launcher.wide import handle
from workers.launcher.wide.engine import Host
from workers.launcher.wide.launcher import HostLauncher
from workers.settings import WorkerSettings

HOSTS, WAITS = "TRAINYARD_TEST_HOSTS", "TRAINYARD_TEST_WAITS"
LAUNCHER = "namespaces"


def namespace_launcher(options: LauncherOptions) -> HostLauncher:
    """Gives the namespaces that the environment names to attempts."""
    named = [host.partition("=") for host in os.environ[HOSTS].split(",")]
    hosts = [Host(name, address) for name, _, address in named]
    return HostLauncher(options, NamespaceEngine(), hosts, 0)


def work() -> int:
    """Run the worker; its exit status."""
    launcher._BUILTIN[LAUNCHER] = "api_tests.support.namespace_worker:namespace_launcher"
    rank_main = main.RANK_MAIN
    if os.environ.get(WAITS) != "real":
        handle.LAST_RANKS_SECONDS = 3.0
        rank_main = "api_tests.support.torch_ranks:waits_briefly"
    return main.work(CliApp.run(WorkerSettings, cli_args=[]), rank_main)


if __name__ == "__main__":
    sys.exit(work())
