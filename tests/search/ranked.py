"""A catalogue whose items differ in kind and colour, in a conditional space with a mask for each."""

import numpy as np

from search.models import Aspect, Attribute, Item, Label
from tests.factories import make_catalogue
from tests.search.spaces import make_space

COLOURS = ("black", "red", "green", "blue")


def make_ranked(*, items=120, slug="demo"):
    """Kinds come in turn and are equally common; most items are black, and every other colour is rare."""
    catalogue = make_catalogue(items=items, slug=slug, with_images=False)
    colour = Aspect.objects.create(catalogue=catalogue, name="colour", position=1)
    values = [Attribute.objects.create(aspect=colour, value=value) for value in COLOURS]
    chosen = np.random.default_rng(0).choice(len(COLOURS), items, p=[0.55, 0.15, 0.15, 0.15])
    rows = list(Item.objects.filter(catalogue=catalogue).order_by("position"))
    for item, number in zip(rows, chosen, strict=True):
        Label.objects.create(item=item, attribute=item.category)
        Label.objects.create(item=item, attribute=values[number])
    kinds = np.array([item.position % 3 for item in rows])
    hot = np.concatenate([np.eye(3)[kinds], np.eye(4)[chosen]], axis=1)
    vectors = hot + np.random.default_rng(1).normal(0, 0.3, hot.shape)
    masks = {"kind": np.arange(7) < 3, "colour": np.arange(7) >= 3}
    make_space(catalogue, "pupil", vectors=vectors, family="trained")
    for name, mask in masks.items():
        make_space(catalogue, f"pupil.{name}", name, vectors=vectors * mask, family="trained")
    return catalogue


def colours_of(catalogue, positions):
    """By position."""
    labels = Label.objects.filter(item__catalogue=catalogue, attribute__aspect__name="colour")
    known = dict(labels.values_list("item__position", "attribute__value"))
    return [known[position] for position in positions]
