"""Flat pictures of an embedding space: t-SNE or UMAP of its exact nearest neighbours.

Both methods are given the neighbours that `metrics` finds, so a map shows the very metric of an index, and
begin from the same principal axes. One thread and one seed: the same vectors, parameters and seed give the
same places on one machine. Sources: van der Maaten and Hinton 2008 (t-SNE), Linderman and others 2019 (its
interpolation), McInnes, Healy and Melville 2018 (UMAP), Kobak and Linderman 2021 (why both begin alike).
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.engine.errors import EngineError
from search.engine.metrics import Gallery, Metric, Neighbours, column_centre, sign_bits

Method: TypeAlias = Literal["tsne", "umap"]
Places: TypeAlias = NDArray[np.float32]  # (n, 2)
Vectors: TypeAlias = NDArray[np.float32]  # (n, d)
# Told what is done, of how much, and what it is; may raise to end the work.
Report: TypeAlias = Callable[[int, int, str], None]

LEAST, MOST = 5, 200_000  # items on a map
KEPT_OF = 10  # nearest items that are looked for on the map
_SAMPLED = 2000  # items for which that is counted
_AXES_FROM = 5000  # vectors from which the principal axes are taken
_QUERIES = 1024  # whose neighbours are looked for together
_EVERY = 25  # iterations between two words
_EXAGGERATED, _ITERATIONS = 250, 500  # of t-SNE: first with exaggerated attraction
_MANY = 100  # items from which exaggeration helps: it draws fewer, which are alike, to one spot
_INTERPOLATED_FROM = 10_000  # items from which repulsion is interpolated on a grid and not summed over a tree


class LayoutRefused(EngineError):
    """What no map can be made of; ``field`` names the parameter at fault, blank for the vectors."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Parameter:
    """A number that a method goes by; ``most`` is also bounded by the number of items."""

    title: str
    least: float
    most: float
    usual: float
    help: str
    is_whole: bool = True


PARAMETERS: Mapping[Method, Mapping[str, Parameter]] = {
    "tsne": {
        "perplexity": Parameter("Perplexity", 1, 100, 30, "about how many neighbours each item minds", False)
    },
    "umap": {
        "neighbours": Parameter("Neighbours", 2, 200, 15, "how many neighbours each item minds"),
        "min_dist": Parameter("Least distance", 0, 1, 0.1, "how close items may come to each other", False),
    },
}


@dataclass(frozen=True)
class Made:
    """Where n items lie, and how much of the space that keeps.

    ``kept``: of the 10 nearest of an item, the share that is among its 10 nearest on the map, on average.
    """

    places: Places
    kept: float


def bound(method: Method, name: str, count: int) -> float:
    """The largest value of a parameter over ``count`` items: t-SNE looks at three times its perplexity."""
    most = PARAMETERS[method][name].most
    by_count = {"perplexity": math.floor(10 * (count - 1) / 3) / 10, "neighbours": count - 1}
    return min(most, by_count.get(name, most))


def settle_parameters(method: Method, given: Mapping[str, float | None], *, count: int) -> dict[str, float]:
    """The method's parameters, usual ones where none is given. Raises LayoutRefused for what cannot be.

    The usual ones give way to a small number of items; one that was given is never changed.
    """
    if count < LEAST:
        raise LayoutRefused(f"There are {count} items; a map needs at least {LEAST}. Bring more items.")
    if count > MOST:
        raise LayoutRefused(f"There are {count:,} items; a map holds at most {MOST:,}.")
    settled = {}
    for name, about in PARAMETERS[method].items():
        most, value = bound(method, name, count), given.get(name)
        if value is None:
            value = min(about.usual, most)
        if not about.least <= value <= most:
            raise LayoutRefused(
                f"{about.title} is {value:g}; over {count:,} items it may be from {about.least:g} to "
                f"{most:g}.",
                field=name,
            )
        if about.is_whole and value != int(value):
            raise LayoutRefused(f"{about.title} is {value:g}; a whole number is needed.", field=name)
        settled[name] = float(value)
    return settled


