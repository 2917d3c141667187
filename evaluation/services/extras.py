"""Making what is dealt beside the pairs that contenders found: pairs with a known answer, and lessons.

No contender is credited with any of them. See docs/decisions/deals.md.
"""

import logging
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from evaluation.models import Catch, Contender, DealingStamp, Pair
from search.artifacts import read_neighbours
from search.engine.errors import ArtifactDamaged
from search.models import Catalogue, Index, Item, Split

MOST_CATCHES = 300  # of each kind
MOST_LESSONS = 1000  # questions
CANDIDATES = 4  # of a question, so that it can get dopes and nopes
OF_ONE_CONTENDER = 2
Candidates = Mapping[int, Sequence[int] | NDArray[np.int32]]
Asked = tuple[int, int | None]  # an item and its category

log = logging.getLogger(__name__)


def make_extras(contender: Contender, found: Candidates, *, rng: np.random.Generator) -> None:
    """What follows a contender's entry: lessons from what it found, and catch pairs where there are none.

    ``found`` maps an item's position to the positions of its nearest candidates, nearest first, then -1. A
    control finds by lot, and gives no lessons. Idempotent, but for what is drawn.
    """
    with transaction.atomic():
        catalogue = Catalogue.objects.select_for_update(no_key=True).get(pk=contender.catalogue_id)
        made = 0 if contender.is_control else _make_lessons(catalogue, found, rng)
        if not Catch.objects.filter(pair__catalogue=catalogue).exists():
            made += _make_catches(catalogue, rng)
        Contender.objects.filter(pk=contender.pk).update(gave_lessons=True)
        if made:
            renew_stamp(catalogue.pk)


def read_candidates(index: Index) -> dict[int, NDArray[np.int32]]:
    """What `make_extras` takes, of a finished index: rows of one array. Raises ArtifactDamaged."""
    items, neighbours = read_neighbours(index)
    return dict(zip(items.tolist(), neighbours.positions, strict=True))


def make_missing_extras(now: datetime) -> int:
    """Of contenders that entered before there were extras, or whose entry broke off; returns how many."""
    missing = list(Contender.objects.active().filter(index__isnull=False, gave_lessons=False))
    for contender in missing:
        assert contender.index is not None, "only those with one were asked for"
        found: Candidates = {}
        try:
            found = read_candidates(contender.index)
        except ArtifactDamaged as damaged:
            log.warning("No lessons from %s: %s", contender, damaged)
        make_extras(contender, found, rng=np.random.default_rng())
    return len(missing)


def renew_stamp(catalogue_id: int) -> None:
    """Have every web process read the pairs of the catalogue anew."""
    DealingStamp.objects.update_or_create(catalogue_id=catalogue_id, defaults={"stamp": uuid.uuid4()})


def deal_anew(catalogue: Catalogue) -> None:
    """What was taken away is dealt no more, and what was put back is again."""
    renew_stamp(catalogue.pk)


def _make_lessons(catalogue: Catalogue, found: Candidates, rng: np.random.Generator) -> int:
    """Add the contender's nearest trainable candidates to questions that have fewer than `CANDIDATES`."""
    trainable = Item.objects.present().filter(catalogue=catalogue, split=Split.TRAINABLE)
    rows = trainable.values_list("position", "pk", "category_id")
    items = {position: (pk, category) for position, pk, category in rows}
    known: dict[int, list[int]] = defaultdict(list)
    lessons = Pair.objects.filter(catalogue=catalogue, split=Split.TRAINABLE, words="")
    for question, candidate in lessons.values_list("question_id", "candidate_id"):
        known[question].append(candidate)
    made: list[Pair] = []
    for position in _choose_questions(items, known, rng):
        question, category = items[position]
        has = known[question]
        fresh = [items[one][0] for one in found.get(position, ()) if one in items and one != position]
        fresh = [one for one in fresh[:OF_ONE_CONTENDER] if one not in has]
        fresh = fresh[: CANDIDATES - len(has)]
        made += [_pair(catalogue, question, one, category, Split.TRAINABLE) for one in fresh]
    Pair.objects.bulk_create(made)
    return len(made)


def _choose_questions(
    items: Mapping[int, Asked], known: Mapping[int, Sequence[int]], rng: np.random.Generator
) -> list[int]:
    """Positions: those that have lessons, and others by lot up to `MOST_LESSONS`."""
    begun = [position for position, (pk, _) in items.items() if pk in known]
    others = [position for position, (pk, _) in items.items() if pk not in known]
    drawn = rng.permutation(len(others))[: max(0, MOST_LESSONS - len(begun))]
    return begun + [others[turn] for turn in drawn.tolist()]


def _make_catches(catalogue: Catalogue, rng: np.random.Generator) -> int:
    """Both kinds ask evaluation-only questions, as what counts does. Random ones need categories."""
    rows = Item.objects.present().filter(catalogue=catalogue).order_by("position")
    items = list(rows.values_list("pk", "category_id", "split"))
    asked = [(pk, category) for pk, category, split in items if split == Split.EVALUATION]
    known = set(Pair.objects.filter(catalogue=catalogue, words="").values_list("question_id", "candidate_id"))
    identical = [(pk, pk, category) for pk, category in _draw(asked, rng)]
    random = []
    for pk, category in _draw(asked, rng):
        candidate, other, _ = items[int(rng.integers(len(items)))]
        if category is not None and other is not None and category != other:
            random.append((pk, candidate, category))
    made = 0
    for kind, found in ((Catch.Kind.IDENTICAL, identical), (Catch.Kind.RANDOM, random)):
        pairs = [_pair(catalogue, *one, Split.EVALUATION) for one in found if one[:2] not in known]
        Catch.objects.bulk_create(Catch(pair=pair, kind=kind) for pair in Pair.objects.bulk_create(pairs))
        made += len(pairs)
    return made


def _draw(asked: Sequence[Asked], rng: np.random.Generator) -> list[Asked]:
    return [asked[turn] for turn in rng.permutation(len(asked))[:MOST_CATCHES].tolist()]


def _pair(catalogue: Catalogue, question: int, candidate: int, category: int | None, split: Split) -> Pair:
    return Pair(
        catalogue=catalogue,
        question_id=question,
        candidate_id=candidate,
        category_id=category,
        split=split,
    )
