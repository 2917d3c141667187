"""The masks of a conditional network as SVG text: a row of cells per aspect. No Django, no I/O.

Colours, fonts and themes come from the style sheet through classes; every text is escaped.
"""

from collections import defaultdict
from dataclasses import dataclass
from html import escape
from typing import Final

from search.selectors.masks import Mask, Masks

LABELS: Final = 150  # room for the aspects' names beside the rows
NOTES: Final = 96  # room for a row's figure beside it
ROW: Final = 28
ABOVE: Final = 22  # room for names and figures above the rows, where there is none beside them
GAP: Final = 8
SHADES: Final = 10
LETTER: Final = 7.5  # of a name, on average


@dataclass(frozen=True)
class _Frame:
    """Where the rows stand inside the drawing, in SVG user units."""

    width: int
    left: float
    right: float
    above: float
    columns: int

    @property
    def column(self) -> float:
        return (self.width - self.left - self.right) / self.columns

    @property
    def end(self) -> float:
        return self.width - self.right

    def x(self, column: float) -> float:
        return self.left + self.column * column

    def top(self, row: int) -> float:
        return 2 + row * (self.above + ROW + GAP) + self.above


def draw_masks(masks: Masks, *, width: int, labels_beside: bool) -> str:
    """One `<svg>` with a row per mask and a column per dimension; ``labels_beside`` on wide screens."""
    columns = len(masks.rows[0].cells)
    frame = (
        _Frame(width, left=LABELS, right=NOTES, above=0, columns=columns)
        if labels_beside
        else _Frame(width, left=1, right=1, above=ABOVE, columns=columns)
    )
    height = frame.top(len(masks.rows) - 1) + ROW + 2
    parts = [
        f'<svg class="mask-chart" viewBox="0 0 {width} {height:.0f}" role="img"',
        f' aria-label="{_summary(masks)}">',
    ]
    for number, mask in enumerate(masks.rows):
        parts += [_label(frame, mask, number), _ground(frame, number)]
    parts += _cells(frame, masks)
    parts += [_own(frame, mask, number) for number, mask in enumerate(masks.rows) if mask.weighs_most]
    return "".join([*parts, "</svg>"])


def _label(frame: _Frame, mask: Mask, number: int) -> str:
    """The aspect's name and how few dimensions hold half of its mask, beside the row or above it."""
    top = frame.top(number)
    y = top - 7 if frame.above else top + ROW / 2 + 5
    room = frame.width * 0.6 if frame.above else LABELS - 12
    name, start, end = _shortened(mask.aspect, room), 1 if frame.above else 0, frame.width - 1
    return (
        f'<text class="title" x="{start}" y="{y:.1f}">{name}</text>'
        f'<text class="note" x="{end}" y="{y:.1f}" text-anchor="end">half in {mask.holds_half}</text>'
    )


def _ground(frame: _Frame, number: int) -> str:
    return (
        f'<rect class="ground" x="{frame.left:.1f}" y="{frame.top(number):.1f}"'
        f' width="{frame.end - frame.left:.1f}" height="{ROW}"/>'
    )


def _cells(frame: _Frame, masks: Masks) -> list[str]:
    """All cells of one shade as one path: a mask may have many."""
    gap = 1.0 if frame.column >= 6 else 0.0
    shades: dict[int, list[str]] = defaultdict(list)
    for number, mask in enumerate(masks.rows):
        for column, cell in enumerate(mask.cells):
            place = f"M{frame.x(column):.2f} {frame.top(number):.1f}"
            wide = f"{frame.column - gap:.2f}"
            shades[round(cell * SHADES)].append(f"{place}h{wide}v{ROW}h-{wide}z")
    return [
        f'<path class="cells" fill-opacity="{shade / SHADES:.1f}" d="{"".join(cells)}"/>'
        for shade, cells in sorted(shades.items())
        if shade
    ]


def _own(frame: _Frame, mask: Mask, number: int) -> str:
    """A line around the dimensions that this aspect weighs most."""
    start, end = mask.own
    return (
        f'<rect class="own" x="{frame.x(start):.1f}" y="{frame.top(number) - 1:.1f}"'
        f' width="{frame.column * (end - start):.1f}" height="{ROW + 2}" rx="2"/>'
    )


def _summary(masks: Masks) -> str:
    halves = ", ".join(f"{mask.aspect} in {mask.holds_half}" for mask in masks.rows)
    return escape(
        f"Masks over {masks.dimensions} dimensions, by the aspect that weighs them most."
        f" Half of a mask lies: {halves}. The table below holds the figures."
    )


def _shortened(text: str, room: float) -> str:
    limit = int(room / LETTER)
    return escape(text if len(text) <= limit else text[: limit - 1].rstrip() + "…")
