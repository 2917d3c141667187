"""A map that is there, without the time it takes to make one."""

import numpy as np

from search import artifacts
from search.models import BuildState, Layout, Method, Metric
from search.services.mapping import request_layout
from tests.factories import NOW
from tests.search.spaces import make_space


def make_map(
    catalogue, *, rows=None, places=None, encoder="pupil", version="1", seed=0, is_searched=True
) -> Layout:
    """A ready map of drawn vectors, on which items lie at these places, or strewn about in a square."""
    rows = catalogue.items.count() if rows is None else rows
    space = make_space(catalogue, encoder, rows=rows, version=version, build=False)
    if not is_searched:
        space.indexes.all().delete()
    layout, job = request_layout(
        space=space, metric=Metric.L2, method=Method.TSNE, parameters={}, seed=seed, now=NOW
    )
    job.delete()
    if places is None:
        places = np.random.default_rng(seed).random((rows, 2))
    layout.sha256 = artifacts.write_layout(layout, np.arange(rows), np.asarray(places, np.float32))
    layout.items, layout.kept, layout.state, layout.ready_at = rows, 0.4, BuildState.READY, NOW
    layout.save()
    return layout
