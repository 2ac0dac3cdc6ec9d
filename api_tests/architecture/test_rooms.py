import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("service", "workers", "api_tests")


def test_every_room_imports_only_what_it_may() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("module", ["service.main", "service.cli"])
def test_the_service_runs_without_torch_and_without_the_workers(module: str) -> None:
    code = (
        f"import sys, {module}\n"
        "heavy = [name for name in sys.modules if name.split('.')[0] in ('torch', 'workers')]\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("module", ["workers.agent.loop", "workers.launcher.local.launcher"])
def test_the_agent_and_the_launcher_run_without_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_every_file_is_named_after_what_it_holds() -> None:
    names = {"utils", "util", "common", "helpers", "helper", "misc"}
    found = [
        path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.stem in names
    ]
    assert found == []
