"""What is near a picture is not shown to a player who is judging it: whose find it is could be seen."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone

from evaluation.selectors.being_judged import is_being_judged
from evaluation.views.player_cookie import read_player_key
from search.selectors.searches import SearchRefused

JUDGED = (
    "You are judging this picture just now, and what is near it could tell you whose find it is. "
    "Finish your round first, then look around as you like."
)


def keep_blind(request: HttpRequest, slug: str, position: int) -> None:
    """Raises SearchRefused("being-judged") for an item in a pair that this browser's player has to answer."""
    key = read_player_key(request)
    if key is not None and is_being_judged(key=key, catalogue=slug, position=position, now=timezone.now()):
        raise SearchRefused("being-judged", JUDGED, status=409)
