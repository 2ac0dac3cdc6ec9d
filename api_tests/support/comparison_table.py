"""After the tests: a table of what each variant was compared in.

The suite's own conftest brings it: with xdist the process that reports loads no other.
"""

import pytest

COLUMNS = ("tensors", "parameters", "multiply-adds", "logits compared", "largest difference / std")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows: dict[str, dict[str, object]] = {}
    for report in terminalreporter.getreports("passed"):
        properties = dict(report.user_properties)
        if "variant" in properties:
            rows.setdefault(str(properties["variant"]), {}).update(properties)
    if not rows:
        return
    terminalreporter.section("compared with the published networks")
    terminalreporter.write_line(_line("", dict(zip(COLUMNS, COLUMNS, strict=True))))
    for variant, properties in sorted(rows.items()):
        terminalreporter.write_line(_line(variant, properties))


def _line(variant: str, cells: dict[str, object]) -> str:
    texts = (str(cells.get(column, "not run")).rjust(len(column) + 2) for column in COLUMNS)
    return f"{variant:30}{''.join(texts)}"
