"""Crediting a contender with what it found, and with every vote that was cast on it before.

In steps: votes wait for whoever counts, so no step may be long. At every commit the contender's counts are
those of the votes on the pairs it is credited with by then.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from evaluation.models import Contender, Credit, Pair, RaterTally, Spread, Tally, Vote
from evaluation.services.counts import SPREAD_FIELDS, TALLIED, moments_step
from evaluation.services.recount import count_votes
from evaluation.services.turns import wait_for_turn
from evaluation.stats.evenness import evenness_step
from search.models import Item, Split

# Credits and votes of one step: a tenth of a second or two, and a web process waits two for its turn.
MOST_AT_ONCE = 2000
_NO_CHANGE = (0, 0, 0, 0)


def credit_pairs(*, contender: Contender, nearest: Mapping[int, int]) -> None:
    """Credit a contender with what it found for the evaluation-only questions, and with the votes on it.

    ``nearest`` maps an item's position to the position of its nearest candidate; questions it lacks get no
    pair. Idempotent: called again it goes on where it was interrupted.
    """
    pairs = _make_pairs(contender, nearest)
    Spread.objects.get_or_create(contender=contender)
    categories = {pair.category_id for pair in pairs}
    Tally.objects.bulk_create(
        (Tally(contender=contender, category_id=category) for category in categories), ignore_conflicts=True
    )
    for some in _list_steps(pairs):
        credit_some(contender, some)


@transaction.atomic
def credit_some(contender: Contender, pairs: Sequence[Pair]) -> None:
    """One step: these pairs, and the votes on those of them that the contender was not credited with yet."""
    wait_for_turn()
    known = set(Credit.objects.filter(contender=contender, pair__in=pairs).values_list("pair_id", flat=True))
    fresh = {pair.pk: pair for pair in pairs if pair.pk not in known}
    Credit.objects.bulk_create(Credit(pair=pair, contender=contender) for pair in fresh.values())
    _count(contender, fresh)


def _make_pairs(contender: Contender, nearest: Mapping[int, int]) -> list[Pair]:
    """The pairs that the contender found; those that nobody found before are made."""
    items = Item.objects.filter(catalogue_id=contender.catalogue_id)
    item_at = dict(items.values_list("position", "pk"))
    found = [
        Pair(
            catalogue_id=contender.catalogue_id,
            question_id=item_at[position],
            candidate_id=item_at[nearest[position]],
            category_id=category,
            split=Split.EVALUATION,
        )
        for position, category in items.evaluation_only().values_list("position", "category_id")
        if position in nearest
    ]
    Pair.objects.bulk_create(found, ignore_conflicts=True)
    wanted = {(pair.question_id, pair.candidate_id) for pair in found}
    known = Pair.objects.filter(catalogue_id=contender.catalogue_id, words="").order_by("pk")
    return [pair for pair in known.iterator() if (pair.question_id, pair.candidate_id) in wanted]


def _list_steps(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    """A pair with more votes than fit into a step is a step of its own."""
    step: list[Pair] = []
    size = 0
    for pair in pairs:
        rows = 1 + pair.dopes + pair.nopes + pair.skips
        if step and size + rows > MOST_AT_ONCE:
            yield step
            step, size = [], 0
        step.append(pair)
        size += rows
    if step:
        yield step


def _count(contender: Contender, pairs: Mapping[int, Pair]) -> None:
    """Add the votes on these pairs, which the contender has just been credited with, to all its counts."""
    votes = Vote.objects.on_the_board().filter(deal__pair__in=pairs)
    categories: dict[int | None, list[int]] = defaultdict(lambda: [0] * len(TALLIED))
    judged: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    players: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    told = count_votes(votes, "deal__pair_id", "deal__player_id")
    for (pair, player), (dopes, nopes, skips) in told.items():
        _add(categories[pairs[pair].category_id], (dopes, nopes, skips, 0, 0, 0))
        if dopes or nopes:
            _add(judged[pair], (dopes, nopes))
            _add(players[player], (dopes, nopes))
    spread = [0] * len(SPREAD_FIELDS)
    for by_players in _count_players(contender, players):
        _add(spread, (*by_players, *_NO_CHANGE))
    for pair, (dopes, nopes) in judged.items():
        _add(categories[pairs[pair].category_id], (0, 0, 0, *evenness_step((0, 0), (dopes, nopes))))
        _add(spread, (*_NO_CHANGE, *moments_step((0, 0), (dopes, nopes))))
    for category, counts in categories.items():
        _raise(Tally.objects.filter(contender=contender, category=category), TALLIED, counts)
    _raise(Spread.objects.filter(contender=contender), SPREAD_FIELDS, spread)


def _count_players(
    contender: Contender, added: Mapping[int, Sequence[int]]
) -> Iterator[tuple[int, int, int, int]]:
    """Raise dopes and nopes by player; how each of them changes the sums over players."""
    rows = RaterTally.objects.filter(contender=contender, player__in=added)
    before = {player: (dopes, nopes) for player, dopes, nopes in rows.values_list("player", "dopes", "nopes")}
    raised = []
    for player, (dopes, nopes) in added.items():
        old = before.get(player, (0, 0))
        raised.append(
            RaterTally(contender=contender, player_id=player, dopes=old[0] + dopes, nopes=old[1] + nopes)
        )
        yield moments_step(old, (dopes, nopes))
    RaterTally.objects.bulk_create(
        raised,
        update_conflicts=True,
        unique_fields=["contender", "player"],
        update_fields=["dopes", "nopes"],
    )


def _add(total: list[int], counts: Sequence[int]) -> None:
    for place, count in enumerate(counts):
        total[place] += count


def _raise(rows: QuerySet[Any], fields: Sequence[str], by: Sequence[int]) -> None:
    rows.update(**{name: F(name) + added for name, added in zip(fields, by, strict=True)})
