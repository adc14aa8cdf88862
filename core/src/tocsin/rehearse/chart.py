"""Draws what came of rehearsals as an SVG: what was to be sent, and which phones rang, in the course of time.

A picture needs no library for that: a few lines, a grid and words. Every browser shows it, and the same result is the
same file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape

import attrs

from tocsin.rehearse.reckoning import Curve

WIDTH, HEIGHT = 960, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 190, 48, 44
_POINTS = 400
"""Most points of a line: a screen shows no more."""

_INK, _GRID, _TROUBLE = "#222222", "#dddddd", "#f6d5d0"
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Colours that the colour-blind tell apart. source: Okabe and Ito, 2008"""

_TIME_STEPS_S = (60, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


@attrs.frozen(kw_only=True)
class Panel:
    """One rehearsal in a picture.

    Args:
        title: above it.
        curve: what is drawn.
        ends_s: where its time axis ends.
        troubles: when something was wrong, with some vendor.
    """

    title: str
    curve: Curve
    ends_s: float
    troubles: tuple[tuple[float, float], ...] = ()


def draw(panels: Sequence[Panel]) -> str:
    """Return the SVG: one panel below the other, all to one scale."""
    ends_s = max((panel.ends_s for panel in panels), default=0.0) or 1.0
    most = max((len(panel.curve.due_s) for panel in panels), default=0) or 1
    body = "".join(
        f'<g transform="translate(0 {place * HEIGHT})">{"".join(_panel(panel, _Scale(ends_s, most)))}</g>\n'
        for place, panel in enumerate(panels)
    )
    height = HEIGHT * len(panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' font-family="sans-serif" font-size="12" fill="{_INK}">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>\n{body}</svg>\n'
    )


@attrs.frozen
class _Scale:
    """From seconds and counts to places in the picture."""

    ends_s: float
    most: int

    def x(self, at_s: float) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * min(at_s, self.ends_s) / self.ends_s, 1)

    def y(self, count: float) -> float:
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * count / self.most, 1)


def _panel(panel: Panel, scale: _Scale) -> Iterator[str]:
    yield f'<text x="{_LEFT}" y="{_TOP - 20}" font-size="15">{escape(panel.title)}</text>\n'
    for from_s, until_s in panel.troubles:
        x, width = scale.x(from_s), round(scale.x(until_s) - scale.x(from_s), 1)
        yield f'<rect x="{x}" y="{_TOP}" width="{width}" height="{HEIGHT - _TOP - _BOTTOM}" fill="{_TROUBLE}"/>\n'
    yield from _grid(scale)
    yield _line(panel.curve.due_s, scale, _INK, dashed=True)
    yield from _legend(0, f"to be sent: {len(panel.curve.due_s):,}", _INK, dashed=True)
    for place, (name, moments) in enumerate(panel.curve.rang_s.items(), start=1):
        colour = _COLOURS[(place - 1) % len(_COLOURS)]
        yield _line(moments, scale, colour, dashed=False)
        yield from _legend(place, f"rang by {name}: {len(moments):,}", colour, dashed=False)
    if panel.troubles:
        yield from _legend(len(panel.curve.rang_s) + 1, "trouble", _TROUBLE, dashed=False)


def _grid(scale: _Scale) -> Iterator[str]:
    """Yield the axes with their words."""
    for count in _steps(scale.most):
        y = scale.y(count)
        yield f'<path d="M{_LEFT} {y}H{WIDTH - _RIGHT}" stroke="{_GRID}"/>\n'
        yield f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{count:,}</text>\n'
    step_s = next((step for step in _TIME_STEPS_S if scale.ends_s / step <= 8), math.ceil(scale.ends_s / 8))
    for at_s in range(0, math.floor(scale.ends_s) + 1, step_s):
        x = scale.x(at_s)
        yield f'<path d="M{x} {_TOP}V{HEIGHT - _BOTTOM}" stroke="{_GRID}"/>\n'
        yield f'<text x="{x}" y="{HEIGHT - _BOTTOM + 18}" text-anchor="middle">{_clock(at_s)}</text>\n'


def _line(moments: Sequence[float], scale: _Scale, colour: str, *, dashed: bool) -> str:
    """Return how a count rises with each of the moments."""
    points = "".join(f"L{scale.x(at_s)} {scale.y(count)}" for at_s, count in _rise(moments))
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    start = f"M{scale.x(0)} {scale.y(0)}"
    end = f"H{scale.x(scale.ends_s)}"
    return f'<path d="{start}{points}{end}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>\n'


def _rise(moments: Sequence[float]) -> Iterable[tuple[float, int]]:
    step = max(1, math.ceil(len(moments) / _POINTS))
    counted = [(at_s, count) for count, at_s in enumerate(moments, start=1)]
    return (*counted[::step], *counted[-1:])


def _legend(place: int, words: str, colour: str, *, dashed: bool) -> Iterator[str]:
    x, y = WIDTH - _RIGHT + 16, _TOP + 12 + 20 * place
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    yield f'<path d="M{x} {y - 4}h22" stroke="{colour}" stroke-width="3"{dash}/>\n'
    yield f'<text x="{x + 30}" y="{y}">{escape(words)}</text>\n'


def _steps(most: int) -> range:
    """Return round numbers from 0 to no more than that, five or so."""
    rough = max(1.0, most / 5)
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    return range(0, most + 1, step)


def _clock(at_s: int) -> str:
    hours, minutes = divmod(at_s // 60, 60)
    return f"{hours}:{minutes:02}"
