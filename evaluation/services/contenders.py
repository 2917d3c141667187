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
from search.engine.encoders import EncoderInfo, UnknownEncoder, find_encoder
from search.models import Index, Item, Metric


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
    pair. Another version of the same encoder under the same metric is retired. Idempotent.
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
    items = list(Item.objects.filter(catalogue_id=contender.catalogue_id).only("pk", "position"))
    by_position = {item.position: item.pk for item in items}
    questions = Item.objects.filter(catalogue_id=contender.catalogue_id).evaluation_only()
    found = {
        question.pk: by_position[nearest[question.position]]
        for question in questions
        if question.position in nearest
    }
    Pair.objects.bulk_create(
        (
            Pair(
                catalogue_id=contender.catalogue_id,
                question_id=question.pk,
                candidate_id=found[question.pk],
                category_id=question.category_id,
                split=question.split,
            )
            for question in questions
            if question.pk in found
        ),
        ignore_conflicts=True,
    )
    # Held until the counts are written: no vote falls between counting and crediting.
    mine = [
        (pk, category)
        for pk, question, candidate, category in Pair.objects.select_for_update()
        .filter(catalogue_id=contender.catalogue_id, words="")
        .order_by("pk")
        .values_list("pk", "question_id", "candidate_id", "category_id")
        if found.get(question) == candidate
    ]
    Credit.objects.bulk_create(
        (Credit(pair_id=pk, contender=contender) for pk, _ in mine), ignore_conflicts=True
    )
    Tally.objects.bulk_create(
        (Tally(contender=contender, category_id=category) for category in {category for _, category in mine}),
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
    """Title and family in the registry's words; brought vectors by their encoder's name."""
    space = index.space
    info: EncoderInfo | None
    try:
        info = find_encoder(space.encoder)
    except UnknownEncoder:
        info = None
    name = info.title if info else space.encoder
    if space.mask:
        name = f"{name}, {space.mask}"
    return {
        # Under any metric the control is the same lottery.
        "title": name if space.is_control else f"{name} × {Metric(index.metric).label}",
        "family": info.family if info else space.encoder,
    }
