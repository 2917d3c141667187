"""Items from which nothing may be searched yet, for whoever is judging them blindly.

What is judged by whom is known outside, which registers its rule from ``AppConfig.ready``; the page and the
API ask here, so that both keep it.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest

# Called with the request, the catalogue's slug and `Item.position`; raises SearchRefused.
Embargo = Callable[[HttpRequest, str, int], None]

_embargoes: list[Embargo] = []


def register_embargo(embargo: Embargo) -> None:
    """Have ``embargo`` asked before anything is searched from an item."""
    if embargo not in _embargoes:
        _embargoes.append(embargo)


def require_free(request: HttpRequest, slug: str, position: int) -> None:
    """Raises SearchRefused where whoever asks may not be shown yet what is near this item."""
    for embargo in _embargoes:
        embargo(request, slug, position)