def make_layout(
    vectors: Vectors,
    metric: Metric,
    method: Method,
    parameters: Mapping[str, float],
    *,
    seed: int,
    sign_structured: bool,
    report: Report,
    threads: int | None = None,
) -> Made:
    """Lay n vectors out on a plane by ``method`` of their neighbours under ``metric``.

    ``parameters`` as `settle_parameters` gives them. ``threads`` look for neighbours, which does not change
    what is found; the rest takes one. Raises LayoutRefused, VectorsRejected, and what ``report`` raises.
    """
    settle_parameters(method, parameters, count=len(vectors))
    if not np.ptp(vectors, axis=0).any():
        raise LayoutRefused("All vectors are equal: there is nothing to lay out. Choose another encoder.")
    if method == "tsne":
        wanted = min(len(vectors) - 1, math.ceil(3 * parameters["perplexity"]))
    else:
        wanted = int(parameters["neighbours"]) - 1
    wide = max(wanted, min(KEPT_OF, len(vectors) - 1))
    found = find_neighbours(
        vectors, metric, wide, sign_structured=sign_structured, report=report, threads=threads
    )
    near = Neighbours(found.positions[:, :wanted], found.distances[:, :wanted])
    start = find_axes(vectors, seed=seed)
    place = _place_by_tsne if method == "tsne" else _place_by_umap
    places = centre(place(near, start, parameters, seed, report))
    return Made(places, count_kept(found, places, seed=seed))


def find_neighbours(
    vectors: Vectors,
    metric: Metric,
    k: int,
    *,
    sign_structured: bool,
    report: Report,
    threads: int | None = None,
) -> Neighbours:
    """The k nearest others of each of n vectors, exactly, (n, k): never the vector itself."""
    rows: NDArray[Any] = vectors
    if metric == "hamming":
        rows = sign_bits(vectors, 0.0 if sign_structured else column_centre(vectors))
    gallery = Gallery(metric, rows)
    count = len(rows)
    found = Neighbours(np.empty((count, k), np.int32), np.empty((count, k), np.float32))
    for start in range(0, count, _QUERIES):
        report(start, count, "neighbours")
        asked = slice(start, min(start + _QUERIES, count))
        itself = [[row] for row in range(asked.start, asked.stop)]
        some = gallery.nearest(rows[asked], k, exclude=itself, threads=threads)
        found.positions[asked], found.distances[asked] = some.positions, some.distances
    return found


def find_axes(vectors: Vectors, *, seed: int) -> NDArray[np.float64]:
    """Where t-SNE and UMAP begin: the two principal axes, (n, 2), with a deviation of 1 along the first.

    Axes are of at most 5,000 vectors, drawn by the seed. What lies on one spot is drawn apart a little, or
    it would stay together for ever.
    """
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.permutation(len(vectors))[:_AXES_FROM])
    sample = np.asarray(vectors[drawn], np.float64)
    middle = sample.mean(axis=0)
    _, _, axes = np.linalg.svd(sample - middle, full_matrices=False)
    axes = axes[:2]
    # A singular vector may point either way: its largest component is made positive.
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    start = np.zeros((len(vectors), 2))
    for begin in range(0, len(vectors), _QUERIES):
        block = np.asarray(vectors[begin : begin + _QUERIES], np.float64)
        start[begin : begin + _QUERIES, : len(axes)] = (block - middle) @ axes.T
    scale = start[:, 0].std() or 1.0
    return start / scale + rng.normal(scale=1e-3, size=start.shape)


def centre(places: NDArray[Any]) -> Places:
    """Around the middle, and turned so that the first axis is the longer one: nothing else is changed."""
    moved = np.asarray(places, np.float64) - np.mean(places, axis=0, dtype=np.float64)
    wide = np.ptp(moved, axis=0)
    return np.asarray(moved[:, ::-1] if wide[1] > wide[0] else moved, np.float32)


