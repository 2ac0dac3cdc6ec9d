"""What a notebook shows of jobs, checkpoints and curves: small tables and SVG, text escaped."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT, _MARGIN = 280, 90, 4
_MOST_CURVES = 2
_FIRST = ("loss", "top1_error")
"""The curves that are shown where there are more."""
Points = Sequence[tuple[int, float]]


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], more: str = "") -> str:
    """A table; `more` is a note below it."""
    head = "".join(f'<th style="text-align:left">{escape(each)}</th>' for each in columns)
    body = "".join(f"<tr>{''.join(map(_line, row))}</tr>" for row in rows)
    shown = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div style="overflow-x:auto">{shown}</div>' + (note(more) if more else "")


def fields(title: str, values: Mapping[str, object], below: str = "") -> str:
    """A title, and a row for each value that is not empty; `below` is HTML."""
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th>{_cell(value)}</tr>'
        for name, value in values.items()
        if value not in (None, "")
    )
    head = f"<div><strong>{escape(title)}</strong></div>"
    return f"<div>{head}<table><tbody>{rows}</tbody></table>{below}</div>"


def note(text: str) -> str:
    """A sentence."""
    return f'<div style="opacity:0.75">{escape(text)}</div>'


def preformatted(text: str) -> str:
    """A text with its lines as they are."""
    return f'<pre style="overflow-x:auto">{escape(text)}</pre>'


def curves(series: Mapping[str, Points]) -> str:
    """The loss and the error as small charts, or the first metrics there are; empty for none."""
    drawable = {name: _finite(points) for name, points in series.items()}
    known = [name for name, points in drawable.items() if len(points) > 1]
    first = [name for name in _FIRST if name in known]
    chosen = [*first, *(name for name in known if name not in first)][:_MOST_CURVES]
    charts = "".join(_chart(name, drawable[name]) for name in chosen)
    return f'<div style="display:flex;flex-wrap:wrap;gap:1.5em">{charts}</div>' if charts else ""


def _chart(name: str, points: Points) -> str:
    steps, values = [step for step, _ in points], [value for _, value in points]
    x, y = _scale(steps, _WIDTH, flip=False), _scale(values, _HEIGHT, flip=True)
    line = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in points)
    label = f"{name}: {values[-1]:.4g} at step {steps[-1]}, lowest {min(values):.4g}"
    return (
        f'<figure style="margin:0.5em 0"><svg role="img" aria-label="{escape(label)}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'style="max-width:100%">'
        f'<path d="M0 {_HEIGHT - 0.5}H{_WIDTH}" stroke="currentColor" opacity="0.25"/>'
        f'<polyline points="{line}" fill="none" stroke="#2a78d6" stroke-width="1.5"/></svg>'
        f"<figcaption>{escape(label)}</figcaption></figure>"
    )


def _scale(values: Sequence[float], length: int, *, flip: bool) -> "_Scale":
    return _Scale(min(values), max(values), length, flip)


class _Scale:
    """From a value to its place in a chart."""

    def __init__(self, low: float, high: float, length: int, flip: bool) -> None:
        self._low, self._span = low, (high - low) or 1.0
        self._length, self._flip = length, flip

    def __call__(self, value: float) -> float:
        part = (value - self._low) / self._span
        part = 1 - part if self._flip else part
        return _MARGIN + part * (self._length - 2 * _MARGIN)


def _finite(points: Points) -> Points:
    return [(step, value) for step, value in points if math.isfinite(value)]


def _cell(value: object) -> str:
    return f'<td style="text-align:left">{escape(_text(value))}</td>'


def _line(value: object) -> str:
    """A cell of one line; of a long text the beginning, and the whole where the pointer is."""
    style = (
        "text-align:left;white-space:nowrap;max-width:22em;overflow:hidden;text-overflow:ellipsis"
    )
    text = escape(_text(value))
    return f'<td style="{style}" title="{text}">{text}</td>'


def _text(value: object) -> str:
    return "" if value is None else str(value)
