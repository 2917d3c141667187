"""The demo catalogue the project draws itself: clothes, shoes and bags with every aspect labelled."""

from .attributes import ASPECTS
from .designs import VERSION
from .items import Drawing, draw_item

__all__ = ["ASPECTS", "VERSION", "Drawing", "draw_item"]
