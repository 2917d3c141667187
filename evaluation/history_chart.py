"""A contender's rankings, night by night, as SVG text. No Django, no I/O.

Colours, fonts and themes come from the style sheet through classes; every text is escaped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Final

from search.curve_chart import list_ticks

LEFT: Final = 46
RIGHT: Final = 14
TOP: Final = 12
BOTTOM: Final = 26
ROOM_PER_DAY_LABEL: Final = 110


@dataclass(frozen=True)
class HistoryPoint:
    """One night, of a contender; shares are 0 to 1, None where they could not be told."""

    made_at: datetime
    share: float | None
    approval: float | None
    low: float | None
    high: float | None

    @property
    def figures(self) -> list[float]:
        return [one for one in (self.share, self.approval, self.low, self.high) if one is not None]


@dataclass(frozen=True)
class _Frame:
    """Where the plot stands inside the drawing, in SVG user units, and what its ends stand for."""

    width: int
    height: int
    first: datetime
    last: datetime
    values: Sequence[float]  # ticks

    def x(self, at: datetime) -> float:
        room = self.width - LEFT - RIGHT
        span = (self.last - self.first) / timedelta(seconds=1)
        return LEFT + room * ((at - self.first) / timedelta(seconds=1) / span if span else 0.5)

    def y(self, share: float) -> float:
        part = (share - self.values[0]) / (self.values[-1] - self.values[0])
        return self.height - BOTTOM - (self.height - TOP - BOTTOM) * part


def draw_history(points: Sequence[HistoryPoint], *, width: int, height: int) -> str:
    """One `<svg>` of nights, oldest first; empty where no night has a figure."""
    figures = [figure for point in points for figure in point.figures]
    if not figures:
        return ""
    ticks = sorted({min(1.0, max(0.0, tick)) for tick in list_ticks(min(figures), max(figures), 4)})
    ends = ticks if len(ticks) > 1 else (0.0, 1.0)
    frame = _Frame(width, height, points[0].made_at, points[-1].made_at, ends)
    return "".join(
        [
            f'<svg class="history-chart" viewBox="0 0 {width} {height}" role="img"',
            f' aria-label="{_summary(points)}">',
            *_axes(frame),
            *_shares(frame, points),
            *(part for point in points for part in _modelled(frame, point)),
            "</svg>",
        ]
    )


def _axes(frame: _Frame) -> list[str]:
    parts = []
    for value in frame.values:
        y = frame.y(value)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{frame.width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_percent(value)}</text>'
        )
    labels = max(2, frame.width // ROOM_PER_DAY_LABEL) if frame.last > frame.first else 1
    for number in range(labels):
        at = frame.first + (frame.last - frame.first) * (number / max(1, labels - 1))
        anchor = "middle" if labels == 1 or 0 < number < labels - 1 else "end" if number else "start"
        parts.append(
            f'<text x="{frame.x(at):.1f}" y="{frame.height - 6}" text-anchor="{anchor}">{at:%-d %b %Y}</text>'
        )
    return parts


def _shares(frame: _Frame, points: Sequence[HistoryPoint]) -> list[str]:
    places = [(frame.x(one.made_at), frame.y(one.share)) for one in points if one.share is not None]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = [f'<circle class="shares" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places]
    return [f'<polyline class="share" points="{line}"/>', *dots] if places else []


def _modelled(frame: _Frame, point: HistoryPoint) -> list[str]:
    if point.approval is None or point.low is None or point.high is None:
        return []
    x = frame.x(point.made_at)
    return [
        f'<line class="interval" x1="{x:.1f}" x2="{x:.1f}"'
        f' y1="{frame.y(point.low):.1f}" y2="{frame.y(point.high):.1f}"/>',
        f'<circle class="modelled" cx="{x:.1f}" cy="{frame.y(point.approval):.1f}" r="4"/>',
    ]


def _summary(points: Sequence[HistoryPoint]) -> str:
    told = [one for one in points if one.share is not None]
    if not told:
        return "Approval by night. The table below holds all figures."
    first, last = told[0], told[-1]
    return escape(
        f"Share of dopes by night: {_percent(first.share)} on {first.made_at:%-d %b %Y},"
        f" {_percent(last.share)} on {last.made_at:%-d %b %Y}. The table below holds all figures."
    )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.3g}\u00a0%"
