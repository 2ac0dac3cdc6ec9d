import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("service", "workers", "api_tests", "benchmarks", "chaos")
_IMPORT = re.compile(r"^ *(?:from|import) (?:\S*\.)?(conftest|test_\w+)\b", re.MULTILINE)


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


@pytest.mark.parametrize("module", ["service.client", "service.cli"])
def test_the_client_and_its_commands_load_nothing_that_a_client_does_not_install(
    module: str,
) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {
        re.split(r"[\[>=]", requirement)[0].replace("-", "_")
        for extra in ("server", "workers", "postgres")
        for requirement in project["optional-dependencies"][extra]
    }
    assert "fastapi" in names
    code = (
        f"import sys, {module}\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        f"sys.exit(', '.join(loaded & {names!r}) or 0)"
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


def test_nothing_is_imported_from_a_conftest_or_from_a_test() -> None:
    imports = {
        str(path.relative_to(ROOT)): _IMPORT.findall(path.read_text())
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    }
    assert {path: names for path, names in imports.items() if names} == {}


def test_what_is_no_test_stands_in_the_tests_support() -> None:
    tests = ROOT / "api_tests"
    strays = [
        path
        for path in tests.rglob("*.py")
        if not path.stem.startswith("test_") and path.stem != "conftest"
        if path.relative_to(tests).parts[0] not in ("support", "facts", "plugin")
    ]
    assert strays == []
