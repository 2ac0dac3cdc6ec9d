"""Everything that one rank's run of an attempt is given."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from service.contract.agent import Claim
from service.contract.sentences import sentence_of
from service.contract.specs import CheckDataSpec, ExportSpec, ImportSpec, SearchSpec
from workers.attempt_dir import Assignment
from workers.data.errors import InvalidData
from workers.recipes.base import Recipe
from workers.recipes.params import RecipeParams
from workers.recipes.table import recipe_named
from workers.training.distributed import Ranks
from workers.training.events import Events
from workers.training.time_account import TimeAccount


@dataclass(frozen=True)
class RunContext:
    """The attempt, its ranks and its events; time and ids come from here.

    `clock` is monotonic, in seconds; `now` is in UTC; `new_id` gives the id of a checkpoint.
    `stop_asked` turns true once the run is to save and end. `times` counts from the run's start.
    """

    assignment: Assignment
    attempt_folder: Path
    ranks: Ranks
    events: Events
    stop_asked: Callable[[], bool]
    clock: Callable[[], float]
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    times: TimeAccount
    note_first_step: Callable[[], None] = lambda: None
    """To be called after the first training step of the attempt."""

    @property
    def claim(self) -> Claim:
        """What the control plane gave."""
        return self.assignment.claim

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe that the spec names; raises NoSuchRecipe where this worker lacks it."""
        spec = self.claim.spec
        assert not isinstance(spec, CheckDataSpec), "a check of data has no recipe"
        assert not isinstance(spec, ImportSpec), "an import finds its recipe in the file"
        if isinstance(spec, ExportSpec | SearchSpec):
            assert spec.recipe is not None, "the spec was stored without its recipe"
            return recipe_named(spec.recipe)
        return recipe_named(spec.network[0])

    @property
    def variant(self) -> str:
        """The variant that a train or an eval names."""
        return self.claim.job_spec.network[1]

    @cached_property
    def params(self) -> RecipeParams:
        """The spec's parameters as the recipe's own model; raises InvalidData.

        Of a search they are those that the supernet was trained with.
        """
        spec = self.claim.spec
        assert not isinstance(spec, CheckDataSpec | ImportSpec), "it has no parameters"
        params = spec.training if isinstance(spec, SearchSpec) else spec.params
        try:
            return self.recipe.params.model_validate(params)
        except ValidationError as error:
            raise InvalidData(f"invalid params: {sentence_of(error)}") from error
