"""What proposed regions are worth: is the thing among them, and do they tell a photo without it?"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from search.catalogues.wardrobe import Drawing, draw_item
from search.engine.encoders.histograms import count_colours
from search.engine.measures import Share, share
from search.engine.regions import Region, overlaps, propose_regions
from search.engine.training.settings import SiameseSettings
from search.engine.training.sight import Verdict, choose_others, describe_regions, judge_photo
from search.services.measuring import NothingToMeasure

OVERLAPS = (0.5, 0.7)
SHOWN = 6
# What people would be shown if nobody looked at the photo: left, top, width, height.
FIXED = tuple(
    Region(*box, 0.0)
    for box in (
        (0.1, 0.1, 0.8, 0.8), (0.2, 0.2, 0.6, 0.6), (0.3, 0.3, 0.4, 0.4),
        (0.1, 0.3, 0.8, 0.5), (0.3, 0.1, 0.4, 0.8), (0.25, 0.35, 0.5, 0.4),
    )
)  # fmt: skip
GOOD, EMPTY, OTHER = "its item", "the place alone", "another item"
EVERY = 10  # one photo in so many is replaced by the place alone, one by another item's

Box = tuple[float, float, float, float]  # left, top, right, bottom in fractions


@dataclass(frozen=True)
class RegionRow:
    """How often the best of the first ``shown`` boxes overlaps the thing's by ``overlap`` or more."""

    photos: str
    boxes: str
    shown: int
    overlap: float
    found: Share

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class SightRow:
    """How many photos that show ``what`` are left out of a training."""

    what: str
    left_out: Share

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def read_boxes(file: Path, folder: Path) -> list[tuple[Image.Image, Box]]:
    """Photos and the boxes that somebody drew: a CSV of image, left, top, right, bottom in fractions."""
    try:
        with file.open(newline="") as lines:
            rows = list(csv.DictReader(lines))
        edges = ("left", "top", "right", "bottom")
        found = []
        for row in rows:
            left, top, right, bottom = (float(row[edge]) for edge in edges)
            found.append((Image.open(folder / row["image"]).convert("RGB"), (left, top, right, bottom)))
    except (OSError, UnidentifiedImageError) as error:
        raise NothingToMeasure(f"{error}: check the paths of boxes and photos.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise NothingToMeasure(
            f"{file} is no table of boxes ({error}): its columns are image, left, top, right, bottom, the "
            "last four between 0 and 1."
        ) from error
    return found


def measure_boxes(name: str, photos: Iterable[tuple[Image.Image, Box]]) -> list[RegionRow]:
    """Proposed regions beside boxes that are the same for every photo."""
    hits: Counter[tuple[str, int, float]] = Counter()
    total = 0
    for picture, box in photos:
        total += 1
        for kind, regions in (("proposed", propose_regions(picture, limit=SHOWN)), ("fixed", FIXED)):
            found = _overlap(regions, box)
            for shown in (1, SHOWN):
                best = max(found[:shown], default=0.0)
                hits.update((kind, shown, least) for least in OVERLAPS if best >= least)
    return [
        RegionRow(name, kind, shown, least, share(hits[kind, shown, least], total))
        for kind in ("proposed", "fixed")
        for shown in (SHOWN, 1)
        for least in OVERLAPS
    ]


def _overlap(regions: Sequence[Region], box: Box) -> list[float]:
    edges = [(part.left, part.top, part.left + part.width, part.top + part.height) for part in regions]
    found = overlaps(np.array(edges, np.float32).reshape(-1, 4), np.array(box, np.float32))
    return [float(share_of_both) for share_of_both in found]


def draw_photos(items: int, *, seed: int) -> Iterator[tuple[Image.Image, Box]]:
    """The wardrobe's lifestyle views and where the item lies in them."""
    for number in range(items):
        drawing = draw_item(seed, number)
        yield drawing.lifestyle_view(), drawing.lifestyle_box()


def measure_sight(items: int, *, seed: int) -> list[SightRow]:
    """What a siamese training would leave out of a wardrobe where a fifth of the photos show no such item."""
    views = np.stack([count_colours(draw_item(seed, number).catalogue_view()) for number in range(items)])
    others = choose_others(np.arange(items))
    most = SiameseSettings().unlike
    bad: Counter[str] = Counter()
    all_of: Counter[str] = Counter()
    for number in range(items):
        what, photo = _replace_some(draw_item(seed, number), number, items, seed=seed)
        strangers: NDArray[np.float32] = views[others[others != number]]
        verdict = judge_photo(describe_regions(photo, propose_regions), views[number], strangers, most=most)
        all_of[what] += 1
        bad[what] += verdict is not Verdict.SEEN
    return [SightRow(what, share(bad[what], all_of[what])) for what in (GOOD, EMPTY, OTHER)]


def _replace_some(drawing: Drawing, number: int, items: int, *, seed: int) -> tuple[str, Image.Image]:
    if number % EVERY == 0:
        return EMPTY, drawing.empty_view()
    if number % EVERY == 1:
        return OTHER, draw_item(seed, (number + items // 2) % items).lifestyle_view()
    return GOOD, drawing.lifestyle_view()
