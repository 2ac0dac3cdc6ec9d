"""Commands that list what can be trained: recipes and data sets."""

import json
from typing import Annotated, Any

import typer

from service.cli import figures, terminal
from service.cli.exit_codes import UnknownReference
from service.cli.options import (
    LOCAL_SERVER,
    AsJson,
    Server,
    Token,
    connect,
    print_json,
    print_json_lines,
    print_json_rows,
)
from service.cli.tables import print_table
from service.contract.catalog import DatasetInfo


def recipes(
    name: Annotated[
        str | None, typer.Argument(metavar="RECIPE", help="Show this one, with its parameters.")
    ] = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """List the recipes; with a name, its variants and parameters."""
    with connect(server, token) as client:
        listed = client.recipes()
    if name is not None:
        listed = [recipe for recipe in listed if recipe["name"] == name]
        if not listed:
            raise UnknownReference(f"there is no recipe {name!r}: `trainyard recipes` lists them")
    if as_json:
        print_json_rows(listed)
    elif name is None:
        print_table(("RECIPE", "VARIANTS", "TITLE"), map(_row, listed))
    else:
        _print_recipe(listed[0])


def size(
    recipe: Annotated[str, typer.Argument(help="A recipe that takes any architecture.")],
    blocks: Annotated[str, typer.Option(help="A digit for each place, such as 2101….")],
    channels: Annotated[
        str | None,
        typer.Option(help="A digit for each place; left out: the published widths."),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(help="Of the recipe's spaces, where the number of blocks does not tell it."),
    ] = None,
    image_size: Annotated[int | None, typer.Option(help="Side of the image; 224.")] = None,
    classes: Annotated[int | None, typer.Option(help="Of the classifier; 1000.")] = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Print how large the network of an architecture is, and its variant for a job."""
    with connect(server, token) as client:
        found = client.architecture_size(
            recipe, blocks, channels, space=space, image_size=image_size, classes=classes
        )
    if as_json:
        print_json(found)
        return
    rows = {
        "network": f"{found.recipe} {found.variant}",
        "multiply-adds": f"{found.multiply_adds:,} for an image of {found.image_size} px",
        "parameters": f"{found.parameters:,} with {found.classes:,} classes",
    }
    for title, text in rows.items():
        terminal.echo(f"{title:<15}{text}")


def datasets(as_json: AsJson = False, server: Server = LOCAL_SERVER, token: Token = None) -> None:
    """List the named data sets that a job can take as they are."""
    with connect(server, token) as client:
        listed = client.datasets()
    if as_json:
        print_json_lines(listed)
        return
    rows = map(_dataset_row, listed)
    print_table(("DATASET", "CLASSES", "TRAIN", "VAL", "LICENCE"), rows)


def _dataset_row(dataset: DatasetInfo) -> tuple[str, ...]:
    counts = (dataset.num_classes, dataset.train_images, dataset.val_images)
    return (dataset.name, *map(str, counts), dataset.licence)


def _row(recipe: dict[str, Any]) -> tuple[str, ...]:
    return (
        recipe["name"],
        ", ".join(recipe["variants"]),
        recipe.get("description") or figures.NONE,
    )


def _print_recipe(recipe: dict[str, Any]) -> None:
    terminal.echo(f"{recipe['name']}: {recipe.get('description') or figures.NONE}")
    sizes = recipe.get("sizes") or {}
    terminal.echo("")
    print_table(
        ("VARIANT", "PARAMETERS", "MULTIPLY-ADDS"),
        ((variant, *_size(sizes.get(variant, {}))) for variant in recipe["variants"]),
    )
    terminal.echo("")
    properties = recipe["schema"].get("properties", {})
    print_table(
        ("PARAMETER", "DEFAULT", "UNIT", "WHAT IT IS"),
        (
            (
                name,
                json.dumps(schema.get("default"), allow_nan=False),
                schema.get("unit", figures.NONE),
                schema.get("description", figures.NONE),
            )
            for name, schema in properties.items()
        ),
    )


def _size(size: dict[str, Any]) -> tuple[str, str]:
    counts = (size.get("parameters"), size.get("multiply_adds"))
    million, none = 1e6, figures.NONE
    first, second = (none if each is None else f"{each / million:.1f} M" for each in counts)
    return first, second
