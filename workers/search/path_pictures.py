"""Pictures of the paths of a search: the front as strips of blocks, and the parents' choices.

Names and colours of the blocks are those of the dashboard (`text/paths.js`, `styles/style.css`). A
block is told by its mark as well as by its colour. Equal candidates give equal bytes.
"""

import io
from collections.abc import Iterator, Sequence

from PIL import Image, ImageDraw, ImageFont

from service.contract.candidate_ranks import best_first, front_of, heat_of, spread, value_of
from service.contract.candidates import Candidate
from service.contract.counts import count_text
from service.contract.search_params import SearchParams
from service.contract.search_summaries import CHOICES

MOST_ROWS = 40
"""Of a larger front so many paths are shown, evenly spread, its ends among them."""

BLOCKS = (
    ("3", "kernel 3", "#2f66d8"),
    ("5", "kernel 5", "#14866d"),
    ("7", "kernel 7", "#8a4fc4"),
    ("x", "xception", "#d0660c"),
)
"""The mark, the name and the colour of each choice, by its digit."""
_OTHER_COLOUR = "#6b7686"
_PAPER, _GROUND, _INK, _QUIET = "#ffffff", "#f6f7f9", "#1a2230", "#5a6676"
_FILL_SHARE, _HEAT_SHARE = 0.26, 0.6
_WIDTH, _HEIGHT, _BAR, _GAP, _STAGE_GAP = 44, 52, 5, 2, 14
_MARGIN, _LINE, _COLUMN = 24, 44, 190
_LEAST_WIDTH = 840
"""For what is below the fields of a network of few places."""
_DOTS_PER_INCH = 300
_TEXT_PIXELS, _MARK_PIXELS = 26, 30

_Rgb = tuple[int, int, int]


def front_png(
    candidates: Sequence[Candidate], params: SearchParams, stages: Sequence[int]
) -> bytes:
    """A PNG with a strip for the best path, and below it for each of the front, the smallest first.

    `stages` are the places of each stage, apart by a gap. Beside a strip are its error, or its
    loss, and its multiply-adds.
    """
    best, *_ = best_first(candidates, params.fitness)
    front = front_of(candidates, params.fitness)
    rows = spread(front, MOST_ROWS)
    left, places = round(_length("Pareto front")), _columns(len(best.blocks), stages)
    sheet = _Sheet(places, len(rows) + 1, left=left, right=_COLUMN * 2)
    sheet.numbers()
    titles = "loss" if params.fitness == "loss" else "top-1 error", "multiply-adds"
    for column, title in enumerate(titles):
        sheet.beside(column, sheet.top - _LINE / 2, title, _QUIET)
    for number, each in enumerate([best, *rows]):
        top = sheet.row(number) + (_STAGE_GAP if number else 0)
        if number < 2:
            sheet.label(top, "best" if number == 0 else "Pareto front")
        for x, digit in zip(sheet.columns, each.blocks, strict=True):
            sheet.block(x, top, int(digit))
        sheet.beside(0, top + _HEIGHT / 2, _value_text(each, params))
        sheet.beside(1, top + _HEIGHT / 2, f"{each.multiply_adds / 1e6:,.4g} M")
    left_out = "" if len(rows) == len(front) else f"{len(rows)} of the {len(front)} of the front"
    sheet.key(left_out)
    return sheet.encoded()


def choices_png(
    candidates: Sequence[Candidate], params: SearchParams, stages: Sequence[int]
) -> bytes:
    """A PNG with how many of the best paths, the parents, have each choice at each place.

    A row is a choice, a column a place; `stages` are the places of each stage, apart by a gap. The
    darker a field, the more.
    """
    parents = best_first(candidates, params.fitness)[: params.parents]
    longest = round(max(_length(name) for _, name, _ in BLOCKS))
    places = _columns(len(parents[0].blocks), stages)
    sheet = _Sheet(places, CHOICES, left=longest + _STAGE_GAP + _WIDTH, right=0)
    sheet.numbers()
    for digit in range(CHOICES):
        sheet.block(sheet.columns[0] - _STAGE_GAP - _WIDTH, sheet.row(digit), digit)
        sheet.label(sheet.row(digit), BLOCKS[digit][1], _STAGE_GAP + _WIDTH)
    for x, counts in zip(sheet.columns, heat_of(parents, len(places)), strict=True):
        for digit, count in enumerate(counts):
            fill = _mixed(BLOCKS[0][2], _GROUND, _HEAT_SHARE * count / len(parents))
            sheet.field(x, sheet.row(digit), fill, str(count or ""))
    many = count_text(len(parents), "path")
    sheet.note(f"How many of the best {many}, the parents, have a block at a place")
    return sheet.encoded()


