"""Putting an encoder in charge of a catalogue, and going back; each is a row, and none is ever changed.

A challenger is promoted where the rule of `evaluation.stats.promotion` holds, at night or by a click, and
nobody can promote what it refuses. Two at once number themselves alike, so the database lets one through.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from evaluation.models import Contender, Promotion, Retraining
from evaluation.selectors.promotions import (
    find_before,
    find_challenger,
    find_last,
    list_missing,
    list_teachable,
)
from evaluation.services.gold_sets import freeze_gold
from search import events
from search.models import Catalogue

QUICKER: Final = "Somebody else has just changed who is in charge: look again."


class PromotionRefused(Exception):
    """Nobody is put in charge; the text says why, and what is missing."""


def appoint(catalogue: Catalogue, contender: Contender, *, by: str, now: datetime) -> Promotion:
    """Put the first encoder in charge, or one in the place of a retired one. Raises PromotionRefused.

    Gold is frozen now, before there is any challenger that it could favour.
    """
    last = find_last(catalogue)
    if last is not None and last.contender.state == "active":
        raise PromotionRefused(
            f"“{last.contender.title}” is in charge. Another takes its place by winning blind, or by a "
            "rollback."
        )
    if contender.pk not in {one.pk for one in list_teachable(catalogue)}:
        raise PromotionRefused(
            f"“{contender.title}” cannot be in charge: only active contenders of trained encoders of this "
            "catalogue can be taught."
        )
    made = _add(catalogue, Promotion.Kind.APPOINTED, contender, after=last, by=by, now=now)
    freeze_gold(catalogue, now=now)
    return made


def promote(retraining: Retraining, *, by: str, now: datetime) -> Promotion:
    """Put a challenger in charge, by the figures of its last comparison.

    By whom is blank for the rule, which leaves alone what people rolled back. Raises PromotionRefused: of
    figures that are older than an hour, too.
    """
    retraining.refresh_from_db()
    last = find_last(retraining.catalogue)
    contender = find_challenger(retraining)
    missing = list_missing(retraining, contender, last, now=now)
    if not by and retraining.promotions.exists():
        missing.append("it was in charge before, and people rolled it back")
    if missing or contender is None or retraining.compared_at is None:
        raise PromotionRefused(f"“{retraining.name}” is not promoted: {'; '.join(missing)}.")
    return _add(
        retraining.catalogue,
        Promotion.Kind.PROMOTED,
        contender,
        after=last,
        by=by,
        now=now,
        retraining=retraining,
        evidence={**retraining.figures, "compared_at": retraining.compared_at.isoformat()},
    )


def roll_back(catalogue: Catalogue, *, seen: int, by: str, now: datetime) -> Promotion:
    """Put back who was in charge before promotion ``seen``, by its number. Raises PromotionRefused."""
    last = find_last(catalogue)
    before = None if last is None else find_before(last)
    if last is None or before is None:
        raise PromotionRefused(f"Nobody was in charge of “{catalogue.title}” before.")
    if last.number != seen:
        raise PromotionRefused(QUICKER)
    if before.contender.state != "active":
        raise PromotionRefused(
            f"“{before.contender.title}” was in charge before, but is retired: build its encoder again first."
        )
    return _add(
        catalogue,
        Promotion.Kind.ROLLED_BACK,
        before.contender,
        after=last,
        by=by,
        now=now,
        retraining=before.retraining,
        restores=before.restores or before,
    )


def _add(
    catalogue: Catalogue,
    kind: Promotion.Kind,
    contender: Contender,
    *,
    after: Promotion | None,
    by: str,
    now: datetime,
    **more: Any,
) -> Promotion:
    """The next row after the one that was read. Raises PromotionRefused where there is one by now."""
    try:
        with transaction.atomic():
            made = Promotion.objects.create(
                catalogue=catalogue,
                number=1 if after is None else after.number + 1,
                kind=kind,
                contender=contender,
                replaces=after,
                made_by=by,
                made_at=now,
                **more,
            )
            events.bump("leaderboard")
            events.bump("catalogues")
            events.bump("changes")
    except IntegrityError as error:
        raise PromotionRefused(QUICKER) from error
    return made
