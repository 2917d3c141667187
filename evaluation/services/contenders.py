"""Contenders enter the leaderboard with what they found, and leave it without taking anything away."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from django.db import transaction
from django.utils import timezone

from evaluation.models import BoardChange, Contender
from evaluation.services.crediting import credit_pairs
from evaluation.services.extras import make_extras, read_candidates, renew_stamp
from evaluation.services.news import tell_change
from search import events
from search.models import Catalogue, Index, Metric

_Change = BoardChange.Kind


def enter_built_index(index: Index) -> None:
    """Have the contender of a finished index enter; what `search` calls when an index is ready.

    Raises ArtifactDamaged.
    """
    found = read_candidates(index)
    nearest = {item: int(row[0]) for item, row in found.items() if row[0] >= 0}
    contender = enter_contender(index=index, nearest=nearest, now=timezone.now())
    if contender.state == "active":
        make_extras(contender, found, rng=np.random.default_rng())


def enter_contender(*, index: Index, nearest: Mapping[int, int], now: datetime) -> Contender:
    """Make the contender of a finished index, with a pair and a credit per evaluation-only question.

    ``nearest`` as for `credit_pairs`. Votes that were cast on these pairs before count for the newcomer at
    once: what is judged is the pair. It stands on no board until the last pair is credited; then it takes its
    place, and another version of the same encoder under the same metric is retired.

    Idempotent; one that was interrupted goes on. A contender that stands already gets nothing anew; one that
    is retired returns only where it replaces another version that is active, so what an operator retired last
    stays retired.
    """
    space = index.space
    contender, _ = Contender.objects.get_or_create(
        index=index,
        defaults={
            "catalogue_id": space.catalogue_id,
            "encoder": space.encoder,
            "encoder_version": space.encoder_version,
            "metric": index.metric,
            "is_control": space.is_control,
            "created_at": now,
            **_describe(index),
        },
    )
    if contender.entered_at is None:
        credit_pairs(contender=contender, nearest=nearest)
    take_place(contender=contender, now=now)
    return contender


@transaction.atomic
def take_place(*, contender: Contender, now: datetime) -> None:
    """Put a contender whose pairs are credited on the board, in the place of other versions of it."""
    # One contender of a catalogue at a time, so that of two versions one stays.
    Catalogue.objects.select_for_update(no_key=True).get(pk=contender.catalogue_id)
    contender.refresh_from_db()
    others = Contender.objects.active().filter(
        catalogue_id=contender.catalogue_id,
        encoder=contender.encoder,
        metric=contender.metric,
        index__space__mask=contender.index.space.mask if contender.index else "",
        kind=Contender.Kind.NEIGHBOUR,
    )
    replaced = list(others.exclude(pk=contender.pk))
    if replaced or contender.entered_at is None:
        # What another version had replaced stands for the encoder again.
        kind = _Change.ENTERED if contender.entered_at is None else _Change.RETURNED
        contender.entered_at, contender.retired_at = contender.entered_at or now, None
        contender.save(update_fields=["entered_at", "retired_at"])
        _note(contender, kind, now)
        for other in replaced:
            Contender.objects.filter(pk=other.pk).update(retired_at=now)
            _note(other, _Change.REPLACED, now, by=contender)
        _announce(contender.catalogue_id)


@transaction.atomic
def retire_contender(*, contender: Contender, now: datetime) -> None:
    """Take a contender off the board. Its votes stay, and deals that are open still count for it."""
    if Contender.objects.active().filter(pk=contender.pk).update(retired_at=now):
        _note(contender, _Change.RETIRED, now)
        _announce(contender.catalogue_id)


def _note(contender: Contender, kind: _Change, now: datetime, *, by: Contender | None = None) -> None:
    """In the change log, and to whoever asked to be told."""
    tell_change(BoardChange.objects.create(contender=contender, kind=kind, by=by, at=now))
    events.bump("changes")


def _announce(catalogue_id: int) -> None:
    renew_stamp(catalogue_id)
    events.bump("catalogues")
    events.bump("leaderboard")


def _describe(index: Index) -> dict[str, str]:
    """Title and family as they were when the space was embedded."""
    space = index.space
    name = space.title or space.encoder
    return {
        # Under any metric the control is the same lottery.
        "title": name if space.is_control else f"{name} × {Metric(index.metric).label}",
        "family": space.family or space.encoder,
    }
