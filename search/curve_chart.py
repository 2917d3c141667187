"""The curves of a training as SVG text: one figure by step. No Django, no I/O.

Colours, fonts and themes come from the style sheet through classes; every text is escaped.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

LEFT: Final = 46
RIGHT: Final = 14
TOP: Final = 24
BOTTOM: Final = 38
ROOM_PER_STEP_LABEL: Final = 90
LOG_FROM: Final = 20.0  # an axis is logarithmic where the highest is so many times the lowest
FINEST: Final = 1e-12  # below this a figure is nought, and so is a difference in proportion to the figures
DOTS: Final = 40  # more points than this are a line without dots

Point = tuple[int, float]


@dataclass(frozen=True)
class Curve:
    """What is drawn: finite figures by step, in order; ``best_step`` is that of the weights that are kept."""

    title: str
    points: Sequence[Point]
    best_step: int | None = None

    @property
    def is_logarithmic(self) -> bool:
        """Whether the figures differ so much that a linear axis would hide the lower ones."""
        values = [value for _, value in self.points]
        return bool(values) and min(values) > FINEST and max(values) > LOG_FROM * min(values)


@dataclass(frozen=True)
class _Frame:
    """Where the plot stands inside the drawing, in SVG user units, and where figures stand in it."""

    width: int
    height: int
    steps: Sequence[float]  # ticks
    values: Sequence[float]  # ticks
    last_step: float
    scale: Callable[[float], float]

    def x(self, step: float) -> float:
        return LEFT + (self.width - LEFT - RIGHT) * step / max(1.0, self.last_step)

    def y(self, value: float) -> float:
        low, high = self.scale(self.values[0]), self.scale(self.values[-1])
        share = (self.scale(value) - low) / (high - low)
        return self.height - BOTTOM - (self.height - TOP - BOTTOM) * share


def draw_curve(curve: Curve, *, width: int, height: int) -> str:
    """One `<svg>` of a curve that has a point at least."""
    values = [value for _, value in curve.points]
    last = float(curve.points[-1][0])
    frame = _Frame(
        width=width,
        height=height,
        steps=[tick for tick in list_ticks(0, last, width // ROOM_PER_STEP_LABEL) if tick <= last],
        values=(list_log_ticks if curve.is_logarithmic else list_ticks)(min(values), max(values), 4),
        last_step=last,
        scale=math.log10 if curve.is_logarithmic else float,
    )
    return "".join(
        [
            f'<svg class="curve-chart" viewBox="0 0 {width} {height}" role="img"',
            f' aria-label="{_summary(curve)}">',
            *_axes(frame),
            *_best(frame, curve),
            *_line(frame, curve.points),
            "</svg>",
        ]
    )


def list_ticks(low: float, high: float, count: int) -> list[float]:
    """About ``count`` round figures, two at least, evenly spaced around ``low`` and ``high``."""
    span = next(span for span in (high - low, abs(high), 1.0) if span > FINEST * max(1.0, abs(high)))
    rough = span / max(1, count)
    unit = 10.0 ** math.floor(math.log10(rough))
    step = unit * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * unit >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def list_log_ticks(low: float, high: float, count: int) -> list[float]:
    """Powers of ten, and twice and five times them while ``count`` leaves room, around both figures."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1,) if last - first >= count else (1, 2, 5)
    ticks = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
    start = max((place for place, tick in enumerate(ticks) if tick <= low), default=0)
    end = next((place for place, tick in enumerate(ticks) if tick >= high), len(ticks) - 1)
    return ticks[start : end + 1]


def _axes(frame: _Frame) -> list[str]:
    left, right, bottom = LEFT, frame.width - RIGHT, frame.height - BOTTOM
    parts = []
    for value in frame.values:
        y = frame.y(value)
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.4g}</text>')
    for step in frame.steps:
        x, anchor = frame.x(step), "end" if frame.x(step) > right - 20 else "middle"
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="{anchor}">{_grouped(step)}</text>')
    parts.append(f'<text x="{right}" y="{bottom + 34}" text-anchor="end">step</text>')
    return parts


def _line(frame: _Frame, points: Sequence[Point]) -> list[str]:
    places = [(frame.x(step), frame.y(value)) for step, value in points]
    parts = [f'<polyline class="curve" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>']
    if len(places) <= DOTS:
        parts += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places]
    return parts


def _best(frame: _Frame, curve: Curve) -> list[str]:
    """The line of the best step, its name above the plot, and a ring where the curve has a point there."""
    if curve.best_step is None:
        return []
    x = frame.x(curve.best_step)
    anchor = "start" if x < frame.width * 0.25 else "end" if x > frame.width * 0.75 else "middle"
    figure = dict(curve.points).get(curve.best_step)
    told = f"best step {_grouped(curve.best_step)}" + ("" if figure is None else f": {figure:.3f}")
    parts = [
        f'<line class="best" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{frame.height - BOTTOM}"/>',
        f'<text class="best-name" x="{x:.1f}" y="{TOP - 11}" text-anchor="{anchor}">{told}</text>',
    ]
    if figure is not None:
        parts.append(f'<circle class="ring" cx="{x:.1f}" cy="{frame.y(figure):.1f}" r="7"/>')
    return parts


def _summary(curve: Curve) -> str:
    (first, start), (last, end) = curve.points[0], curve.points[-1]
    axis = " on a logarithmic axis" if curve.is_logarithmic else ""
    best = "" if curve.best_step is None else f" Best step: {curve.best_step}."
    return escape(
        f"{curve.title} by step{axis}: {start:.3g} at step {first}, {end:.3g} at step {last}.{best}"
        " The table below holds all figures."
    )


def _grouped(step: float) -> str:
    """12345 -> "12 345" with narrow no-break spaces."""
    return f"{step:,.0f}".replace(",", "\u202f")
