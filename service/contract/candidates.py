"""Candidates of a search: paths through a supernet, and what was measured of each."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.contract.architectures import Blocks
from service.contract.fields import Step
from service.contract.reading import Extensible
from service.contract.search_params import MOST_CANDIDATES
from service.contract.text import CutTo

Origin = Literal["random", "mutation", "crossover", "given"]
_Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Fitness(BaseModel):
    """What is measured of a candidate: a function of supernet, data, parameters and path alone.

    The errors are shares of the images; a loss that is not finite is None, and is the worst.
    """

    model_config = ConfigDict(frozen=True)

    blocks: Blocks
    top1_error: _Rate
    top5_error: _Rate
    loss: Annotated[float | None, Field(allow_inf_nan=False)]


class Candidate(Fitness):
    """A candidate with its place in the search; `generation` counts from 1, and 0 is a given one.

    `order` counts the candidates of a search from 0, in the order in which the search, run without
    a pause, asks for their fitness: not the order in which they were measured.
    """

    order: Step
    generation: Step
    origin: Annotated[Origin, Extensible]
    multiply_adds: Step


class CandidatesFound(BaseModel):
    """The body of the event `candidates`; one that is stored already changes nothing."""

    model_config = ConfigDict(frozen=True)

    candidates: Annotated[tuple[Candidate, ...], CutTo(MOST_CANDIDATES)]


class WantedCandidate(BaseModel):
    """A candidate without its fitness, with its place in the search; see `Candidate`."""

    model_config = ConfigDict(frozen=True)

    blocks: Blocks
    order: Step
    generation: Step
    origin: Annotated[Origin, Extensible]


class CandidatesWanted(BaseModel):
    """The body of the event `wanted`: a population that other jobs are to measure.

    The attempt that sends it ends, and the search goes on when all of them are known.
    """

    model_config = ConfigDict(frozen=True)

    candidates: Annotated[tuple[WantedCandidate, ...], CutTo(MOST_CANDIDATES)]
