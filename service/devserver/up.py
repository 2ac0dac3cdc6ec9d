"""A whole yard in the foreground: `trainyard up`."""

from collections.abc import Callable

from service.client import TrainyardClient
from service.devserver.local_paths import LocalPaths
from service.devserver.state_announcer import StateAnnouncer
from service.devserver.supervisor import Supervisor
from service.settings import Settings

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_BEYOND_THE_GRACES_SECONDS = 30.0


def up(layout: LocalPaths, workers: int, settings: Settings, say: Callable[[str], None]) -> None:
    """Start a server and workers, and keep them until a signal says to end.

    Raises PortTaken, or Refused with the server's own words.
    """
    layout.require_free_port()
    layout.make()
    token = settings.token.get_secret_value() if settings.token else None

    def on_ready() -> None:
        herald.look()
        say(f"the yard is up: {layout.url}/ (data and logs in {layout.folder}; Ctrl-C ends it)")
        if layout.host not in _LOOPBACK and token is None:
            say("anybody who reaches this port may submit jobs: set TRAINYARD_TOKEN to change that")

    with TrainyardClient(layout.url, token, tries=1, timeout_seconds=1.0) as client:
        herald = StateAnnouncer(client, say)
        Supervisor(
            layout.server(),
            [layout.worker(number) for number in range(1, workers + 1)],
            ready=client.ready,
            say=say,
            on_ready=on_ready,
            on_tick=herald.look,
            # One to save, one to report.
            grace_seconds=2 * settings.kill_grace_seconds + _BEYOND_THE_GRACES_SECONDS,
        ).run()
