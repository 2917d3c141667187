"""Contenders enter the leaderboard with what they found, and leave it without taking anything away."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from evaluation.models import Contender, Credit, DealingStamp, Pair, Spread, Tally
from evaluation.services.recount import count_contender
from search import events
from search.artifacts import read_neighbours
from search.models import Catalogue, Index, Item, Metric, Split


def enter_built_index(index: Index) -> None:
    """Have the contender of a finished index enter; what `search` calls when an index is ready.

    Raises ArtifactDamaged.
    """
    items, neighbours = read_neighbours(index)
    first = neighbours.positions[:, 0]
    nearest = {int(item): int(found) for item, found in zip(items, first, strict=True) if found >= 0}
    enter_contender(index=index, nearest=nearest, now=timezone.now())


@transaction.atomic
def enter_contender(*, index: Index, nearest: Mapping[int, int], now: datetime) -> Contender:
    """Make the contender of a finished index, with a pair and a credit per evaluation-only question.

    ``nearest`` maps an item's position to the position of its nearest candidate; questions it lacks get no
    pair. Votes that were cast on these pairs before count for the newcomer at once: what is judged is the
    pair. Another version of the same encoder under the same metric is retired.

    Idempotent. A contender that stands already gets nothing anew; one that is retired returns only where it
    replaces another version that is active, so what an operator retired last stays retired.
    """
    known = Contender.objects.filter(index=index).first()
    space = index.space
    others = Contender.objects.active().filter(
        catalogue_id=space.catalogue_id,
        encoder=space.encoder,
        metric=index.metric,
        index__space__mask=space.mask,
        kind=Contender.Kind.NEIGHBOUR,
    )
    replaced = [other for other in others if other != known]
    for other in replaced:
        retire_contender(contender=other, now=now)
    if known is not None:
        if replaced:
            # What another version had replaced stands for the encoder again.
            Contender.objects.filter(pk=known.pk).update(retired_at=None)
            _announce(space.catalogue_id)
        return known
    contender = Contender.objects.create(
        catalogue_id=space.catalogue_id,
        index=index,
        encoder=space.encoder,
        encoder_version=space.encoder_version,
        metric=index.metric,
        is_control=space.is_control,
        created_at=now,
        **_describe(index),
    )
    credit_pairs(contender=contender, nearest=nearest)
    return contender


@transaction.atomic
def credit_pairs(*, contender: Contender, nearest: Mapping[int, int]) -> None:
    """Credit a contender with what it found for the evaluation-only questions, and with the votes on it."""
    # One contender of a catalogue at a time, so that two cannot make the same pair.
    Catalogue.objects.select_for_update(no_key=True).get(pk=contender.catalogue_id)
    items = list(
        Item.objects.filter(catalogue_id=contender.catalogue_id).values_list(
            "pk", "position", "split", "category_id"
        )
    )
    item_at = {position: pk for pk, position, _, _ in items}
    found = {
        (pk, item_at[nearest[position]]): category
        for pk, position, split, category in items
        if split == Split.EVALUATION and position in nearest
    }
    # Held until the counts are written: no vote falls between counting and crediting.
    known = {
        (question, candidate): pk
        for pk, question, candidate in Pair.objects.select_for_update(no_key=True)
        .filter(catalogue_id=contender.catalogue_id, words="")
        .order_by("pk")
        .values_list("pk", "question_id", "candidate_id")
    }
    made = Pair.objects.bulk_create(
        Pair(
            catalogue_id=contender.catalogue_id,
            question_id=question,
            candidate_id=candidate,
            category_id=category,
            split=Split.EVALUATION,
        )
        for (question, candidate), category in found.items()
        if (question, candidate) not in known
    )
    mine = [known[pair] for pair in found if pair in known] + [pair.pk for pair in made]
    Credit.objects.bulk_create(
        (Credit(pair_id=pk, contender=contender) for pk in mine), ignore_conflicts=True
    )
    Tally.objects.bulk_create(
        (Tally(contender=contender, category_id=category) for category in set(found.values())),
        ignore_conflicts=True,
    )
    Spread.objects.get_or_create(contender=contender)
    count_contender(contender)
    _announce(contender.catalogue_id)


@transaction.atomic
def retire_contender(*, contender: Contender, now: datetime) -> None:
    """Take a contender off the board. Its votes stay, and deals that are open still count for it."""
    if Contender.objects.active().filter(pk=contender.pk).update(retired_at=now):
        _announce(contender.catalogue_id)


def _announce(catalogue_id: int) -> None:
    DealingStamp.objects.update_or_create(catalogue_id=catalogue_id, defaults={"stamp": uuid.uuid4()})
    events.bump("catalogues")
    events.bump("leaderboard")


def _describe(index: Index) -> dict[str, str]:
    """Title and family as they were when the space was embedded."""
    space = index.space
    name = space.title or space.encoder
    if space.mask:
        name = f"{name}, {space.mask}"
    return {
        # Under any metric the control is the same lottery.
        "title": name if space.is_control else f"{name} × {Metric(index.metric).label}",
        "family": space.family or space.encoder,
    }
