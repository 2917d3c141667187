"""Whose votes are left out of every count, and why: by the last verdict on each player."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum

from evaluation.models import Ruling, Verdict


@dataclass(frozen=True)
class Exclusion:
    """Players left out for one reason, and how many pairs they had judged by then, skips included.

    Not how many by now: a player who watches it while voting would learn that they are left out.
    """

    reason: str
    players: int
    judged: int


def list_excluded() -> QuerySet[Verdict, int]:
    """The players whose last verdict leaves them out."""
    return list_standing_exclusions().values_list("player", flat=True)


def list_exclusions() -> Sequence[Exclusion]:
    """How much is left out, by reason, most first."""
    out = list_standing_exclusions().order_by()
    rows = out.values_list("reason").annotate(players=Count("pk"), pairs=Sum("judged"))
    return sorted((Exclusion(*row) for row in rows), key=lambda one: (-one.judged, one.reason))


def list_standing_exclusions() -> QuerySet[Verdict]:
    """The last verdict on each player, where it leaves them out."""
    later = Verdict.objects.filter(player=OuterRef("player")).order_by("-number").values("pk")[:1]
    return Verdict.objects.filter(pk=Subquery(later), ruling=Ruling.EXCLUDED)
