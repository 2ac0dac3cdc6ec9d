"""The pictures of a search's paths, read pixel by pixel."""

import io
import re
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import service
from api_tests.support.searches import a_candidate
from service.contract.candidates import Candidate
from service.contract.search_params import SearchParams
from workers.search.path_pictures import BLOCKS, MOST_ROWS, choices_png, front_png

STAGES = (4, 4, 8, 4)
PARAMS = SearchParams.model_validate({"fitness": "error", "parents": 4})
BEST, SMALL, OTHER = "01230123012301230123", "33210000111122223210", "12222222222222222222"
WHITE, GROUND = (255, 255, 255), (246, 247, 249)
KEY = "0123"
"""The strip that says what the marks mean; its cells are further apart."""
_DASHBOARD = Path(service.__file__).parent / "dashboard"

Rgb = tuple[int, int, int]


def candidates(*fields: dict[str, Any]) -> list[Candidate]:
    """One for each, in their order."""
    return [Candidate.model_validate(a_candidate(n, **each)) for n, each in enumerate(fields)]


SEARCH = candidates(
    {"blocks": BEST, "multiply_adds": 9, "top1_error": 0.1},
    {"blocks": SMALL, "multiply_adds": 5, "top1_error": 0.3},
    {"blocks": OTHER, "multiply_adds": 7, "top1_error": 0.4},
)


def _opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def _runs(picture: Image.Image, y: int) -> list[tuple[Rgb, int]]:
    """The colours along a line of pixels, each with how many there are of it in a row."""
    line = picture.crop((0, y, picture.width, y + 1)).tobytes()
    pixels = zip(line[0::3], line[1::3], line[2::3], strict=True)
    return [(colour, len(list(run))) for colour, run in groupby(pixels)]


def _bars(picture: Image.Image) -> dict[int, str]:
    """The digits that the bars under cells mean, by the upper edge of the bars.

    A space stands for a gap that is wider than that between two cells, and narrower than the key's.
    """
    digits = {_rgb(colour): str(digit) for digit, (_, _, colour) in enumerate(BLOCKS)}
    rows, is_within = {}, False
    for y in range(picture.height):
        runs = _runs(picture, y)
        texts = (digits.get(colour, " " if 5 < length < 50 else "") for colour, length in runs)
        strip = "".join(texts).strip()
        # Anti-aliased text has no colour of a bar.
        if strip and not is_within:
            rows[y] = strip
        is_within = bool(strip)
    return rows


def _strips(picture: Image.Image) -> list[str]:
    return list(_bars(picture).values())


def _rgb(colour: str) -> Rgb:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _staged(blocks: str) -> str:
    return " ".join((blocks[:4], blocks[4:8], blocks[8:16], blocks[16:]))


def test_the_strips_have_the_blocks_of_the_best_and_of_the_front_apart_by_stages() -> None:
    # The best, and then the front, the smallest first; the third path is in neither.
    strips = _strips(_opened(front_png(SEARCH, PARAMS, STAGES)))
    assert strips == [_staged(BEST), _staged(SMALL), _staged(BEST), KEY]


def test_a_front_of_very_many_paths_is_thinned_and_keeps_its_ends() -> None:
    many = candidates(*({"multiply_adds": 100 + n} for n in range(3 * MOST_ROWS)))
    best, *front, _ = _strips(_opened(front_png(many, PARAMS, STAGES)))
    assert len(front) == MOST_ROWS
    assert (front[0], front[-1]) == (_staged(many[0].blocks), _staged(many[-1].blocks))
    assert best == front[-1]


def test_a_field_is_the_darker_the_more_parents_have_its_block() -> None:
    picture = _opened(choices_png(SEARCH, PARAMS, STAGES))
    bars = _bars(picture)
    assert list(bars.values()) == ["0", "1", "2", "3"]
    # Near the upper edges of the fields, above their texts.
    rows = [_runs(picture, y - 44) for y in bars]
    fields = [
        [colour for colour, length in row if length == 44 and colour != WHITE] for row in rows
    ]
    # The first is the block's own cell, on the left.
    assert [len(row) for row in fields] == [21] * 4
    shares = {GROUND: 0, (206, 218, 242): 1, (166, 189, 236): 2, (127, 160, 229): 3}
    for place in range(20):
        blocks = [path.blocks[place] for path in SEARCH]
        counts = [blocks.count(digit) for digit in "0123"]
        assert [shares[row[place + 1]] for row in fields] == counts


def test_each_block_is_told_without_its_colour() -> None:
    picture = _opened(front_png(SEARCH, PARAMS, STAGES))
    bars = next(iter(_bars(picture)))
    left = _runs(picture, bars)[0][1]
    boxes = [(x, bars - 47, x + 44, bars) for x in range(left, left + 4 * 46, 46)]
    cells = [picture.crop(box).convert("L") for box in boxes]
    marks = [cell.point(lambda value: 255 * (value > 120)).tobytes() for cell in cells]
    assert len(set(marks)) == len(BLOCKS)


def test_equal_candidates_give_equal_bytes_in_whichever_order_they_come() -> None:
    for picture in (front_png, choices_png):
        assert picture(SEARCH, PARAMS, STAGES) == picture(SEARCH[::-1], PARAMS, STAGES)


@pytest.mark.parametrize("fitness", ["error", "loss"])
def test_a_search_of_which_no_loss_is_finite_has_pictures(fitness: str) -> None:
    lost = candidates({"loss": None})
    params = SearchParams.model_validate({"fitness": fitness})
    assert _strips(_opened(front_png(lost, params, STAGES))) == [_staged(lost[0].blocks), KEY]
    assert len(_bars(_opened(choices_png(lost, params, STAGES)))) == 4


def test_unknown_blocks_and_places_beyond_the_stages_are_drawn() -> None:
    strange = candidates({"blocks": "0179"})
    *strips, _ = _strips(_opened(front_png(strange, PARAMS, (1, 1))))
    assert strips == ["0 1", "0 1"]
    assert len(_bars(_opened(choices_png(strange, PARAMS, (1, 1))))) == 4


def test_names_and_colours_are_those_of_the_page() -> None:
    paths, style, search = (
        (_DASHBOARD / name).read_text()
        for name in ("text/paths.js", "styles/style.css", "styles/search.css")
    )
    names = re.findall(r'\{ mark: "(.)", title: "([^"]+)" \}', paths)
    # The light scheme comes first.
    lines = dict(reversed(re.findall(r"--(line-\d): (#\w{6})", style)))
    chosen = re.findall(r'\[data-choice="(\d)"\] \{ --cell: var\(--([\w-]+)\)', search)
    assert [digit for digit, _ in chosen] == ["0", "1", "2", "3"]
    page = [(*name, lines[line]) for name, (_, line) in zip(names, chosen, strict=True)]
    assert page == list(BLOCKS)
