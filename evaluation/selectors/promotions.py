"""Who is in charge of a catalogue: the encoder that is taught next, and that a challenger has to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, OuterRef, QuerySet, Subquery

from evaluation.models import Contender, Lesson, Promotion, Retraining
from search.models import Catalogue

TRAINED = "trained"  # the family of encoders that can be taught
FRESH = timedelta(hours=1)  # so old may the comparison be that a person promotes by
REFUSALS: Final[Mapping[str, str]] = {
    "too-few-votes": "too few people who taught it nothing have judged what only one of the two found",
    "not-better": "the lower bound of its lead is not above 0",
    "no-gold": "there is no gold set: give items categories and labels",
    "gold": "it answers more of the gold set wrongly than its parent, by more than the margin",
}


def find_last(catalogue: Catalogue) -> Promotion | None:
    """The row that stands: who is in charge, unless that contender was retired since."""
    rows = Promotion.objects.filter(catalogue=catalogue).select_related("contender__index__space")
    return rows.order_by("-number").first()


def find_in_charge(catalogue: Catalogue) -> Contender | None:
    """The contender whose encoder is in charge; None where nobody is, or who was is retired."""
    last = find_last(catalogue)
    return last.contender if last is not None and last.contender.state == "active" else None


def find_index_in_charge(catalogue: Catalogue) -> int | None:
    """The primary key of the index by which the encoder in charge answers."""
    contender = find_in_charge(catalogue)
    return None if contender is None else contender.index_id


def find_before(last: Promotion) -> Promotion | None:
    """What a rollback of ``last`` goes back to; None where nothing stood before it."""
    return (last.restores or last).replaces


def list_in_charge() -> QuerySet[Promotion, int]:
    """The contenders in charge of any catalogue, by id."""
    later = Promotion.objects.filter(catalogue=OuterRef("catalogue")).order_by("-number").values("pk")[:1]
    return Promotion.objects.filter(pk=Subquery(later)).order_by().values_list("contender", flat=True)


def list_teachable(catalogue: Catalogue) -> Sequence[Contender]:
    """Active contenders whose encoder can be taught: whole spaces of trained networks."""
    active = Contender.objects.active().filter(catalogue=catalogue, is_control=False)
    return list(active.filter(index__space__family=TRAINED, index__space__mask="").order_by("pk"))


def find_challenger(retraining: Retraining) -> Contender | None:
    """The contender that a retraining became, under the rival's metric; None before it enters.

    Another network that was trained under the same name later is none.
    """
    rows = Contender.objects.filter(
        catalogue=retraining.catalogue_id,
        encoder=retraining.name,
        metric=retraining.rival.metric,
        entered_at__isnull=False,
    )
    if retraining.training is not None:
        rows = rows.filter(encoder_version=retraining.training.encoder_version)
    return rows.order_by(F("retired_at").asc(nulls_first=True), "-pk").first()


def list_open(catalogue: Catalogue) -> list[tuple[Retraining, Contender]]:
    """Challengers of the encoder in charge that stand in the blind test, the oldest first."""
    rival = find_in_charge(catalogue)
    if rival is None:
        return []
    rows = Retraining.objects.filter(catalogue=catalogue, rival=rival)
    rows = rows.select_related("catalogue", "rival", "training").order_by("pk")
    found = [(row, find_challenger(row)) for row in rows]
    return [(row, one) for row, one in found if one is not None and one.state == "active"]


def count_challenges(retraining: Retraining) -> int:
    """Which one of its rival's it is, from 1, whatever became of those before."""
    return Retraining.objects.filter(rival=retraining.rival_id, pk__lte=retraining.pk).count()


def list_teachers(retraining: Retraining) -> set[int]:
    """The players whose votes and picks it learned from."""
    lessons = Lesson.objects.filter(retraining=retraining)
    return {
        player
        for path in ("liked__deal__player", "disliked__deal__player", "pick__slate__game__player")
        for player in lessons.filter(**{f"{path}__isnull": False}).values_list(path, flat=True).distinct()
    }


def list_missing(
    retraining: Retraining, contender: Contender | None, last: Promotion | None, *, now: datetime
) -> list[str]:
    """What stands between a challenger and the charge, in words; nothing where it may be promoted."""
    if contender is None:
        return ["it is not among the contenders yet"]
    if contender.state != "active":
        return ["it is retired"]
    if last is not None and last.contender_id == contender.pk:
        return ["it is in charge already"]
    if last is None or last.contender_id != retraining.rival_id:
        return ["it was taught from an encoder that is not in charge any more"]
    if retraining.rival.state != "active":
        return [f"its parent “{retraining.rival.title}” is retired, so nobody compares the two any more"]
    if retraining.compared_at is None:
        return ["it has not been compared with its parent yet"]
    if "failed" in retraining.figures:
        return [retraining.figures["failed"]]
    if retraining.figures.get("contender") != contender.pk:
        return ["it was built again since it was compared: compare it again"]
    missing = [REFUSALS.get(name, name) for name in retraining.figures["refusals"]]
    if not missing and retraining.compared_at < now - FRESH:
        return ["it has won, but by votes of a while ago: compare it again, then promote it within the hour"]
    return missing
