"""CONTRIBUTING says what an addition touches: that is enough, and nothing else changes."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api_tests.support.installation import TRAIN, Installation, until
from service.contract.jobs import JobState

ROOT = Path(__file__).parents[2]
COUNT_SPEC = '''
class CountSpec(_Submission):
    """Counting."""

    kind: Literal["count"] = "count"
    upto: int


'''
COUNT_KIND = """
from sqlalchemy import Connection

from service.contract.specs import CountSpec
from service.control.kinds.base import CheckedSubmission, Kind


class CountKind(Kind[CountSpec]):
    name = "count"

    def check(self, tx: Connection, spec: CountSpec) -> CheckedSubmission[CountSpec]:
        return CheckedSubmission(spec)

    def title(self, spec: CountSpec) -> str:
        return f"count to {spec.upto}"
"""
COUNT_RUN = """
def run(context):
    context.events.report("started", {"total_steps": 1, "resumed_from": None, "step": 0}, "started")
    return {"counted": context.claim.spec.upto}
"""
TWIN = """
from workers.networks.heads import Heads
from workers.recipes.base import Recipe
from workers.recipes.params import RecipeParams

RECIPE = Recipe(
    name="twin",
    title="ShuffleNetV2 once more.",
    params=RecipeParams,
    variants={"0.5x": None},
    network="workers.recipes.twin.network:shufflenet_v2",
    heads=Heads("classifier.0"),
)
"""
ZEBRAS = """
from workers.data.sources.digits import Digits


class Zebras(Digits):
    pass
"""
ZEBRAS_SOURCE = """
ZEBRAS = DataSource(
    info=DIGITS.info.model_copy(update={"name": "zebras"}),
    open_split="workers.data.sources.zebras:Zebras",
)
"""
TWIN_LAUNCHER = """
from workers.launcher.local.launcher import LocalLauncher


class TwinLauncher(LocalLauncher):
    pass
