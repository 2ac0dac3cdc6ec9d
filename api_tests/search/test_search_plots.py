"""The plots of a search, read pixel by pixel."""

import io
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

import service
from api_tests.support.searches import a_candidate
from service.contract.candidates import Candidate
from service.contract.search_params import SearchParams
from workers.search.picture import (
    BEST_COLOUR,
    FRONT_COLOUR,
    LIMIT_COLOUR,
    MEDIAN_COLOUR,
    candidates_png,
    generations_png,
)

PARAMS = SearchParams.model_validate({"fitness": "error", "macs_limit": 12_000_000})
MOST = 20_000_000
LEFT, RIGHT, TOP, BOTTOM = 70, 780, 30, 450
_STYLE = Path(service.__file__).parent / "dashboard" / "styles" / "style.css"

Point = tuple[float, float]


def candidates(*values: tuple[int, float | None, int]) -> list[Candidate]:
    """One for each of its million multiply-adds, its error and its generation."""
    return [
        Candidate.model_validate(
            a_candidate(
                order,
                multiply_adds=millions * 1_000_000,
                top1_error=0.5 if error is None else error,
                loss=error,
                generation=generation,
            )
        )
        for order, (millions, error, generation) in enumerate(values)
    ]


SEARCH = candidates((5, 0.3, 1), (7, 0.5, 1), (9, 0.1, 2), (10, 0.4, 2), (8, None, 2), (6, 0.2, 3))


class Pixels:
    """A picture whose axes go from the least to the most of some values, with room around them."""

    def __init__(self, png: bytes, across: Sequence[float], up: Sequence[float]) -> None:
        self._picture = Image.open(io.BytesIO(png)).convert("RGB")
        self._across, self._up = across, up

    def has(self, colour: str, point: Point) -> bool:
        """Whether one of the pixels around a point, by its values, is of this colour."""
        x = _place(point[0], self._across, LEFT, RIGHT)
        y = _place(point[1], self._up, BOTTOM, TOP)
        box = round(x) - 1, round(y) - 1, round(x) + 2, round(y) + 2
        near = self._picture.crop(box).tobytes()
        return bytes.fromhex(colour.removeprefix("#")) in {
            near[first : first + 3] for first in range(0, len(near), 3)
        }

    def is_line(self, colour: str, points: Sequence[Point]) -> bool:
        """Whether a line of this colour goes through the points."""
        return all(
            self.has(colour, (x + (to_x - x) * share, y + (to_y - y) * share))
            for (x, y), (to_x, to_y) in pairwise(points)
            for share in (0.25, 0.5, 0.75)
        )

    def rows(self, colour: str, x: float) -> list[int]:
        """The pixels of this colour above a value of the first axis, from the top."""
        column = int(_place(x, self._across, LEFT, RIGHT))
        line = [self._picture.getpixel((column, y)) for y in range(self._picture.height)]
        return [y for y, each in enumerate(line) if each == _rgb(colour)]

    def count(self, colour: str) -> int:
        """How many pixels are of this colour."""
        found = self._picture.getcolors(1 << 20) or []
        return sum(count for count, each in found if each == _rgb(colour))


def _place(value: float, values: Sequence[float], first: int, last: int) -> float:
    room = (max(values) - min(values)) * 0.05
    share = (value - min(values) + room) / (max(values) - min(values) + 2 * room)
    return first + share * (last - first)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def _drawn(params: SearchParams, across: Sequence[float], most: int = MOST) -> Pixels:
    png = candidates_png(SEARCH, SEARCH[2], params, most)
    return Pixels(png, across, [0.1, 0.5])


def test_the_candidates_have_the_front_as_a_line_and_the_best_in_a_ring() -> None:
    pixels = _drawn(PARAMS, [5, 12])
    assert pixels.is_line(FRONT_COLOUR, [(5, 0.3), (6, 0.2), (9, 0.1)])
    for other in (SEARCH[1], SEARCH[3]):
        point = other.multiply_adds / 1e6, other.top1_error
        assert not pixels.has(FRONT_COLOUR, point)
        # The first generation is light, the last one dark.
        assert pixels.has({1: "#7999d8", 2: "#496fc0"}[other.generation], point)
    ring = (9 + 8 * 7.7 / 710, 0.1)
    assert pixels.has(FRONT_COLOUR, ring)
    assert not pixels.has(FRONT_COLOUR, (6 + 8 * 7.7 / 710, 0.3))


