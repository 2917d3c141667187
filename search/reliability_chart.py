"""Accuracy by confidence as SVG text: a dot per bin, and the diagonal. No Django, no I/O.

Colours, fonts and themes come from the style sheet through classes; every text is escaped.
"""

import math
from dataclasses import dataclass
from html import escape
from typing import Final

from search.engine.calibration import Bin
from search.selectors.reliability import Reliability

LEFT: Final = 52
RIGHT: Final = 14
TOP: Final = 26
BOTTOM: Final = 44
TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
SMALLEST: Final = 3.0  # radii
LARGEST: Final = 11.0


@dataclass(frozen=True)
class _Frame:
    """Where shares from 0 to 1 stand inside the drawing, in SVG user units."""

    width: int
    height: int

    def x(self, confidence: float) -> float:
        return LEFT + (self.width - LEFT - RIGHT) * confidence

    def y(self, accuracy: float) -> float:
        return self.height - BOTTOM - (self.height - TOP - BOTTOM) * accuracy


def draw_reliability(part: Reliability, *, width: int, height: int) -> str:
    """One `<svg>` of an aspect: the larger a dot, the more predictions it stands for."""
    frame = _Frame(width, height)
    most = max((found.count for found in part.bins), default=1)
    largest_first = sorted(part.bins, key=lambda found: -found.count)
    return "".join(
        [
            f'<svg class="reliability-chart" viewBox="0 0 {width} {height}" role="img"',
            f' aria-label="{_summary(part)}">',
            *_axes(frame),
            *(_miss(frame, found) for found in part.bins),
            *(_dot(frame, found, most) for found in largest_first),
            "</svg>",
        ]
    )


def _axes(frame: _Frame) -> list[str]:
    left, right, top, bottom = frame.x(0), frame.x(1), frame.y(1), frame.y(0)
    parts = []
    for share in TICKS:
        x, y = frame.x(share), frame.y(share)
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{share:.0%}</text>')
    parts.append(f'<line class="diagonal" x1="{left}" y1="{bottom}" x2="{right}" y2="{top}"/>')
    parts.append(f'<text x="0" y="{top - 14}">accuracy</text>')
    parts.append(f'<text x="{right}" y="{bottom + 38}" text-anchor="end">confidence</text>')
    return parts


def _miss(frame: _Frame, found: Bin) -> str:
    """How far a dot is from the diagonal."""
    x = frame.x(found.confidence)
    return (
        f'<line class="miss" x1="{x:.1f}" x2="{x:.1f}" y1="{frame.y(found.confidence):.1f}"'
        f' y2="{frame.y(found.accuracy):.1f}"/>'
    )


def _dot(frame: _Frame, found: Bin, most: int) -> str:
    """Its area grows with what it stands for."""
    radius = max(SMALLEST, LARGEST * math.sqrt(found.count / most))
    return (
        f'<circle class="dot" cx="{frame.x(found.confidence):.1f}" cy="{frame.y(found.accuracy):.1f}"'
        f' r="{radius:.1f}"/>'
    )


def _summary(part: Reliability) -> str:
    return escape(
        f"{part.aspect}: accuracy by confidence, over {part.predictions} predictions."
        f" Expected calibration error {part.error:.1%}. The table below holds all figures."
    )
