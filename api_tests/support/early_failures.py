"""A failed test is named when it has failed, not at the end of a long run, which may be cut off."""

import pytest


class _EarlyFailures:
    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.failed:
            return
        reason = getattr(getattr(report.longrepr, "reprcrash", None), "message", "")
        self._terminal.ensure_newline()
        self._terminal.write_line(f"{report.when} of {report.nodeid} failed: {reason[:300]}")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_EarlyFailures(terminal), "early_failures")
