"""A catalogue on a line, whose space sees it as it is, for what people and simulated users pick."""

import numpy as np

from search.services import builds
from tests.factories import make_catalogue
from tests.search.spaces import make_space

ITEMS = 40


def keep_one_encoder(monkeypatch):
    """Commands build every space that can be: leave them the quickest."""
    every = builds.list_all_encoders()
    monkeypatch.setattr(builds, "list_all_encoders", lambda: [e for e in every if e.name == "random-control"])


def make_line():
    """40 items on a line, which the space "line" sees as it is; a mask of it sees everything in one place."""
    catalogue = make_catalogue(items=ITEMS)
    line = np.stack([np.arange(ITEMS), np.zeros(ITEMS)], axis=1).astype(np.float32)
    make_space(catalogue, "line", vectors=line)
    make_space(catalogue, "line.none", "none", vectors=np.zeros_like(line))
    return catalogue


def key(place):
    return f"demo-{place:05d}"
