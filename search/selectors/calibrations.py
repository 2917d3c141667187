"""How far an index's answer to a photo can be believed, in plain words. Read by web processes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from search.engine.encoders.vectors import GIVEN_FAMILY
from search.engine.errors import ArtifactDamaged
from search.engine.no_match import Calibration, judge
from search.models import Asking, BuildState, Catalogue, Index
from search.models import Calibration as CalibrationRow
from search.selectors.searches import Verdict, VerdictKind

WORDS: Final[Mapping[VerdictKind, str]] = {
    "match": "This is it.",
    "similar": "Similar, perhaps not the same.",
    "nothing": "Nothing like it here.",
    "uncalibrated": "The nearest ones.",
}
# How sure an answer is was counted among all items; the nearest of some may be anything.
SOME_LEFT_OUT: Final = Verdict(
    "uncalibrated",
    "Filtered, and so not judged.",
    "Whether this is it can be told only among all items: take the filters away.",
)
OF_A_PART: Final = "This was counted on whole pictures, and not on parts of them like yours."
# What queries were, and what is promised about, as "at most 5 of 100 …".
_ASKED: Final[Mapping[str, str]] = {
    Asking.PHOTOS: "photos",
    Asking.OTHERS: "pictures",
    Asking.CHANGED: "changed catalogue pictures",
}
_LIKE: Final[Mapping[str, str]] = {
    Asking.PHOTOS: "photos of items in use",
    Asking.OTHERS: "other pictures of the same thing",
    Asking.CHANGED: "of the items' own pictures, turned, cut, blurred; photos taken elsewhere are less sure",
}


@dataclass(frozen=True)
class Known:
    """A calibration of the very index that is searched."""

    asking: Asking
    calibration: Calibration


@dataclass(frozen=True)
class CalibratedIndex:
    """What the operator's page shows of an index; ``created`` None: it has no calibration that counts."""

    title: str
    metric: str
    asking: str
    queries: int
    categories: int  # that have limits of their own
    alpha: float
    created: datetime | None


def find_calibration(index: Index) -> Known | None:
    """What the index was calibrated to; None where that was never, is damaged, or was another index.

    Checksums are compared each time, so that a calibration of what was replaced is never used.
    """
    row = CalibrationRow.objects.filter(
        index=index.pk, index_sha256=index.sha256, vectors_sha256=index.space.composition
    ).first()
    return None if row is None or index.state != BuildState.READY else _read(row)


def _read(row: CalibrationRow) -> Known | None:
    try:
        return Known(Asking(row.asking), Calibration.from_json(row.limits))
    except (ArtifactDamaged, ValueError):
        return None


def judge_answer(
    known: Known | None, distances: Sequence[float], category: str, *, of_part: bool = False
) -> Verdict:
    """What to tell somebody whose photo was answered.

    ``distances`` of candidates of all items, nearest first, near-duplicates as one. ``category`` of the first
    candidate, blank where it has none. ``of_part``: only an area of the photo was asked with.
    """
    if known is None:
        promise = (
            "Nobody has counted yet how sure this search is: these are the nearest, whatever they are worth."
        )
        return Verdict("uncalibrated", WORDS["uncalibrated"], promise)
    first, second = [*distances, float("inf"), float("inf")][:2]
    kind: VerdictKind = judge(known.calibration, (first, second), category)
    promise = _promise(kind, known, category)
    return Verdict(kind, WORDS[kind], f"{promise} {OF_A_PART}" if of_part else promise)


def list_calibrated(catalogues: Iterable[Catalogue]) -> dict[int, list[CalibratedIndex]]:
    """By catalogue, its ready indexes that are asked by photos and what they were calibrated to."""
    found: dict[int, list[CalibratedIndex]] = {catalogue.pk: [] for catalogue in catalogues}
    ready = Index.objects.filter(
        space__catalogue__in=found, state=BuildState.READY, space__is_control=False
    ).exclude(space__family=GIVEN_FAMILY)
    for index in ready.select_related("space", "calibration"):
        found[index.space.catalogue_id].append(_describe(index))
    return found


def _describe(index: Index) -> CalibratedIndex:
    row: CalibrationRow | None = getattr(index, "calibration", None)
    checksums = (index.sha256, index.space.composition)
    known = _read(row) if row and (row.index_sha256, row.vectors_sha256) == checksums else None
    title, metric = index.space.title, index.get_metric_display()
    if row is None or known is None:
        return CalibratedIndex(title, metric, "", 0, 0, 0.0, None)
    own = len(known.calibration.limits[known.calibration.chosen]) - 1
    label = Asking(row.asking).label
    return CalibratedIndex(title, metric, str(label), row.queries, own, row.alpha, row.created_at)


def _promise(kind: VerdictKind, known: Known, category: str) -> str:
    _, limits = known.calibration.find(category)
    most = f"{100 * known.calibration.alpha:g} of 100 {_ASKED[known.asking]}"
    asked = f"{limits.present:,} {_LIKE[known.asking]}{_name_category(known.calibration, category)}"
    if kind == "match":
        return (
            f"On average at most {most} of things that are not here are told this, and at most as many "
            f"of things that are here, of another item; of those told so of things that are here, "
            f"{100 * limits.sure:.0f} of 100 were right; counted on {asked}."
        )
    if kind == "nothing":
        return f"On average at most {most} of things that are here are told this; counted on {asked}."
    if limits.nothing is None:
        return f"Neither can be promised: for that there were too few to count on, {asked}."
    return (
        f"Neither can be promised: {100 * limits.kept:.0f} of 100 of things that are here get this answer; "
        f"counted on {asked}."
    )


def _name_category(calibration: Calibration, category: str) -> str:
    """In brackets, of which category the limits are; nothing where they are of all."""
    own, _ = calibration.find(category)
    if own:
        return f" ({own})"
    return " (categories with few of them)" if len(calibration.limits[calibration.chosen]) > 1 else ""
