"""`run_rank` for the warm process, with all that its forks would each have to import.

What installed packages add is left to their ranks: importing it might start threads.
"""

import importlib
import pkgutil

from workers.data import sources
from workers.kinds import KINDS
from workers.recipes.table import BUILTIN
from workers.runs.rank import run_rank

__all__ = ["run_rank"]

for reference in (
    *KINDS.values(),
    *(reference for recipe in BUILTIN for reference in recipe.references),
    *sources.BUILTIN_READERS,
):
    pkgutil.resolve_name(reference)
# The first optimizer that is made imports it, which takes more than a second.
importlib.import_module("torch._dynamo")
