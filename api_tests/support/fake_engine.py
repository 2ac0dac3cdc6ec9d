"""A stand-in for the engine that starts the host processes of a wide attempt."""

from collections.abc import Callable, Sequence

from workers.launcher.process_exit import ProcessExit
from workers.launcher.wide.engine import Closed, EngineMessage, Host, Line
from workers.launcher.wide.messages import HostReport, end_reports

HOSTS = (Host("na", "10.0.0.1"), Host("nb", "10.0.0.2"))


class FakeEngine:
    """Keeps what is sent; the test says what comes back."""

    number_variable = "NUMBER"

    def __init__(self, error: Exception | None = None) -> None:
        self.sent: list[str] = []
        self.is_killed = self.is_sure = False
        self._error = error
        self._ended: set[int] = set()

    def start(
        self,
        command: Sequence[str],  # noqa: ARG002
        hosts: Sequence[Host],  # noqa: ARG002
        receive: Callable[[EngineMessage], None],
    ) -> "FakeEngine":
        """Keep who receives, or raise the error of this engine."""
        if self._error is not None:
            raise self._error
        self.receive = receive
        return self

    def send(self, line: str) -> None:
        """Keep the line."""
        self.sent.append(line)

    def kill(self) -> None:
        """Note that it was asked to."""
        self.is_killed = True

    def have_ended(self) -> bool:
        """Whether it is sure of the end of all hosts."""
        return self.is_sure

    def report(self, report: HostReport) -> None:
        """A host says this."""
        self.receive(Line(report.line))

    def end(self, host: int, exit_: ProcessExit) -> None:
        """All ranks of a host have ended, and with the last host its launcher."""
        for report in end_reports(host, exit_):
            assert len(report.line) < 1000
            self.report(report)
        self._ended.add(host)
        if len(self._ended) == len(HOSTS):
            self.receive(Closed("srun ended with status 0"))
