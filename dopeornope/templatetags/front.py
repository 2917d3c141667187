"""Template tags of the front end: import map, icons, charts and figures in words."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django import template
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from dopeornope.icons import ICONS
from evaluation.board_chart import BoardRow, draw_board, draw_interval, family_hues
from evaluation.history_chart import HistoryPoint, draw_history
from search.curve_chart import Curve, draw_curve
from search.mask_chart import draw_masks
from search.models import Role
from search.reliability_chart import draw_reliability
from search.selectors import roles
from search.selectors.masks import Masks
from search.selectors.reliability import Reliability
from search.selectors.training_curves import MeasureCurve

register = template.Library()

MODULES = (
    "annotate",
    "crop",
    "deck",
    "deck-card",
    "deck-drag",
    "deck-notes",
    "deck-outbox",
    "deck-supply",
    "filters",
    "find",
    "forget",
    "live",
    "map",
    "map-data",
    "map-paint",
    "map-sight",
    "race",
    "search",
    "theme",
    "wire",
    "worker",
)
SETTLED = frozenset({"done", "cancelled"})


@register.simple_tag(takes_context=True)
def importmap(context: template.Context) -> SafeString:
    """The import map: bare module names to hashed addresses, with the page's CSP nonce.

    Manifest storage does not rewrite `import` statements, so modules import each other by bare name.
    """
    request: HttpRequest | None = context.get("request")
    # A lazy object, false until it is read: reading it puts the nonce into the response's policy.
    nonce = str(getattr(request, "csp_nonce", ""))
    imports = {name: static(f"js/{name}.js") for name in MODULES}
    body = json.dumps({"imports": imports}, separators=(",", ":")).replace("<", "\\u003c")
    # The body is JSON made of our own file names, with "<" escaped: nothing in it can end the element.
    return format_html('<script type="importmap" nonce="{}">{}</script>', nonce, mark_safe(body))


@register.simple_tag
def icon(name: str) -> SafeString:
    """One line icon as inline SVG, hidden from screen readers: the word beside it speaks.

    Raises KeyError for an unknown name, so that a typing error shows in the first test.
    """
    return mark_safe(
        '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"'
        f' stroke-linejoin="round" aria-hidden="true" focusable="false">{ICONS[name]}</svg>'
    )


@register.simple_tag
def board_chart(rows: Iterable[BoardRow]) -> SafeString:
    """The leaderboard's chart, once for wide and once for narrow screens; CSS shows the one that fits."""
    kept = list(rows)
    wide = draw_board(kept, width=960, labels_beside=True)
    narrow = draw_board(kept, width=340, labels_beside=False)
    return mark_safe(f'<div class="for-wide">{wide}</div><div class="for-narrow">{narrow}</div>')


@register.simple_tag
def loss_chart(points: Sequence[tuple[int, float]], best_step: int | None) -> SafeString:
    """The loss of a training by step, once for wide and once for narrow screens."""
    curve = Curve("Loss", points, best_step)
    wide, narrow = draw_curve(curve, width=960, height=300), draw_curve(curve, width=300, height=220)
    return mark_safe(f'<div class="for-wide">{wide}</div><div class="for-narrow">{narrow}</div>')


@register.simple_tag
def measure_chart(measure: MeasureCurve, best_step: int | None) -> SafeString:
    """One measure of a training by step, as one of several small charts side by side."""
    return mark_safe(draw_curve(Curve(measure.title, measure.points, best_step), width=300, height=210))


@register.simple_tag
def mask_chart(masks: Masks) -> SafeString:
    """The masks of a conditional network as a heat map, once for wide and once for narrow screens."""
    wide = draw_masks(masks, width=960, labels_beside=True)
    narrow = draw_masks(masks, width=300, labels_beside=False)
    return mark_safe(f'<div class="for-wide">{wide}</div><div class="for-narrow">{narrow}</div>')


@register.simple_tag
def reliability_chart(part: Reliability) -> SafeString:
    """How often an encoder is right at how much confidence, as one of several small charts side by side."""
    return mark_safe(draw_reliability(part, width=300, height=280))


@register.simple_tag
def history_chart(points: Sequence[HistoryPoint]) -> SafeString:
    """A contender's approval by night, once for wide and once for narrow screens."""
    wide, narrow = (
        draw_history(points, width=width, height=height) for width, height in ((960, 280), (320, 220))
    )
    return mark_safe(f'<div class="for-wide">{wide}</div><div class="for-narrow">{narrow}</div>')


@register.simple_tag
def interval_bar(approval: float, low: float, high: float) -> SafeString:
    """One dot with its interval on a 0-1 track, for the summary page."""
    return mark_safe(draw_interval(approval, low, high))


@register.filter
def legend(rows: Iterable[BoardRow]) -> list[tuple[str, int]]:
    """(family, hue number) of the families in `rows`, as the chart colours them."""
    return sorted(family_hues(list(rows)).items())


@register.filter
def percent(value: float | None) -> str:
    """0.613 -> "61 %"; None -> an en dash. One decimal below 1 % and above 99 %."""
    if value is None:
        return "–"
    figure = value * 100
    precise = 0 < figure < 1 or 99 < figure < 100
    return f"{figure:.1f}\u00a0%" if precise else f"{figure:.0f}\u00a0%"


@register.filter
def points(value: float | None) -> str:
    """0.043 -> "+4.3 points", of a difference of shares; None -> an en dash."""
    return "–" if value is None else f"{value * 100:+.1f}".replace("-", "\u2212") + "\u00a0points"


@register.filter
def metric_label(name: str) -> str:
    """How people write a metric: "l1" -> "L1", "hamming" -> "Hamming"."""
    return name.upper() if len(name) == 2 else name.capitalize()


@register.filter
def fraction(value: float | None) -> str:
    """0..1 -> a number for `<progress value>`; never localised."""
    return f"{min(1.0, max(0.0, value or 0.0)):.4f}"


@register.filter
def grouped(value: int | None) -> str:
    """12345 -> "12 345" with narrow no-break spaces; None -> an en dash."""
    return "–" if value is None else f"{value:,}".replace(",", "\u202f")


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds in words, one unit: "under a minute", "4 min", "3 h", "2 days"; None -> ""."""
    if seconds is None:
        return ""
    if seconds < 60:
        return "under a minute"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 129_600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86_400:.0f} days"


@register.filter
def unsettled(jobs: Iterable[Any]) -> list[Any]:
    """The jobs somebody may want to look at: running, waiting, failed."""
    return [job for job in jobs if job.state not in SETTLED]


@register.filter
def settled(jobs: Iterable[Any]) -> list[Any]:
    """The jobs that are over without a fault: done or cancelled."""
    return [job for job in jobs if job.state in SETTLED]


@register.filter
def has_role(user: Any, role: str) -> bool:
    """Whether `user` is signed in and has the role, for links that only some people need.

    Raises ValueError for a role that there is not: a slip in a template.
    """
    return roles.has_role(user, Role(role))


@register.simple_tag(takes_context=True)
def theme(context: template.Context) -> str:
    """The theme the visitor chose ("light" or "dark"), or "" when they never chose."""
    request: HttpRequest | None = context.get("request")
    chosen = request.COOKIES.get("theme", "") if request is not None else ""
    return chosen if chosen in {"light", "dark"} else ""
