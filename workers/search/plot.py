"""A plot of values against others, with axes: the frame of the pictures of a search."""

import io
from collections.abc import Iterable, Sequence

from PIL import Image, ImageDraw

_WIDTH, _HEIGHT = 800, 500
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 780, 30, 450
_PAPER, _AXIS, _TEXT = "#f7f9fc", "#8a94a6", "#1b2432"
_TICKS = 5
_ROOM = 0.05
_LINE_PIXELS, _RING_PIXELS = 3, 2
_DASH, _GAP = 5, 4
_KEY_PIXELS, _KEY_GAP = 24, 16

Colour = str | tuple[int, int, int]
Point = tuple[float, float]
"""The values of a point, across and up."""


class Plot:
    """A picture in which each value of `across` and of `up` is in sight.

    What is drawn later is above. Equal calls give equal bytes.
    """

    def __init__(self, across: Sequence[float], up: Sequence[float]) -> None:
        self._across, self._up = _Scale(across, _LEFT, _RIGHT), _Scale(up, _BOTTOM, _TOP)
        self._picture = Image.new("RGB", (_WIDTH, _HEIGHT), _PAPER)
        self._draw = ImageDraw.Draw(self._picture)
        self._key_right = float(_RIGHT)

    def axes(self, across: str, up: str, ticks: Iterable[float] | None = None) -> None:
        """The axes with their titles; the ticks of the first are even ones, or those given."""
        draw = self._draw
        draw.line([(_LEFT, _TOP), (_LEFT, _BOTTOM), (_RIGHT, _BOTTOM)], fill=_AXIS)
        for tick in self._across.ticks() if ticks is None else ticks:
            x = self._across.at(tick)
            draw.line([(x, _BOTTOM), (x, _BOTTOM + 5)], fill=_AXIS)
            draw.text((x, _BOTTOM + 8), f"{tick:.4g}", fill=_TEXT, anchor="ma")
        for tick in self._up.ticks():
            y = self._up.at(tick)
            draw.line([(_LEFT - 5, y), (_LEFT, y)], fill=_AXIS)
            draw.text((_LEFT - 8, y), f"{tick:.3g}", fill=_TEXT, anchor="rm")
        draw.text(((_LEFT + _RIGHT) / 2, _HEIGHT - 20), across, fill=_TEXT, anchor="ma")
        draw.text((_LEFT, _TOP - 18), up, fill=_TEXT)

    def line(self, points: Sequence[Point], colour: Colour) -> None:
        """A line through points, in their order."""
        if len(points) > 1:
            self._draw.line(list(map(self._at, points)), fill=colour, width=_LINE_PIXELS)

    def dot(self, point: Point, radius: int, colour: Colour) -> None:
        """A disc at a point."""
        self._draw.ellipse(self._around(point, radius), fill=colour)

    def ring(self, point: Point, radius: int, colour: Colour, *, is_open: bool = True) -> None:
        """A ring around a point; one that is not open hides what is below it."""
        fill = None if is_open else _PAPER
        self._draw.ellipse(self._around(point, radius), fill, colour, _RING_PIXELS)

    def limit(self, value: float, colour: Colour) -> None:
        """A dashed line at a value of the first axis, from top to bottom, with its name."""
        x = self._across.at(value)
        for y in range(_TOP, _BOTTOM, _DASH + _GAP):
            self._draw.line([(x, y), (x, min(y + _DASH, _BOTTOM) - 1)], fill=colour)
        self._draw.text((x - 6, _TOP), "limit", fill=colour, anchor="ra")

    def key(self, name: str, colour: Colour) -> None:
        """What a line of this colour is, above the plot, on the left of those before it."""
        y = _TOP - 12
        self._draw.text((self._key_right, y), name, fill=_TEXT, anchor="rm")
        right = self._key_right - self._draw.textlength(name) - 6
        self._draw.line([(right - _KEY_PIXELS, y), (right, y)], fill=colour, width=_LINE_PIXELS)
        self._key_right = right - _KEY_PIXELS - _KEY_GAP

    def encoded(self) -> bytes:
        """The picture as a PNG."""
        encoded = io.BytesIO()
        self._picture.save(encoded, "PNG")
        return encoded.getvalue()

    def _at(self, point: Point) -> Point:
        return self._across.at(point[0]), self._up.at(point[1])

    def _around(self, point: Point, radius: int) -> tuple[float, float, float, float]:
        x, y = self._at(point)
        return x - radius, y - radius, x + radius, y + radius


class _Scale:
    """Where a value lies between two edges of the picture; the values have room around them."""

    def __init__(self, values: Sequence[float], first: int, last: int) -> None:
        least, most = min(values, default=0.0), max(values, default=1.0)
        room = (most - least or abs(most) or 1.0) * _ROOM
        self._least, self._most = least - room, most + room
        self._first, self._last = first, last

    def at(self, value: float) -> float:
        share = (value - self._least) / (self._most - self._least)
        return self._first + share * (self._last - self._first)

    def ticks(self) -> list[float]:
        step = (self._most - self._least) / (_TICKS + 1)
        return [self._least + step * number for number in range(1, _TICKS + 1)]
