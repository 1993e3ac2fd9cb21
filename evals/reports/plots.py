"""Draw the plots of the reports as inline SVG: no script, no fonts, colors from the page's own style.

Each function returns a whole ``<svg>``; all labels are escaped. `Series` and `Row` are the possible contents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor, log10

from markupsafe import Markup, escape

_STYLE = (
    "<style>text{font:12px sans-serif;fill:#444}.grid{stroke:#8884;fill:none}.line{fill:none;stroke-width:2}.bar{stroke-width:8}"
    ".a{stroke:#2563eb}.b{stroke:#d97706}rect.a,circle.a{fill:#2563eb}rect.b,circle.b{fill:#d97706}</style>"
)
"""The colors of a plot in a file of its own."""
WIDTH, HEIGHT = 460, 280
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 44
ROW = 24
LABELS = 190


@dataclass(frozen=True, slots=True)
class Series:
    """Points that belong together, drawn as a line or as dots."""

    name: str
    points: tuple[tuple[float, float], ...]
    style: str = "a"
    """The class of its color: a, b or c."""
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A value with its interval, as one line of a chart."""

    label: str
    value: float
    low: float | None
    high: float | None
    note: str = ""
    style: str = "a"


def lines(
    series: Sequence[Series],
    *,
    title: str,
    x: str,
    y: str,
    x_most: float = 1.0,
    y_most: float = 1.0,
    diagonal: bool = False,
) -> Markup:
    """Draw lines over an area from 0 to `x_most` and `y_most`; `diagonal` marks where both are equal."""
    return _svg(WIDTH, HEIGHT, title, "".join(_line_parts(series, x, y, x_most, y_most, diagonal)))


def _line_parts(
    series: Sequence[Series], x: str, y: str, x_most: float, y_most: float, diagonal: bool
) -> Iterator[str]:
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at(point: tuple[float, float]) -> tuple[float, float]:
        across, up = min(1.0, point[0] / x_most), min(1.0, point[1] / y_most)
        return LEFT + across * wide, TOP + (1 - up) * high

    for tick in _ticks(y_most):
        left, level = at((0, tick))
        yield f'<path class="grid" d="M{left:.1f} {level:.1f}h{wide}"/>'
        yield _text(LEFT - 6, level + 4, _number(tick), "end")
    for tick in _ticks(x_most):
        place, _ = at((tick, 0))
        yield f'<path class="grid" d="M{place:.1f} {TOP}v{high}"/>'
        yield _text(place, HEIGHT - BOTTOM + 16, _number(tick), "middle")
    yield _text(LEFT + wide / 2, HEIGHT - 8, x, "middle")
    yield f'<g transform="translate(13 {TOP + high / 2}) rotate(-90)">{_text(0, 0, y, "middle")}</g>'
    if diagonal:
        (left, low), (right, top) = at((0, 0)), at((x_most, y_most))
        yield f'<path class="ideal" d="M{left:.1f} {low:.1f}L{right:.1f} {top:.1f}"/>'
    for number, one in enumerate(series):
        placed = [at(point) for point in one.points]
        if one.dots:
            yield from (f'<circle class="{one.style}" cx="{across:.1f}" cy="{up:.1f}" r="4"/>' for across, up in placed)
        if placed:
            path = "L".join(f"{across:.1f} {up:.1f}" for across, up in placed)
            yield f'<path class="line {one.style}" d="M{path}"/>'
        if len(series) > 1:
            left, level = WIDTH - 250 + number * 120, HEIGHT - BOTTOM - 20
            yield f'<rect class="{one.style}" x="{left}" y="{level}" width="10" height="10"/>'
            yield _text(left + 14, level + 9, one.name, "start")


def whiskers(rows: Sequence[Row], *, title: str, least: float = 0.0, most: float = 1.0) -> Markup:
    """Return a line for each row: a dot at its value and a bar over its interval, between `least` and `most`."""
    height = TOP + ROW * len(rows) + 30
    wide = 620 - LABELS - 96
    span = (most - least) or 1.0

    def at(value: float) -> float:
        return LABELS + min(1.0, max(0.0, (value - least) / span)) * wide

    parts = []
    if least < 0 < most:
        parts.append(f'<path class="ideal" d="M{at(0):.1f} {TOP}V{height - 26}"/>')
    for tick in (least, (least + most) / 2, most):
        parts.append(f'<path class="grid" d="M{at(tick):.1f} {TOP}V{height - 26}"/>')
        parts.append(_text(at(tick), height - 10, _number(tick), "middle"))
    for number, row in enumerate(rows):
        level = TOP + ROW * number + ROW / 2
        parts.append(_text(LABELS - 10, level + 4, _clipped(row.label, 28), "end"))
        if row.low is not None and row.high is not None:
            start, end = at(row.low), max(at(row.high), at(row.low) + 1)
            parts.append(f'<path class="bar {row.style}" d="M{start:.1f} {level:.1f}H{end:.1f}"/>')
        parts.append(f'<circle class="{row.style}" cx="{at(row.value):.1f}" cy="{level:.1f}" r="4"/>')
        parts.append(_text(620 - 86, level + 4, row.note, "start"))
    return _svg(620, height, title, "".join(parts))


def standalone(plot: Markup) -> str:
    """Return a plot for a file of its own: with colors, and with room for a last tick of six digits."""
    head, _, rest = str(plot).replace('viewBox="0 0 460 ', 'viewBox="0 0 480 ', 1).partition(">")
    return f"{head}>{_STYLE}{rest}\n"


def cumulative(values: Sequence[float], points: int = 120) -> tuple[tuple[float, float], ...]:
    """Return (value, share of values up to it), reduced to about `points`."""
    ascending = sorted(values)
    if not ascending:
        return ()
    chosen = sorted({round(place * (len(ascending) - 1) / points) for place in range(points + 1)})
    return ((0.0, 0.0), *((ascending[at], (at + 1) / len(ascending)) for at in chosen))


def nice_most(value: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is at least `value`."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))


def _ticks(most: float) -> list[float]:
    return [most * step / 5 for step in range(6)]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(width: float, height: float, title: str, inner: str) -> Markup:
    # Every part was made here from numbers, or escaped.
    return Markup(  # noqa: S704
        f'<svg viewBox="0 0 {width} {height}" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title>{inner}</svg>"
    )