def test_the_limit_is_in_sight_unless_it_limits_nothing() -> None:
    # Beyond all candidates, and yet a line from top to bottom.
    for params in (PARAMS, PARAMS.model_copy(update={"candidates": ("0" * 20,)})):
        pixels = _drawn(params, [5, 12])
        rows = pixels.rows(LIMIT_COLOUR, 12)
        assert (rows[0], rows[-1] > BOTTOM - 9) == (TOP, True)
        # Of dashes.
        assert {after - before for before, after in pairwise(rows)} == {1, 5}
    within = _drawn(PARAMS.model_copy(update={"macs_limit": 8_000_000}), [5, 10])
    # The front is above it.
    assert len(within.rows(LIMIT_COLOUR, 8)) >= len(rows) - 4
    assert not within.rows(LIMIT_COLOUR, 9)
    assert _drawn(PARAMS, [5, 10], most=11_999_999).count(LIMIT_COLOUR) == 0


def test_the_generations_have_a_line_of_their_bests_and_one_of_their_medians() -> None:
    search = candidates(
        *((7, error, 1) for error in (0.6, 0.5, 0.9)),
        *((7, error, 2) for error in (0.3, 0.4, 0.5)),
        *((7, error, 3) for error in (0.2, 0.35, None)),
        *((7, None, 4) for _ in range(3)),
    )
    pixels = Pixels(generations_png(search, PARAMS), [1, 4], [0.2, 0.6])
    assert pixels.is_line(BEST_COLOUR, [(1, 0.5), (2, 0.3), (3, 0.2)])
    assert pixels.is_line(MEDIAN_COLOUR, [(1, 0.6), (2, 0.4), (3, 0.35)])
    assert not pixels.has(BEST_COLOUR, (3.5, 0.2))
    assert not pixels.has(BEST_COLOUR, (1.5, 0.5))


@pytest.mark.parametrize("fitness", ["error", "loss"])
def test_a_search_of_which_no_loss_is_finite_has_plots_without_lines(fitness: str) -> None:
    lost = candidates((7, None, 1), (8, None, 1))
    params = SearchParams.model_validate({"fitness": fitness})
    pixels = Pixels(candidates_png(lost, lost[0], params, MOST), [0, 1], [0, 1])
    assert pixels.count(LIMIT_COLOUR) == 0
    assert not pixels.has(FRONT_COLOUR, (0.5, 0.5))
    drawn = Pixels(generations_png(lost, params), [1, 2], [0, 1])
    assert not drawn.has(BEST_COLOUR, (1, 0.5))


@pytest.mark.parametrize("generations", [1, 2, 11, 2_000])
def test_any_number_of_generations_has_a_plot(generations: int) -> None:
    many = candidates(*((7, 0.5 / number, number) for number in range(1, generations + 1)))
    with Image.open(io.BytesIO(generations_png(many, PARAMS))) as picture:
        assert picture.size == (800, 500)


def test_equal_candidates_give_equal_bytes_in_whichever_order_they_come() -> None:
    other = SEARCH[::-1]
    assert generations_png(SEARCH, PARAMS) == generations_png(other, PARAMS)
    drawn = [candidates_png(each, SEARCH[2], PARAMS, MOST) for each in (SEARCH, SEARCH)]
    assert drawn[0] == drawn[1]


def test_the_colours_are_those_of_the_page() -> None:
    # The light scheme comes first.
    names = dict(reversed(re.findall(r"--([\w-]+): (#\w{6})", _STYLE.read_text())))
    page = [names[name] for name in ("line-2", "bad", "line-1", "line-2")]
    assert page == [FRONT_COLOUR, LIMIT_COLOUR, BEST_COLOUR, MEDIAN_COLOUR]
