"""Whether a search finds better paths than as many random draws, on supernets of the digits."""

import random
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from api_tests.support.attempts import ended, run
from api_tests.support.digit_searches import CHOICES, TrainedSupernet, found, trained_supernet
from benchmarks.report import Figure, Section
from service.contract.candidates import Candidate, Fitness
from service.contract.path_costs import PathCosts
from workers.cpu_cores import available_cores
from workers.recipes.oneshot.space import SPACE

_IMAGE_SIZE, _CLASSES = 32, 10
_PATIENCE_SECONDS = 3600.0
"""For one training or one search on a machine that is busy with other things."""


@dataclass(frozen=True)
class Scale:
    """How much is measured: supernets, the searches of each, and how well both are made.

    As many paths are drawn at random for each search as it measures.
    """

    supernets: int = 3
    searches: int = 10
    iterations: int = 700
    generations: int = 7
    population: int = 16
    parents: int = 5
    mutations: int = 8
    crossovers: int = 4
    images: int = 8000
    recalibration_batches: int = 20
    macs_limit: int = 6_357_440

    @property
    def params(self) -> dict[str, int]:
        """The parameters of every search."""
        names = ("generations", "population", "parents", "mutations", "crossovers")
        return {name: getattr(self, name) for name in (*names, "macs_limit")} | {
            "fitness_images": self.images,
            "recalibration_batches": self.recalibration_batches,
            "recalibration_batch_size": 64,
            "at_once": self.population,
        }


@dataclass(frozen=True)
class Pair:
    """The least loss of a search, and that of as many random paths; with their median."""

    searched: float
    random: float
    median: float


def measure(scale: Scale = Scale()) -> Section:
    """Every search and every drawing has a seed of its own; nothing was chosen after a result."""
    # A supernet's trainings and searches are processes that compute with one thread.
    with ThreadPoolExecutor(available_cores()) as supernets:
        pairs = supernets.map(partial(_of_supernet, scale), range(scale.supernets))
        return _section(scale, dict(enumerate(pairs)))


def _of_supernet(scale: Scale, number: int) -> list[Pair]:
    with tempfile.TemporaryDirectory(prefix="searches-") as folder:
        supernet = trained_supernet(
            Path(folder),
            seconds=_PATIENCE_SECONDS,
            seed=number,
            total_iters=scale.iterations,
            validation_recalibration_batches=scale.recalibration_batches,
        )
        return _pairs(supernet, scale, number)


def _section(scale: Scale, of_supernets: dict[int, list[Pair]]) -> Section:
    pairs = [pair for each in of_supernets.values() for pair in each]
    return Section(
        title="A search against as many random paths",
        says=(
            f"{scale.supernets} supernets of the digits at {_IMAGE_SIZE} px with 8 free places, "
            f"{scale.iterations} iterations of 32; of each {scale.searches} searches of "
            f"{scale.generations} times {scale.population} candidates by loss, and beside each "
            "search the best of as many random paths under the same limit. A row is the median "
            "over the searches of one supernet."
        ),
        columns=("supernet", "loss of the search", "best of the random", "random path", "better"),
        rows=tuple(
            (
                str(number),
                f"{median(pair.searched for pair in each):.4f}",
                f"{median(pair.random for pair in each):.4f}",
                f"{median(pair.median for pair in each):.4f}",
                f"{sum(pair.searched < pair.random for pair in each)} of {len(each)}",
            )
            for number, each in of_supernets.items()
        ),
        figures=(
            Figure(
                "better_share",
                "searches whose best path has a smaller loss than the best of as many random ones",
                sum(pair.searched < pair.random for pair in pairs) / len(pairs),
                "higher",
            ),
            Figure(
                "loss_ratio",
                "loss of the search's best path, to that of the best of as many random ones",
                median(pair.searched / pair.random for pair in pairs),
                "lower",
            ),
            Figure(
                "below_median_share",
                "searches whose best path has a smaller loss than the median of random ones",
                sum(pair.searched < pair.median for pair in pairs) / len(pairs),
                "higher",
                goal=1.0,
            ),
        ),
        notes=(
            "Both are losses with the supernet's weights: what the networks come to when they are "
            "trained alone is not compared.",
        ),
    )


def _pairs(supernet: TrainedSupernet, scale: Scale, number: int) -> list[Pair]:
    known: dict[str, Fitness] = {}
    pairs = []
    for seed in range(scale.searches):
        searched = _table(supernet, scale, known, seed=seed)
        drawn = _random_paths(random.Random(f"{number} {seed}"), scale, len(searched))
        random_table = _table(supernet, scale, known, candidates=drawn)
        losses = [_loss(each) for each in random_table]
        pairs.append(Pair(min(map(_loss, searched)), min(losses), median(losses)))
        sys.stderr.write(f"{number} {seed}: {pairs[-1]}\n")
    return pairs


def _table(
    supernet: TrainedSupernet, scale: Scale, known: dict[str, Fitness], **params: object
) -> list[Candidate]:
    """What a search measures; what another one has measured is not measured again."""
    spec = supernet.spec(**scale.params, **params)
    attempt = supernet.attempt(spec, supernet.new_job(), candidates=tuple(known.values()))
    events = run(attempt, seconds=_PATIENCE_SECONDS)
    outcome = ended(events)
    assert outcome["outcome"] == "succeeded", outcome
    table = found(events)
    measured = set(Fitness.model_fields)
    for each in table:
        known[each.blocks] = Fitness.model_validate(each.model_dump(include=measured))
    return table


def _random_paths(draw: random.Random, scale: Scale, count: int) -> list[str]:
    costs = PathCosts.of(SPACE, _IMAGE_SIZE, _CLASSES)
    drawn: dict[str, None] = {}
    while len(drawn) < count:
        blocks = "".join(draw.choice(allowed) for allowed in CHOICES)
        if costs.of_path(blocks) <= scale.macs_limit:
            drawn[blocks] = None
    return list(drawn)


def _loss(candidate: Candidate) -> float:
    return candidate.loss if candidate.loss is not None else float("inf")
