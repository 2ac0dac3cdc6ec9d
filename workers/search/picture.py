"""The picture of a search: the error or the loss of each candidate against its multiply-adds."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

from service.contract.candidates import Candidate
from service.contract.search_params import SearchParams

_WIDTH, _HEIGHT = 800, 500
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 780, 30, 450
_PAPER, _AXIS, _TEXT, _MARK = "#f7f9fc", "#8a94a6", "#1b2432", "#c2410c"
_EARLY, _LATE = (170, 196, 240), (24, 68, 168)
_RADIUS, _RING_RADIUS = 4, 8
_MILLION = 1_000_000
_TICKS = 5

_Point = tuple[float, float]


def candidates_png(candidates: Sequence[Candidate], best: Candidate, params: SearchParams) -> bytes:
    """A PNG of one dot a candidate, the darker the later its generation; the best has a ring.

    A candidate whose loss is not finite has no dot. A line is at the limit, if a search had one
    that lies within the picture.
    """
    shown = [candidate for candidate in candidates if candidate.loss is not None]
    across = _Scale([each.multiply_adds / _MILLION for each in shown], _LEFT, _RIGHT)
    down = _Scale([_value(each, params) for each in shown], _BOTTOM, _TOP)
    picture = Image.new("RGB", (_WIDTH, _HEIGHT), _PAPER)
    draw = ImageDraw.Draw(picture)
    _draw_axes(draw, across, down, params.fitness)
    limit = params.macs_limit / _MILLION
    if params.candidates is None and across.least <= limit <= across.most:
        draw.line([(across.at(limit), _TOP), (across.at(limit), _BOTTOM)], fill=_MARK)
    last = max((each.generation for each in shown), default=0) or 1
    for each in shown:
        point = across.at(each.multiply_adds / _MILLION), down.at(_value(each, params))
        draw.ellipse(_around(point, _RADIUS), fill=_colour(each.generation / last))
        if each.blocks == best.blocks:
            draw.ellipse(_around(point, _RING_RADIUS), outline=_MARK, width=2)
    encoded = io.BytesIO()
    picture.save(encoded, "PNG")
    return encoded.getvalue()


class _Scale:
    """Where a value lies between two edges of the picture; the values have room around them."""

    def __init__(self, values: Sequence[float], first: int, last: int) -> None:
        least, most = min(values, default=0.0), max(values, default=1.0)
        room = (most - least or abs(most) or 1.0) * 0.05
        self.least, self.most = least - room, most + room
        self._first, self._last = first, last

    def at(self, value: float) -> float:
        share = (value - self.least) / (self.most - self.least)
        return self._first + share * (self._last - self._first)

    def ticks(self) -> list[float]:
        step = (self.most - self.least) / (_TICKS + 1)
        return [self.least + step * number for number in range(1, _TICKS + 1)]


def _draw_axes(draw: ImageDraw.ImageDraw, across: _Scale, down: _Scale, fitness: str) -> None:
    draw.line([(_LEFT, _TOP), (_LEFT, _BOTTOM), (_RIGHT, _BOTTOM)], fill=_AXIS)
    for tick in across.ticks():
        draw.line([(across.at(tick), _BOTTOM), (across.at(tick), _BOTTOM + 5)], fill=_AXIS)
        draw.text((across.at(tick), _BOTTOM + 8), f"{tick:.4g}", fill=_TEXT, anchor="ma")
    for tick in down.ticks():
        draw.line([(_LEFT - 5, down.at(tick)), (_LEFT, down.at(tick))], fill=_AXIS)
        draw.text((_LEFT - 8, down.at(tick)), f"{tick:.3g}", fill=_TEXT, anchor="rm")
    middle = (_LEFT + _RIGHT) / 2
    draw.text((middle, _HEIGHT - 20), "million multiply-adds", fill=_TEXT, anchor="ma")
    name = "loss" if fitness == "loss" else "top-1 error"
    draw.text((_LEFT, _TOP - 18), name, fill=_TEXT)


def _value(candidate: Candidate, params: SearchParams) -> float:
    assert candidate.loss is not None
    return candidate.loss if params.fitness == "loss" else candidate.top1_error


def _colour(share: float) -> tuple[int, int, int]:
    red, green, blue = (
        round(early + share * (late - early)) for early, late in zip(_EARLY, _LATE, strict=True)
    )
    return red, green, blue


def _around(point: _Point, radius: int) -> tuple[float, float, float, float]:
    x, y = point
    return x - radius, y - radius, x + radius, y + radius
