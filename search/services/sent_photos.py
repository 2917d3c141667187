"""Pictures of items in use, as the search page's script would send them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from PIL import Image

from search.engine.images import load_picture
from search.models import Catalogue, Item
from search.selectors.catalogues import image_path
from search.services.measuring import NothingToMeasure

SIDE: Final = 1024  # LONGEST_SIDE of static/js/search.js; phones' photos are made that small, never smaller
QUALITY: Final = 90


def list_sent_photos(catalogue: Catalogue, *, count: int) -> Sequence[bytes]:
    """JPEGs of `SIDE` pixels of at most ``count`` items' photos, spread over the catalogue.

    What is stored is smaller and is enlarged: it costs what a photo of that size costs, and shows no more
    than it did. Raises ``NothingToMeasure`` where no item has a photo of it in use.
    """
    known = Item.objects.filter(catalogue=catalogue).exclude(lifestyle_sha256="").order_by("position")
    stored = list(known.values_list("lifestyle_sha256", flat=True))
    if not stored:
        raise NothingToMeasure("No item has a photo of it in use: import a catalogue with some.")
    step = max(1, len(stored) // count)
    return [_send(sha256) for sha256 in stored[::step][:count]]


def _send(sha256: str) -> bytes:
    picture = load_picture(image_path(sha256))
    scale = SIDE / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    file = io.BytesIO()
    picture.resize((width, height), Image.Resampling.BICUBIC).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
