"""`trainyard recipes` and `datasets`, of a real server."""

import json
from collections.abc import Callable

from typer.testing import Result

Run = Callable[..., Result]


def test_the_recipes_are_listed_with_their_variants_and_titles(run: Run) -> None:
    result = run("recipes")
    assert result.exit_code == 0, result.output
    (line,) = (each for each in result.stdout.splitlines() if each.startswith("oneshot"))
    assert "searched" in line
    assert "single path one-shot search" in line


def test_a_recipe_is_shown_with_its_sizes_and_parameters(run: Run) -> None:
    result = run("recipes", "shufflenet_v2")
    assert result.exit_code == 0, result.output
    assert "0.5x" in result.stdout
    assert "1.4 M" in result.stdout
    assert "batch_size" in result.stdout


def test_recipes_and_data_sets_are_json_for_programs(run: Run) -> None:
    recipes = [json.loads(line) for line in run("recipes", "--json").stdout.splitlines()]
    assert {"oneshot", "shufflenet_v2"} <= {each["name"] for each in recipes}
    assert run("datasets").exit_code == 0
    unknown = run("recipes", "resnet")
    assert (unknown.exit_code, "no recipe 'resnet'" in unknown.stderr) == (4, True)


def test_the_size_of_an_architecture_is_printed_with_its_variant(run: Run) -> None:
    blocks = "21012020202300003233"
    result = run("size", "oneshot", "--blocks", blocks)
    assert result.exit_code == 0, result.output
    assert f"oneshot b{blocks}" in result.stdout
    assert "322,918,720 for an image of 224 px" in result.stdout
    assert "3,558,464 with 1,000 classes" in result.stdout
    as_json = json.loads(run("size", "oneshot", "--blocks", blocks, "--json").stdout)
    assert as_json["multiply_adds"] == 322_918_720
    sized = run("size", "shufflenet_v2_plus", "--blocks", blocks, "--space", "medium")
    assert f"shufflenet_v2_plus medium-b{blocks}" in sized.stdout
    short = run("size", "oneshot", "--blocks", "210")
    assert "20 digits of 0 to 3" in short.stderr
