"""Logs on a terminal and in a file."""

import os
import subprocess
import sys

import pytest

CODE = """
import structlog
from {module} import {function}

def fail(token):
    raise RuntimeError("no such thing")

{function}()
try:
    fail("sec" + "ret")
except RuntimeError:
    structlog.get_logger().exception("it_failed")
"""
CONFIGURED_BY = [("service.telemetry", "configure_logs"), ("workers.telemetry", "log_to_stderr")]


@pytest.mark.parametrize("on_terminal", [True, False])
@pytest.mark.parametrize(("module", "function"), CONFIGURED_BY)
def test_a_stack_in_the_log_has_no_values_of_variables(
    module: str, function: str, on_terminal: bool
) -> None:
    read_end, write_end = os.openpty() if on_terminal else os.pipe()
    code = CODE.format(module=module, function=function)
    subprocess.run([sys.executable, "-c", code], stderr=write_end, check=True, timeout=60)
    os.close(write_end)
    log = b""
    try:
        while part := os.read(read_end, 65536):
            log += part
    except OSError:
        # A terminal whose last writer has gone.
        pass
    finally:
        os.close(read_end)
    assert b"it_failed" in log
    assert b"in fail" in log
    assert b"no such thing" in log
    assert b"secret" not in log