class _Sheet:
    """A picture of rows of fields, with so many pixels on their left and right for labels.

    `places` has where each column begins, from 0; `columns` has it on the sheet.
    """

    def __init__(self, places: Sequence[int], rows: int, *, left: int, right: int) -> None:
        self.columns = [_MARGIN + left + _STAGE_GAP + x for x in places]
        self.top = _MARGIN + _LINE
        self._right = self.columns[-1] + _WIDTH
        self._bottom = self.row(rows) + 2 * _STAGE_GAP
        width = max(self._right + right, self.columns[0] + _LEAST_WIDTH) + _MARGIN
        size = width, self._bottom + _HEIGHT + _MARGIN
        self._picture = Image.new("RGB", size, _PAPER)
        self._draw = ImageDraw.Draw(self._picture)

    def row(self, number: int) -> int:
        """The upper edge of a row."""
        return self.top + number * (_HEIGHT + _GAP * 3)

    def numbers(self) -> None:
        """The number of each place above its column, from 1."""
        for number, x in enumerate(self.columns, start=1):
            self._text((x + _WIDTH / 2, self.top - _LINE / 2), str(number), "mm", _QUIET)

    def label(self, top: float, text: str, room: int = 0) -> None:
        """What a row is called, on the left of it, with room for something between."""
        x = self.columns[0] - room - _STAGE_GAP
        self._text((x, top + _HEIGHT / 2), text, "rm")

    def beside(self, column: int, y: float, text: str, colour: str = _INK) -> None:
        """A text on the right of the fields, in the first or the second column."""
        self._text((self._right + (column + 1) * _COLUMN, y), text, "rm", colour)

    def block(self, x: float, top: float, digit: int) -> None:
        """The cell of a choice: its mark on a light ground, and a bar of its colour."""
        known = digit < len(BLOCKS)
        mark, colour = (
            (BLOCKS[digit][0], BLOCKS[digit][2]) if known else (str(digit), _OTHER_COLOUR)
        )
        self.field(x, top, _mixed(colour, _PAPER, _FILL_SHARE), mark)
        bar = x, top + _HEIGHT - _BAR, x + _WIDTH - 1, top + _HEIGHT - 1
        self._draw.rectangle(bar, fill=colour)

    def field(self, x: float, top: float, fill: _Rgb, text: str) -> None:
        """A field of one colour with a text in its middle."""
        self._draw.rectangle((x, top, x + _WIDTH - 1, top + _HEIGHT - 1), fill=fill)
        middle = x + _WIDTH / 2, top + _HEIGHT / 2
        self._draw.text(middle, text, fill=_INK, anchor="mm", font=_font(_MARK_PIXELS))

    def key(self, note: str) -> None:
        """What each mark means, below the rows, and a note behind it."""
        x = float(self.columns[0])
        for digit, (_, name, _) in enumerate(BLOCKS):
            self.block(x, self._bottom, digit)
            self._text((x + _WIDTH + _STAGE_GAP, self._bottom + _HEIGHT / 2), name, "lm")
            x += _WIDTH + _length(name) + 3 * _STAGE_GAP
        self._text((x + _STAGE_GAP, self._bottom + _HEIGHT / 2), note, "lm", _QUIET)

    def note(self, text: str) -> None:
        """A sentence below the rows."""
        self._text((self.columns[0], self._bottom + _LINE / 2), text, "lm", _QUIET)

    def encoded(self) -> bytes:
        """The picture as a PNG."""
        encoded = io.BytesIO()
        self._picture.save(encoded, "PNG", dpi=(_DOTS_PER_INCH, _DOTS_PER_INCH))
        return encoded.getvalue()

    def _text(self, at: tuple[float, float], text: str, anchor: str, colour: str = _INK) -> None:
        self._draw.text(at, text, fill=colour, anchor=anchor, font=_font(_TEXT_PIXELS))


def _columns(places: int, stages: Sequence[int]) -> list[int]:
    """Where each place begins, from 0; places beyond the stages are a last one."""
    begins = {sum(stages[:number]) for number in range(1, len(stages) + 1)}
    gaps = (sum(place >= begin for begin in begins) for place in range(places))
    return [place * (_WIDTH + _GAP) + gap * (_STAGE_GAP - _GAP) for place, gap in enumerate(gaps)]


def _value_text(candidate: Candidate, params: SearchParams) -> str:
    if candidate.loss is None:
        return "not finite"
    value = value_of(candidate, params.fitness)
    return f"{value:.4f}" if params.fitness == "loss" else f"{value * 100:.2f} %"


def _mixed(colour: str, ground: str, share: float) -> _Rgb:
    """As color-mix(in srgb, colour share, ground) of the dashboard."""
    red, green, blue = (
        round(below + share * (above - below))
        for above, below in zip(_channels(colour), _channels(ground), strict=True)
    )
    return red, green, blue


def _channels(colour: str) -> Iterator[int]:
    return iter(bytes.fromhex(colour.removeprefix("#")))


def _length(text: str) -> float:
    return _font(_TEXT_PIXELS).getlength(text)


def _font(pixels: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(pixels)
