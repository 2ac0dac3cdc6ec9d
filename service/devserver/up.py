"""A control plane and its workers in the foreground: `trainyard up`."""

from collections.abc import Callable

from service.client import TrainyardClient
from service.devserver.local_paths import LocalPaths
from service.devserver.state_announcer import StateAnnouncer
from service.devserver.supervisor import Supervisor, unfailing

_EXTRA_GRACE_SECONDS = 30.0


def up(
    paths: LocalPaths,
    workers: int,
    token: str | None,
    kill_grace_seconds: float,
    print_line: Callable[[str], None],
) -> None:
    """Run a server and `workers` workers until a termination signal arrives.

    Raises PortInUse, and StartRefused with the server's message when the server cannot start.
    """
    paths.require_free_port()
    paths.make_folders()

    print_line = unfailing(print_line)

    def on_ready() -> None:
        announcer.poll()
        print_line(
            f"Trainyard is running: {paths.url}/ "
            f"(data and logs are in {paths.folder}; Ctrl-C stops it)"
        )

    with TrainyardClient(paths.url, token, tries=1, timeout_seconds=1.0) as client:
        announcer = StateAnnouncer(client, print_line)
        Supervisor(
            paths.server(),
            [paths.worker(number) for number in range(1, workers + 1)],
            ready=client.ready,
            print_line=print_line,
            on_ready=on_ready,
            on_tick=announcer.poll,
            # One kill grace to save a checkpoint, and one to report the end of the attempt.
            grace_seconds=2 * kill_grace_seconds + _EXTRA_GRACE_SECONDS,
        ).run()
