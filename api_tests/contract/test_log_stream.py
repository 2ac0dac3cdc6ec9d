import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a file that is always full")
@pytest.mark.parametrize(
    "configure",
    ["service.telemetry import configure_logs", "workers.telemetry import log_to_stderr"],
)
def test_a_process_whose_log_cannot_be_written_goes_on(configure: str) -> None:
    code = (
        f"from {configure} as configure\n"
        "import structlog\n"
        "configure()\n"
        "log = structlog.get_logger()\n"
        "log.warning('lost')\n"
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    log.exception('lost too')\n"
        "print('went on')\n"
    )
    with FULL.open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=full, text=True
        )
    assert ran.stdout == "went on\n"
