"""docs/architecture.md: each step of a journey is in the code, and each room is described."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
STEPS = re.findall(r"`((?:service|workers)/[\w/]+\.py)::([\w.]+)`", PAGE)


@pytest.mark.parametrize(("file", "name"), sorted(set(STEPS)))
def test_a_step_of_a_journey_is_in_the_code(file: str, name: str) -> None:
    scope: list[ast.stmt] = ast.parse((ROOT / file).read_text()).body
    for part in name.split("."):
        scope = next((_body(node) for node in scope if part in _names(node)), None)  # type: ignore[assignment]
        assert scope is not None, f"{file} has no {name}"


@pytest.mark.parametrize("journey", ["A job", "A checkpoint", "A death"])
def test_each_journey_is_drawn_and_walked(journey: str) -> None:
    section = PAGE.partition(f"\n## {journey}\n")[2].partition("\n## ")[0]
    assert "```mermaid" in section
    assert len(re.findall(r"`(?:service|workers)/[\w/]+\.py::[\w.]+`", section)) >= 5


def test_every_room_is_described() -> None:
    rooms = {
        f"{package}/{folder.name}/"
        for package in ("service", "workers")
        for folder in (ROOT / package).iterdir()
        if any(folder.glob("*.py")) or folder.name == "dashboard"
    }
    assert {room for room in rooms if f"`{room}`" not in PAGE} == set()


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    return set()


def _body(node: ast.stmt) -> list[ast.stmt]:
    return getattr(node, "body", [])
