"""The leaderboard's chart as SVG text: one dot with its interval per contender. No Django, no I/O.

Colours, fonts and themes come from the style sheet through classes; every text is escaped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Protocol

HUES: Final = 7
ROW_BESIDE: Final = 34
ROW_ABOVE: Final = 52
TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


class BoardRow(Protocol):
    """What the chart reads of a standing; shares are 0..1, None where nobody has voted yet."""

    @property
    def title(self) -> str: ...
    @property
    def approval(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def votes(self) -> int: ...
    @property
    def provisional(self) -> bool: ...
    @property
    def family(self) -> str: ...
    @property
    def metric(self) -> str: ...


@dataclass(frozen=True)
class _Frame:
    """Where the plot stands inside the drawing, in SVG user units."""

    width: float
    left: float
    right: float
    row_height: float

    def x(self, share: float) -> float:
        return self.left + (self.width - self.left - self.right) * min(1.0, max(0.0, share))


def draw_board(rows: Sequence[BoardRow], *, width: int, labels_beside: bool) -> str:
    """One `<svg>` with a row per standing, best first as given.

    `labels_beside` puts the titles in a column left of the plot (wide screens), else above each line.
    """
    frame = (
        _Frame(width, left=330, right=64, row_height=ROW_BESIDE)
        if labels_beside
        else _Frame(width, left=8, right=8, row_height=ROW_ABOVE)
    )
    height = 26 + frame.row_height * len(rows) + 8
    hues = family_hues(rows)
    parts = [
        f'<svg class="board-chart" viewBox="0 0 {width} {height:.0f}" role="img"',
        f' aria-label="{_summary(rows)}">',
        *_axis(frame, height),
        *(
            _standing(frame, row, 26 + frame.row_height * number, hues[row.family], labels_beside)
            for number, row in enumerate(rows)
        ),
        "</svg>",
    ]
    return "".join(parts)


def draw_interval(approval: float, low: float, high: float) -> str:
    """A single dot with its interval on a 0..1 track, 200 x 14 units, stretched to its box."""
    x, start, end = (4 + 192 * min(1.0, max(0.0, share)) for share in (approval, low, high))
    return (
        '<svg viewBox="0 0 200 14" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" x="0" y="5.5" width="200" height="3" rx="1.5"/>'
        f'<rect class="span" x="{start:.1f}" y="4" width="{max(2.0, end - start):.1f}" height="6" rx="3"/>'
        f'<rect class="dot" x="{x - 2:.1f}" y="0.5" width="4" height="13" rx="2"/></svg>'
    )


def family_hues(rows: Sequence[BoardRow]) -> dict[str, int]:
    """Family -> hue number 0..6, by name order, so that a family keeps its colour when ranks change."""
    return {family: number % HUES for number, family in enumerate(sorted({row.family for row in rows}))}


def draw_mark(metric: str, x: float, y: float, size: float = 7.0) -> str:
    """The marker of a metric: circle for L1, square for L2, diamond for Hamming, triangle for others."""
    if metric == "l1":
        return f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}"/>'
    if metric == "l2":
        side = size * 1.8
        return (
            f'<rect class="mark" x="{x - side / 2:.1f}" y="{y - side / 2:.1f}" width="{side:.1f}"'
            f' height="{side:.1f}" rx="2"/>'
        )
    reach = size * 1.3
    points = [(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)]
    if metric != "hamming":
        points = [(x, y - reach), (x + reach, y + reach * 0.8), (x - reach, y + reach * 0.8)]
    return f'<polygon class="mark" points="{" ".join(f"{px:.1f},{py:.1f}" for px, py in points)}"/>'


def _axis(frame: _Frame, height: float) -> list[str]:
    parts = []
    for share in TICKS:
        x = frame.x(share)
        anchor = "start" if x < 20 else "end" if frame.width - x < 20 else "middle"
        line = "half" if share == 0.5 else "grid"
        parts.append(f'<line class="{line}" x1="{x:.1f}" x2="{x:.1f}" y1="22" y2="{height - 4:.0f}"/>')
        parts.append(
            f'<g class="axis"><text x="{x:.1f}" y="12" text-anchor="{anchor}">{share:.0%}</text></g>'
        )
    return parts


def _standing(frame: _Frame, row: BoardRow, top: float, hue: int, labels_beside: bool) -> str:
    middle = top + (frame.row_height / 2 if labels_beside else 36)
    kind = " provisional" if row.provisional else ""
    label_y = middle + 5 if labels_beside else top + 19
    parts = [
        f'<g class="standing hue-{hue}{kind}">',
        f'<text class="title" x="{0 if labels_beside else frame.left}" y="{label_y:.1f}">'
        f"{escape(_shortened(row.title, 44 if labels_beside else 36))}</text>",
    ]
    end = f'x="{frame.width - (0 if labels_beside else frame.right)}" y="{label_y:.1f}" text-anchor="end"'
    if row.approval is None or row.low is None or row.high is None:
        parts.append(f'<text class="note" {end}>no votes</text></g>')
        return "".join(parts)
    parts.append(
        f'<line class="interval" x1="{frame.x(row.low):.1f}" x2="{frame.x(row.high):.1f}"'
        f' y1="{middle:.1f}" y2="{middle:.1f}"/>'
    )
    parts.append(draw_mark(row.metric, frame.x(row.approval), middle))
    parts.append(f'<text class="value" {end}>{row.approval:.0%}</text></g>')
    return "".join(parts)


def _summary(rows: Sequence[BoardRow]) -> str:
    counted = [row for row in rows if row.approval is not None]
    if not counted:
        return "Approval per contender. No votes yet."
    best = counted[0]
    return escape(
        f"Approval per contender with intervals, {len(counted)} with votes. First: {best.title},"
        f" {best.approval:.0%}. The table below holds the same figures."
    )


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
