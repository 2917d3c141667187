"""The daily puzzle: one per date in UTC, frozen by whoever asks first, the same for all."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Final

import numpy as np
from django.db import IntegrityError, transaction

from evaluation.models import Puzzle
from evaluation.services.games import SIZES, GameRefused, draw_puzzle
from evaluation.stats.navigation import DrawnPolicy
from search.selectors.navigable_spaces import choose_spaces, list_navigable_catalogues

ALLOCATION: Final = "daily-1"
POLICY: Final = "information"


def find_daily(*, day: date, now: datetime, rng: np.random.Generator) -> Puzzle:
    """The puzzle of this day, made where there is none; the same one for all who ask at once.

    It is of the oldest catalogue that can be navigated. Raises GameRefused where there is none.
    """
    puzzle = Puzzle.objects.filter(day=day).first()
    if puzzle is not None:
        return puzzle
    puzzle = _draw(now=now, rng=rng)
    first = Puzzle.objects.filter(day__isnull=False).order_by("day").values_list("day", flat=True).first()
    puzzle.day, puzzle.number = day, (day - (first or day)).days + 1
    try:
        with transaction.atomic():
            puzzle.save()
    except IntegrityError:  # Another request made it meanwhile.
        return Puzzle.objects.get(day=day)
    return puzzle


def _draw(*, now: datetime, rng: np.random.Generator) -> Puzzle:
    why = "There is nothing to look for yet: no catalogue is ready."
    for catalogue in list_navigable_catalogues():
        try:
            return draw_puzzle(
                spaces=choose_spaces(catalogue),
                k=min(SIZES),
                has_target=True,
                drawn=DrawnPolicy(POLICY, 1.0),
                allocation=ALLOCATION,
                now=now,
                rng=rng,
            )
        except GameRefused as refused:
            why = str(refused)
    raise GameRefused(HTTPStatus.CONFLICT, why)
