"""The pictures of a search that have axes: its candidates, and what each generation came to.

They show what the drawings of the job's page show, and a line has the colour that it has there.
Equal candidates give equal bytes.
"""

from collections.abc import Sequence

from service.contract.candidate_ranks import front_of, generations_of, value_of
from service.contract.candidates import Candidate
from service.contract.search_params import SearchParams
from workers.search.plot import Plot, Point

FRONT_COLOUR, LIMIT_COLOUR = "#d0660c", "#b3261e"
BEST_COLOUR, MEDIAN_COLOUR = "#2f66d8", "#d0660c"
"""`--line-2`, `--bad`, `--line-1` and `--line-2` of the dashboard's light scheme."""
_EARLY, _LATE = (170, 196, 240), (24, 68, 168)
_RADIUS, _RING_RADIUS = 4, 8
_MILLION = 1_000_000
_MOST_TICKS = 10
_ROUND = (1, 2, 5)


def candidates_png(
    candidates: Sequence[Candidate], best: Candidate, params: SearchParams, most_multiply_adds: int
) -> bytes:
    """A PNG of one dot a candidate, the darker the later its generation; the best has a ring.

    A candidate whose loss is not finite has no dot. A line goes through the Pareto front, and one
    is at the limit, unless even the dearest path of all, of `most_multiply_adds`, is within it.
    """
    shown = [candidate for candidate in candidates if candidate.loss is not None]
    limit = params.macs_limit / _MILLION
    limits = [limit] if params.macs_limit <= most_multiply_adds else []
    points = [_point(each, params) for each in shown]
    plot = Plot([x for x, _ in points] + limits, [y for _, y in points])
    plot.axes("million multiply-adds", _title(params))
    plot.key("Pareto front", FRONT_COLOUR)
    for value in limits:
        plot.limit(value, LIMIT_COLOUR)
    last = max((each.generation for each in shown), default=0) or 1
    for each in shown:
        plot.dot(_point(each, params), _RADIUS, _colour(each.generation / last))
    front = [_point(each, params) for each in front_of(shown, params.fitness)]
    plot.line(front, FRONT_COLOUR)
    for point in front:
        plot.ring(point, _RADIUS, FRONT_COLOUR, is_open=False)
    if best.loss is not None:
        plot.ring(_point(best, params), _RING_RADIUS, FRONT_COLOUR)
    return plot.encoded()


def generations_png(candidates: Sequence[Candidate], params: SearchParams) -> bytes:
    """A PNG with two lines: the best and the median of each generation that was bred or drawn.

    One that is not finite is left out of its line.
    """
    generations = [each for each in generations_of(candidates, params.fitness) if each.number]
    best = [(each.number, each.best) for each in generations if each.best is not None]
    median = [(each.number, each.median) for each in generations if each.median is not None]
    last = max((each.number for each in generations), default=2)
    plot = Plot([1, max(last, 2)], [value for _, value in best + median])
    step = _step(last)
    plot.axes("generation", _title(params), sorted({1, *range(step, last + 1, step)}))
    for name, points, colour in (
        ("median", median, MEDIAN_COLOUR),
        ("best", best, BEST_COLOUR),
    ):
        plot.key(name, colour)
        plot.line(points, colour)
        for point in points:
            plot.ring(point, _RADIUS, colour, is_open=False)
    return plot.encoded()


def _title(params: SearchParams) -> str:
    return "loss" if params.fitness == "loss" else "top-1 error"


def _point(candidate: Candidate, params: SearchParams) -> Point:
    return candidate.multiply_adds / _MILLION, value_of(candidate, params.fitness)


def _step(last: int) -> int:
    """The least round number of generations of which at most ten steps lead to the last."""
    power = 1
    while True:
        for each in _ROUND:
            if each * power * _MOST_TICKS >= last:
                return each * power
        power *= 10


def _colour(share: float) -> tuple[int, int, int]:
    red, green, blue = (
        round(early + share * (late - early)) for early, late in zip(_EARLY, _LATE, strict=True)
    )
    return red, green, blue
