"""What a set of answers is worth: shares with their intervals, and what chance alone would give."""

import math
from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Share:
    """How many of `total` cases count, as a share with its interval."""

    count: int
    total: int
    rate: float
    low: float
    high: float


def share(count: int, total: int, *, confidence: float = 0.95) -> Share:
    """`count` of `total` with Wilson's score interval (Wilson 1927, JASA 22:209, equation 4).

    It stays within 0..1 and is honest at few cases and near the ends. No cases: rate 0, interval 0 to 1.
    """
    if not 0 <= count <= total:
        raise ValueError(f"{count} of {total} is not a share.")
    if total == 0:
        return Share(0, 0, 0.0, 0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    rate = count / total
    scale = 1 + z * z / total
    middle = (rate + z * z / (2 * total)) / scale
    half = z * math.sqrt(rate * (1 - rate) / total + z * z / (4 * total * total)) / scale
    low = 0.0 if count == 0 else max(0.0, middle - half)
    high = 1.0 if count == total else min(1.0, middle + half)
    return Share(count, total, rate, low, high)


def match_rate(queries: Sequence[Hashable], candidates: Sequence[Hashable]) -> Share:
    """Share of queries whose nearest candidate has the query's category; categories, one per query.

    A candidate of None (nothing was found) does not match.
    """
    pairs = zip(queries, candidates, strict=True)
    return share(sum(found is not None and asked == found for asked, found in pairs), len(queries))


def recall_at(k: int, relevant: Sequence[Collection[int]], positions: npt.NDArray[np.integer]) -> Share:
    """Share of queries with at least one of their `relevant` positions among the first k of (q, >=k) answers.

    Queries that have no relevant position are left out.
    """
    asked = [(set(wanted), found[:k]) for wanted, found in zip(relevant, positions, strict=True) if wanted]
    return share(sum(not wanted.isdisjoint(found.tolist()) for wanted, found in asked), len(asked))


def random_match_rate(
    queries: Sequence[Hashable],
    query_identities: Sequence[Hashable],
    gallery: Sequence[Hashable],
    gallery_identities: Sequence[Hashable],
) -> float:
    """The mean of `chances_to_match`; 0 without queries."""
    expected = chances_to_match(queries, query_identities, gallery, gallery_identities)
    return math.fsum(expected) / len(queries) if queries else 0.0


def chances_to_match(
    queries: Sequence[Hashable],
    query_identities: Sequence[Hashable],
    gallery: Sequence[Hashable],
    gallery_identities: Sequence[Hashable],
) -> list[float]:
    """How likely a candidate drawn evenly from the gallery has each query's category, exactly.

    Categories and identities of queries and gallery; as for a real index, items identical to the query cannot
    be drawn. Queries for which nothing could be drawn do not match.
    """
    categories = Counter(gallery)
    copies = Counter(gallery_identities)
    copies_alike = Counter(zip(gallery_identities, gallery, strict=True))
    return [
        (categories[category] - copies_alike[identity, category]) / max(1, len(gallery) - copies[identity])
        for category, identity in zip(queries, query_identities, strict=True)
    ]


@dataclass(frozen=True)
class ViewRanks:
    """How well items' catalogue pictures (p) were found from another view of them (q), by Grid Dynamics.

    ``asked`` (m,) are the places of the queries; ``before`` (m,) counts the others' p of the same category
    that are at most as far as the own one, of ``others`` (m,).
    """

    asked: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]
    others: npt.NDArray[np.int64]

    @property
    def first(self) -> npt.NDArray[np.bool_]:
        """Whose own p is the nearest: its mean is `distance_accuracy`."""
        return np.asarray(self.before == 0)

    @property
    def top_3(self) -> npt.NDArray[np.bool_]:
        """Whose own p is among the three nearest: its mean is `distance_accuracy_top_3`."""
        return np.asarray(self.before < 3)

    @property
    def absolute(self) -> npt.NDArray[np.float64]:
        """The share of the others that are farther than the own p: its mean is `absolute_accuracy`."""
        return 1 - self.before / self.others


def rank_views(
    queries: npt.NDArray[np.float32],
    candidates: npt.NDArray[np.float32],
    categories: npt.NDArray[np.int64],
    *,
    copies: npt.NDArray[np.int64],
    most: int,
    least: int = 2,
) -> ViewRanks:
    """Compare (n, d) queries with the (n, d) candidates of the same items, under L2, within their categories.

    The first ``most`` items of each category take part, and only categories that have ``least``: accuracies
    fall as that number grows. A tie counts against the own candidate. Items with one number in ``copies``
    (n,) show the same thing and are not compared; one that nothing is left to compare with is not asked.
    """
    asked, before, others = [], [], []
    for value in np.unique(categories):
        rows = np.flatnonzero(categories == value)[:most]
        if len(rows) < least:
            continue
        own = np.square(queries[rows] - candidates[rows]).sum(axis=1)
        # Row by row, so that equal vectors are at distance nought exactly.
        apart = np.stack([np.square(candidates[rows] - query).sum(axis=1) for query in queries[rows]])
        different = copies[rows][:, None] != copies[rows][None, :]
        compared = different.sum(axis=1)
        able = compared > 0
        asked.append(rows[able])
        before.append((different & (apart <= own[:, None])).sum(axis=1)[able])
        others.append(compared[able])
    nothing = np.empty(0, np.int64)
    return ViewRanks(*(np.concatenate([nothing, *parts]) for parts in (asked, before, others)))