def count_kept(found: Neighbours, places: Places, *, seed: int) -> float:
    """The share of each item's nearest (n, k) that are among as many nearest on the map, 0 to 1.

    Over at most 2,000 items, drawn by the seed. By chance it is about k / (n - 1).
    """
    k = min(KEPT_OF, found.positions.shape[1])
    rows = np.random.default_rng(seed).permutation(len(places))[:_SAMPLED]
    near = Gallery("l2", places).nearest(places[rows], k, exclude=[[row] for row in rows.tolist()])
    pairs = zip(found.positions[rows, :k].tolist(), near.positions.tolist(), strict=True)
    return float(np.mean([len(set(ours) & set(theirs)) / k for ours, theirs in pairs]))


def _place_by_tsne(
    near: Neighbours, start: NDArray[np.float64], parameters: Mapping[str, float], seed: int, report: Report
) -> NDArray[Any]:
    # It takes a second to load; who only names a method does not need it.
    import openTSNE
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    affinities = PerplexityBasedNN(
        perplexity=parameters["perplexity"],
        knn_index=PrecomputedNeighbors(near.positions.astype(np.int64), near.distances.astype(np.float64)),
        n_jobs=1,
    )
    fast = len(start) >= _INTERPOLATED_FROM
    embedding = openTSNE.TSNEEmbedding(
        start * 1e-4,  # openTSNE's own scale for a start
        affinities,
        negative_gradient_method="fft" if fast else "bh",
        n_jobs=1,
        random_state=seed,
    )
    total = _EXAGGERATED + _ITERATIONS
    phases = (
        (0, _EXAGGERATED, {"exaggeration": 12 if len(start) >= _MANY else 1, "momentum": 0.5}),
        (_EXAGGERATED, _ITERATIONS, {"momentum": 0.8}),
    )
    for before, count, forces in phases:

        def tell(iteration: int, error: float, places: object, before: int = before) -> None:
            report(before + iteration, total, "steps of t-SNE")

        embedding = embedding.optimize(
            n_iter=count, callbacks=tell, callbacks_every_iters=_EVERY, use_callbacks=True, **forces
        )
    return np.asarray(embedding)


def _place_by_umap(
    near: Neighbours, start: NDArray[np.float64], parameters: Mapping[str, float], seed: int, report: Report
) -> NDArray[Any]:
    # It takes several seconds to load.
    from umap.umap_ import find_ab_params, fuzzy_simplicial_set, simplicial_set_embedding

    count, neighbours = len(start), int(parameters["neighbours"])
    itself = np.arange(count, dtype=np.int32)[:, None]  # UMAP counts each item as its first neighbour
    positions = np.hstack([itself, near.positions])[:, :neighbours]
    distances = np.hstack([np.zeros((count, 1), np.float32), near.distances])[:, :neighbours]
    draw = np.random.RandomState(seed)
    graph, _, _ = fuzzy_simplicial_set(
        start, neighbours, draw, "precomputed", knn_indices=positions, knn_dists=distances
    )
    a, b = find_ab_params(1.0, parameters["min_dist"])
    epochs = 500 if count <= _INTERPOLATED_FROM else 200
    places, _ = simplicial_set_embedding(
        start, graph, 2, 1.0, a, b, 1.0, 5, epochs, start.astype(np.float32), draw, "euclidean", {},
        densmap=False, densmap_kwds={}, output_dens=False, parallel=False,
        tqdm_kwds={"file": _Ear(epochs, report), "bar_format": "{n}", "disable": False},
    )  # fmt: skip
    return np.asarray(places)


class _Ear(io.TextIOBase):
    """Hears how far UMAP is: it tells nothing but its progress bar, here a number."""

    def __init__(self, total: int, report: Report) -> None:
        self._total, self._report = total, report

    def write(self, text: str) -> int:
        number = text.strip()
        if number.isdigit():
            self._report(int(number), self._total, "steps of UMAP")
        return len(text)
