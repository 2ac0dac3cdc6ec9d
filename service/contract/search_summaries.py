"""How far a search has come and what it has found, as the API shows it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.contract.architectures import MOST_PLACES
from service.contract.candidates import Candidate
from service.contract.fields import IdText, LeftOut, Step
from service.contract.search_params import MOST_CANDIDATES
from service.contract.text import CutTo, ShortText

CHOICES = 4
MOST_SHOWN = 500
"""Of the front and of the generations."""
MOST_PARENTS = 100

FitnessName = Literal["error", "loss"]
CandidateOrder = Literal["order", "fitness", "multiply_adds"]
"""How candidates are listed: as the search asks for them, the best first, the smallest first."""
_Value = Annotated[float | None, Field(allow_inf_nan=False)]
_Counts = Annotated[tuple[Step, ...], CutTo(CHOICES)]


class SearchGeneration(BaseModel):
    """The candidates of one population; `best` and `median` are errors or losses.

    None where that of the candidate is not finite. A list of given candidates is generation 0.
    """

    model_config = ConfigDict(frozen=True)

    number: Step
    evaluated: Step
    best: _Value
    median: _Value


class SearchSummary(BaseModel):
    """A search: `evaluated` of `total` candidates, the best of them, and how it came there.

    `front` are the candidates than which none is smaller and as good, the smallest first; `parents`
    the best so far, of which the next population is made, and `heat` how often each choice stands
    at each place among them. `recipe` is that of which each path is a variant, and `space` the name
    of its space, where it has several. The least and the most multiply-adds that a path can have
    are None where nothing is known of the network any more. Parts of it measure by `workers`.

    Each list has a limit: of `front` and `generations` the first, the last and 500 in all, evenly
    spread, and the 100 best of the `parents`. `left_out` has how many are not there, and
    `GET /jobs/{id}/candidates` has all candidates. `heat` is of all parents.
    """

    model_config = ConfigDict(frozen=True)

    object: Literal["search_summary"] = "search_summary"
    job_id: IdText
    recipe: ShortText | None
    space: ShortText | None = None
    fitness: FitnessName
    macs_limit: Step
    macs_image_size: Step
    least_multiply_adds: Step | None
    most_multiply_adds: Step | None
    places: Step
    choices: Step = CHOICES
    evaluated: Step
    total: Step
    workers: Step = 1
    best: Candidate | None
    front: Annotated[tuple[Candidate, ...], CutTo(MOST_CANDIDATES)]
    generations: Annotated[tuple[SearchGeneration, ...], CutTo(MOST_CANDIDATES)]
    parents: Annotated[tuple[Candidate, ...], CutTo(MOST_CANDIDATES)]
    heat: Annotated[tuple[_Counts, ...], CutTo(MOST_PLACES)]
    left_out: LeftOut = Field(default_factory=dict)
