"""How well drawn items can be told apart at best: by photos whose pose and scene were undone exactly.

What a person, or a perfect encoder, could still see in a photo is there: its light, its noise and what hides
a part of the item stay. Items that are found so, by nothing cleverer than a few pixels, can be found.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from search.catalogues.wardrobe import draw_item
from search.engine.images import load_picture
from search.models import Catalogue, Item
from search.selectors.catalogues import image_path
from search.services.measuring import NothingToMeasure

SIDE = 16  # pixels
AT_ONCE = 64


def measure_undone(
    catalogue: Catalogue, *, queries: int, report: Callable[[int, int], None]
) -> dict[str, Any]:
    """The share of items whose catalogue picture is, of all, the nearest to their photo when that is undone.

    Raises ``NothingToMeasure`` for a catalogue that was not drawn here.
    """
    if catalogue.format != "wardrobe":
        raise NothingToMeasure("What hides items in photos is known of drawn ones only: measure a wardrobe.")
    rows = Item.objects.filter(catalogue=catalogue).order_by("position").values_list("key", "image_sha256")
    items = list(rows)
    asked = np.unique(np.linspace(0, len(items) - 1, min(queries, len(items))).astype(np.int64))
    pixels = np.empty((len(items), SIDE * SIDE * 3), np.float32)
    for place, (_, image) in enumerate(items):
        pixels[place] = _describe(load_picture(image_path(image)))
        if place % AT_ONCE == 0:
            report(place, len(items) + len(asked))
    first = 0
    for number, place in enumerate(asked.tolist()):
        key = items[place][0]
        undone = _describe(draw_item(int(catalogue.options["seed"]), int(key[1:])).undone_view())
        first += int((pixels @ undone).argmax()) == place
        report(len(items) + number + 1, len(items) + len(asked))
    return {"queries": len(asked), "side": SIDE, "top1": first / len(asked), "pillow": version("pillow")}


def _describe(picture: PillowImage.Image) -> NDArray[np.float32]:
    """Darkness of SIDE x SIDE pixels, each channel of length one, so that the light's colour is nothing."""
    small = np.asarray(picture.resize((SIDE, SIDE), PillowImage.Resampling.BOX), np.float32)
    dark = 255 - small.reshape(-1, 3)
    return np.asarray(dark / np.sqrt(np.square(dark).sum(axis=0) + 1)).ravel()
