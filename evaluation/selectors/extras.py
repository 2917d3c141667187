"""What is dealt beside the pairs that contenders found; what is everybody's is kept in memory."""

import uuid
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from evaluation.models import Catch, Pair
from evaluation.models.statements import fetch
from evaluation.selectors.pools import LONGEST_AGE, read_columns, without_removed
from evaluation.selectors.tables import Hall, Seat
from evaluation.stats.allocation import POLICY, Shelf
from evaluation.stats.places import NO_PAIRS, REPEAT, Lessons
from search.models import Split

# A pair comes again after so many other answers at the earliest: a whole round.
FEWEST_BETWEEN = 20
MOST_REPEATABLE = 500
# Of a pair "p": neither of its items was taken away.
_IS_THERE = (
    "NOT EXISTS (SELECT 1 FROM search_item i WHERE i.id IN (p.question_id, p.candidate_id)"
    " AND i.removed_at IS NOT NULL)"
)


@dataclass(frozen=True)
class Extras:
    """Lessons, and the two kinds of pairs with a known answer."""

    lessons: Lessons
    identical: Shelf
    random: Shelf


@dataclass(frozen=True)
class _Kept:
    stamp: uuid.UUID
    since: datetime
    extras: Extras


_kept: dict[int, _Kept] = {}


def find_extras(hall: Hall, *, now: datetime) -> Extras:
    """The extras of a catalogue, from memory where its pairs are unchanged and its counts are fresh."""
    if hall.stamp is None:
        return load_extras(hall.catalogue)
    kept = _kept.get(hall.catalogue)
    if kept is None or kept.stamp != hall.stamp or not kept.since <= now <= kept.since + LONGEST_AGE:
        kept = _kept[hall.catalogue] = _Kept(hall.stamp, now, load_extras(hall.catalogue))
    return kept.extras


def load_extras(catalogue_id: int) -> Extras:
    """Straight from the database. What a contender found since it was made is no catch pair any more."""
    taught = Pair.objects.filter(catalogue=catalogue_id, split=Split.TRAINABLE)
    lessons = without_removed(taught, catalogue_id).order_by("pk")
    there = without_removed(Pair.objects.filter(catalogue=catalogue_id, catch__isnull=False), catalogue_id)
    caught = Catch.objects.filter(pair__in=there, pair__credits=None).order_by("pk")
    identical, random = (
        Shelf(*read_columns(caught.filter(kind=kind).values_list("pk", "pair__question"), 2))
        for kind in (Catch.Kind.IDENTICAL, Catch.Kind.RANDOM)
    )
    names = ("pk", "question_id", "dopes", "nopes")
    return Extras(Lessons(*read_columns(lessons.values_list(*names), 4)), identical, random)


def find_repeatable(seat: Seat | None, hall: Hall) -> Shelf:
    """Pairs that contenders found, which this player answered a while ago and was not asked again."""
    if seat is None:
        return NO_PAIRS
    rows = fetch(
        "SELECT d.pair_id, p.question_id FROM evaluation_deal d"
        " JOIN evaluation_pair p ON p.id = d.pair_id JOIN evaluation_vote v ON v.deal_id = d.id"
        " WHERE d.player_id = %s AND p.catalogue_id = %s AND d.policy = %s AND v.answer <> 'skip'"
        " AND NOT EXISTS (SELECT 1 FROM evaluation_retraction t WHERE t.vote_id = v.deal_id)"
        # One list, not a look at all of the player's deals for each of them, as SQLite would take it.
        " AND d.pair_id NOT IN (SELECT pair_id FROM evaluation_deal WHERE player_id = %s AND policy = %s)"
        f" AND {_IS_THERE}"
        " ORDER BY v.cast_at DESC, d.place DESC LIMIT %s OFFSET %s",
        *(seat.pk, hall.catalogue, POLICY, seat.pk, REPEAT, MOST_REPEATABLE, FEWEST_BETWEEN),
    )
    return Shelf(*read_columns(sorted(rows), 2))


def find_contest(taste: int | None, seat: Seat | None) -> Shelf:
    """Both pairs of each question on which this player may still compare their private encoder.

    A question of which either pair was ever dealt to them, for whatever purpose, is over.
    """
    if taste is None or seat is None:
        return NO_PAIRS
    rows = fetch(
        "SELECT t.pair_id, p.question_id FROM evaluation_tastepair t"
        f" JOIN evaluation_pair p ON p.id = t.pair_id WHERE t.taste_id = %s AND {_IS_THERE}"
        " ORDER BY t.pair_id",
        taste,
    )
    dealt = fetch(
        "SELECT pair_id FROM evaluation_deal WHERE player_id = %s AND pair_id = ANY(%s)"
        " UNION ALL SELECT d.pair_id FROM evaluation_player p JOIN evaluation_deal d ON d.player_id = p.id"
        " WHERE p.user_id = %s AND d.pair_id = ANY(%s)",
        *(seat.pk, [pair for pair, _ in rows]),
        *(seat.user, [pair for pair, _ in rows]),
    )
    pairs, questions = read_columns(rows, 2)
    over = questions[np.isin(pairs, [pair for (pair,) in dealt])]
    open_ = ~np.isin(questions, over)
    return Shelf(pairs[open_], questions[open_])
