"""What this worker can do, as the catalog that it registers.

`python -m workers.recipes.catalog` writes the built-in part, which the service ships.
"""

import json
from importlib.resources import files
from pathlib import Path

from service.contract.catalog import BUILTIN_FILE, Catalog
from workers.data.sources import BUILTIN as BUILTIN_SOURCES
from workers.data.sources import DATA_FORMS, sources
from workers.kinds import KINDS
from workers.recipes.table import BUILTIN, offers


def catalog() -> Catalog:
    """Built-in and installed recipes and data sets, every kind of job, and the forms of data."""
    return Catalog(
        recipes=tuple(offer.info for offer in offers().values()),
        datasets=tuple(source.info for source in sources().values()),
        kinds=tuple(KINDS),
        data_forms=DATA_FORMS,
    )


def builtin() -> Catalog:
    """What a worker of this version can do without any other package."""
    return Catalog(
        recipes=tuple(recipe.info() for recipe in BUILTIN),
        datasets=tuple(source.info for source in BUILTIN_SOURCES),
        kinds=tuple(KINDS),
        data_forms=DATA_FORMS,
    )


def main() -> None:
    """Write the shipped file."""
    target = Path(str(files("service.contract") / BUILTIN_FILE))
    content = builtin().model_dump(mode="json")
    body = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    target.write_text(f"{body}\n")


if __name__ == "__main__":
    main()
