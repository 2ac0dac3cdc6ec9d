"""The libraries that the page brings along are those that `vendored.json` names, unchanged."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "service" / "dashboard" / "vendor"
ENTRIES: list[dict[str, Any]] = json.loads((VENDOR / "vendored.json").read_text())
PINS: dict[str, str] = json.loads((ROOT / "package.json").read_text())["devDependencies"]
FREE = {"MIT", "Apache-2.0"}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
def test_a_vendored_file_is_what_its_digest_says_and_has_a_licence(entry: dict[str, Any]) -> None:
    content = (VENDOR / entry["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    licences = (VENDOR / "licences.txt").read_text()
    for package in entry["packages"]:
        assert package["license"] in FREE
        assert f"{package['name']}\n\n" in licences
        assert package["version"] == PINS[package["name"]]


def test_every_vendored_file_is_named() -> None:
    files = {path.name for path in VENDOR.iterdir() if path.suffix in (".js", ".css")}
    assert files == {entry["file"] for entry in ENTRIES}


@pytest.mark.skipif(not (ROOT / "node_modules").exists(), reason="needs `make check` once")
def test_the_vendored_files_are_made_again_from_the_pinned_packages(tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node is not None
    subprocess.run([node, str(VENDOR / "vendor.mjs"), str(tmp_path)], check=True, cwd=ROOT)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (VENDOR / path.name).read_bytes(), path.name


def test_the_page_brings_little_along() -> None:
    sizes = {path.name: path.stat().st_size for path in VENDOR.glob("*.js")}
    assert sizes["preact.js"] < 30_000
    assert sizes["uplot.js"] < 60_000
