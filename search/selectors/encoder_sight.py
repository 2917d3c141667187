"""What a trained encoder makes of aspects: its masks, what it finds alike, how far it can be believed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from search.models import Item, Label, Training
from search.selectors.alike import Alike, list_alike, read_alike
from search.selectors.card_parts import read_part
from search.selectors.masks import Masks, read_masks
from search.selectors.reliability import Reliability, read_reliability


@dataclass(frozen=True)
class Predicted:
    """How many labels an encoder wrote, on how many of a catalogue's items."""

    labels: int
    items: int
    of_items: int


@dataclass(frozen=True)
class Sight:
    """What there is to show of an encoder: empty where its card says nothing of it."""

    masks: Masks | None
    alike: Sequence[Alike]
    reliability: Sequence[Reliability]
    predicted: Predicted | None  # None: encoders of its kind predict nothing


def read_sight(*, training: Training, card: Mapping[str, Any]) -> Sight:
    """What the card of a finished training and the labels it wrote show."""
    return Sight(
        masks=read_part(read_masks, card),
        alike=list_alike(catalogue=training.catalogue, named=read_part(read_alike, card) or []),
        reliability=read_part(read_reliability, card) or [],
        predicted=count_predicted(training=training) if training.kind == "aspects" else None,
    )


def count_predicted(*, training: Training) -> Predicted:
    """The labels that are there of this very encoder: a later one of the same aspects replaces them."""
    written = Label.objects.filter(
        item__catalogue=training.catalogue,
        source=Label.Source.PREDICTED,
        predicted_by=f"{training.name} {training.encoder_version}",
    )
    counts = written.aggregate(labels=Count("pk"), items=Count("item", distinct=True))
    return Predicted(**counts, of_items=Item.objects.filter(catalogue=training.catalogue).count())