"""


class SourceTree:
    """A copy of the two packages that a test may change, and that its processes run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for package in ("service", "workers"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / package, root / package, ignore=ignored)
        self._before = self._content()

    def write(self, file: str, text: str) -> None:
        """Make a new file."""
        path = self.root / file
        assert not path.exists()
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.lstrip())

    def edit(self, file: str, *replacements: tuple[str, str]) -> None:
        """Replace texts, each of which is there."""
        path = self.root / file
        text = path.read_text()
        for old, new in replacements:
            assert old in text, f"{file} has no {old!r}"
            text = text.replace(old, new, 1)
        path.write_text(text)

    def write_catalog(self) -> None:
        """Run the command that CONTRIBUTING names."""
        module = [sys.executable, "-m", "workers.recipes.catalog"]
        subprocess.run(module, cwd=self.root, check=True)

    def changed_files(self) -> set[str]:
        """The files that are new or differ, as CONTRIBUTING may name them."""
        now = self._content()
        return {name for name in now if now[name] != self._before.get(name)}

    def _content(self) -> dict[str, bytes]:
        files = (path for path in self.root.rglob("*") if path.suffix in (".py", ".json", ".js"))
        return {str(path.relative_to(self.root)): path.read_bytes() for path in files}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SourceTree:
    tree = SourceTree(tmp_path / "tree")
    monkeypatch.chdir(tree.root)
    monkeypatch.setenv("PYTHONPATH", str(tree.root))
    return tree


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Starts a server and a worker of the changed tree."""
    started: list[Installation] = []

    def make(launcher: str = "local") -> Installation:
        folder = tmp_path / "installation"
        folder.mkdir()
        started.append(Installation(folder))
        started[0].start_worker(launcher=launcher)
        return started[0]

    yield make
    for installation in started:
        installation.close()


def test_a_kind_touches_the_files_that_contributing_names(
    tree: SourceTree, start: Callable[..., Installation]
) -> None:
    tree.edit(
        "service/contract/specs.py",
        ("\nKindName = ", COUNT_SPEC.rstrip() + "\n\n\nKindName = "),
        ('"export", "search"]', '"export", "search", "count"]'),
        (
            "SubmittedSpec = TrainSpec | EvalSpec",
            "SubmittedSpec = TrainSpec | EvalSpec | CountSpec",
        ),
    )
    tree.write("service/control/kinds/count.py", COUNT_KIND)
    tree.edit(
        "service/control/kinds/__init__.py",
        ("\nKINDS", "\nfrom service.control.kinds.count import CountKind\n\nKINDS"),
        ("    SearchKind(),\n", "    SearchKind(),\n        CountKind(),\n"),
    )
    tree.write("workers/runs/count.py", COUNT_RUN)
    tree.edit(
        "workers/kinds.py", ("KINDS = {", 'KINDS = {\n    "count": "workers.runs.count:run",')
    )
    tree.write_catalog()
    assert tree.changed_files() == named_in_contributing("a kind of job", kind="count")
    # Over HTTP: the client of this process is of a version that does not know the kind.
    with httpx.Client(base_url=start().url) as http:
        job_id = http.post("/jobs", json={"kind": "count", "upto": 7}).json()["id"]
        until(lambda: http.get(f"/jobs/{job_id}").json()["finished_at"] is not None)
        job = http.get(f"/jobs/{job_id}").json()
        listed = http.get("/jobs", params={"kind": "count"}).json()["data"]
    assert (job["state"], job["result"]) == ("succeeded", {"counted": 7})
    assert [each["id"] for each in listed] == [job_id]


def test_a_built_in_recipe_touches_the_files_that_contributing_names(
    tree: SourceTree, start: Callable[..., Installation]
) -> None:
    network = (tree.root / "workers/recipes/shufflenet_v2/network.py").read_text()
    tree.write("workers/recipes/twin/__init__.py", TWIN)
    tree.write("workers/recipes/twin/network.py", network)
    tree.edit(
        "workers/recipes/table.py",
        ("    supernet,\n)", "    supernet,\n    twin,\n)"),
        ("    detnas.RECIPE,\n", "    detnas.RECIPE,\n    twin.RECIPE,\n"),
    )
    tree.write_catalog()
    assert tree.changed_files() == named_in_contributing("a built-in recipe", family="twin")
    client = start().client
    params = TRAIN["params"] | {"total_iters": 2}
    job = client.wait(client.submit(TRAIN | {"recipe": "twin", "params": params}).id)
    assert (job.state, job.variant, job.message) == (JobState.SUCCEEDED, "0.5x", None)


def test_a_data_source_touches_the_files_that_contributing_names(
    tree: SourceTree, start: Callable[..., Installation]
) -> None:
    tree.write("workers/data/sources/zebras.py", ZEBRAS)
    tree.edit(
        "workers/data/sources/__init__.py",
        ("BUILTIN = (DIGITS,)", f"{ZEBRAS_SOURCE.strip()}\nBUILTIN = (DIGITS, ZEBRAS)"),
    )
    tree.write_catalog()
    assert tree.changed_files() == named_in_contributing("a data source", source="zebras")
    client = start().client
    params = TRAIN["params"] | {"total_iters": 2}
    job = client.wait(client.submit(TRAIN | {"data": {"dataset": "zebras"}, "params": params}).id)
    assert (job.state, job.message) == (JobState.SUCCEEDED, None)


def test_a_launcher_touches_the_files_that_contributing_names(
    tree: SourceTree, start: Callable[..., Installation]
) -> None:
    tree.write("workers/launcher/twin.py", TWIN_LAUNCHER)
    tree.edit(
        "workers/launcher/__init__.py",
        ("_BUILTIN = {", '_BUILTIN = {"twin": "workers.launcher.twin:TwinLauncher", '),
    )
    assert tree.changed_files() == named_in_contributing("a launcher", launcher="twin")
    client = start("twin").client
    params = TRAIN["params"] | {"total_iters": 2}
    job = client.wait(client.submit(TRAIN | {"params": params}).id)
    assert (job.state, job.message) == (JobState.SUCCEEDED, None)


def named_in_contributing(what: str, **names: str) -> set[str]:
    """The paths of a row, with a name in the place of `<kind>` or `<family>`."""
    page = (ROOT / "CONTRIBUTING.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith(f"| {what} |"))
    named: Any = re.findall(r"`((?:service|workers)/[^`]+)`", row)
    for key, value in names.items():
        named = [path.replace(f"<{key}>", value) for path in named]
    return set(named)
