"""What installed packages add, and that one of them that is broken costs itself alone."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.doc_files import doc_files
from api_tests.support.packages import package

RECIPE = """
from workers.networks.heads import Heads
from workers.recipes.base import Recipe
from workers.recipes.params import RecipeParams

class Params(RecipeParams):
    {field}

RECIPE = Recipe(
    name="{name}", title="A plug-in.", params=Params, variants={{"only": None}},
    network="{network}", heads=Heads("fc"),
)
"""
SOURCE = """
from service.contract.catalog import DatasetInfo
from workers.data.sources.base import DataSource

SOURCE = DataSource(
    DatasetInfo(name="{name}", description="d", num_classes=2, train_images=4, val_images=2,
                licence="none", source="drawn"),
    "json:loads",
)
"""
_SHOW = """
import json
from workers.recipes.catalog import catalog
from workers.telemetry import log_to_stderr
log_to_stderr()
shown = catalog()
print(json.dumps({"recipes": {r.name: r.package for r in shown.recipes},
                  "datasets": [d.name for d in shown.datasets]}))
"""


def recipe(name: str, field: str = "pass", network: str = "json:loads") -> str:
    return RECIPE.format(name=name, field=field, network=network)


def _catalog(root: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The catalog of a process that sees the packages, and the errors in its log."""
    path = os.pathsep.join((str(root), os.environ.get("PYTHONPATH", "")))
    shown = subprocess.run(
        [sys.executable, "-c", _SHOW],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in shown.stderr.splitlines() if line.startswith("{")]
    return json.loads(shown.stdout), [line for line in lines if line["level"] == "error"]


def test_a_package_adds_its_recipe_and_its_data_set(tmp_path: Path) -> None:
    package(tmp_path, "mine", recipe("mine"), "trainyard.recipes", "RECIPE")
    package(tmp_path, "shots", SOURCE.format(name="shots"), "trainyard.datasets", "SOURCE")
    shown, errors = _catalog(tmp_path)
    assert errors == []
    assert shown["recipes"]["mine"] == "mine"
    assert shown["recipes"]["oneshot"] == "trainyard-service"
    assert shown["datasets"] == ["digits", "shots"]


_OPEN = """
import json
from pathlib import Path
from service.contract.specs import DataSpec
from workers.data.images import SplitRequest
from workers.data.loader import train_batches
from workers.data.sources import open_split, sources
from workers.data.transforms import preprocess_of
request = SplitRequest("train", 32, 0, preprocess_of("bgr255"), Path())
images = open_split(DataSpec(dataset="shots"), request)
batch, labels, _ = next(train_batches(images, seed=0, start_step=0, batch_size=8, num_workers=0))
print(json.dumps([len(images), list(batch.shape), sources()["shots"].info.train_images]))
"""


def test_the_data_set_of_the_docs_can_be_trained_on(tmp_path: Path) -> None:
    files = {path: text for path, text in doc_files().items() if path.startswith("shots/")}
    package(tmp_path, "shots", files, "trainyard.datasets", "SHOTS")
    assert _catalog(tmp_path)[0]["datasets"] == ["digits", "shots"]
    path = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))
    shown = subprocess.check_output(
        [sys.executable, "-c", _OPEN], env=os.environ | {"PYTHONPATH": path}
    )
    assert json.loads(shown) == [64, [8, 3, 32, 32], 64]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'"),
        ("raise SystemExit('bye')", "bye"),
        ("class Panic(BaseException): ...\nraise Panic('bye')", "bye"),
        ("RECIPE = 3", "it is a int, not a Recipe"),
        (recipe("oneshot"), "the name 'oneshot' is taken"),
        (recipe("two words"), "'two words' is not a valid name"),
        (recipe("mine", field="width: int"), "width"),
        (recipe("mine", field="width: int = 'wide'"), "width"),
        (recipe("mine", network="json"), "'json' is not written as module:function"),
        (recipe("mine", network="no_such_module:build"), "there is no module no_such_module"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_not_offered_and_the_log_says_why(
    body: str, reason: str, tmp_path: Path
) -> None:
    package(tmp_path, "broken", body, "trainyard.recipes", "RECIPE")
    package(tmp_path, "sound", recipe("sound"), "trainyard.recipes", "RECIPE")
    shown, (error,) = _catalog(tmp_path)
    assert "sound" in shown["recipes"]
    assert "mine" not in shown["recipes"]
    assert shown["recipes"]["oneshot"] == "trainyard-service"
    assert (error["event"], error["package"]) == ("plugin_not_offered", "broken")
    assert reason in error["error"]


def test_of_two_packages_with_one_name_the_first_by_name_of_package_has_it(tmp_path: Path) -> None:
    for name in ("later", "earlier"):
        package(tmp_path, name, recipe("same"), "trainyard.recipes", "RECIPE")
    shown, (error,) = _catalog(tmp_path)
    assert shown["recipes"]["same"] == "earlier"
    assert error["package"] == "later"
