"""What rankings by aspects are taught and judged by: queries of a catalogue whose telling aspect is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from search.engine.telling_aspects import Wanted, find_wanted
from search.engine.training.aspect_weights import Asked, ask
from search.engine.training.samples import Division, Rows
from search.models import Catalogue
from search.services.aspect_grounds import OpenGround, list_labelled
from search.services.training_samples import CatalogueItems, divide, read_items, read_labels


@dataclass(frozen=True)
class AspectQueries:
    """Queries with what was found for them. ``division`` holds places in ``asked`` and ``wanted``.

    ``aspects`` names the columns of ``wanted``.
    """

    aspects: Sequence[str]
    wanted: Wanted
    asked: Asked
    division: Division
    units: Rows  # (q,): queries of one unit, such as designs of one family, are not independent


def read_queries(
    catalogue: Catalogue,
    opened: OpenGround,
    *,
    per_part: int,
    most: int,
    validation_share: float,
    report: Callable[[int, int], None],
) -> AspectQueries:
    """The queries of all items that have a vector, at most ``most`` of each side.

    What tells an item apart is looked for among the aspects that the encoder knows and the catalogue labels.
    ``report`` is told how many were looked at, of how many. Raises
    ``NothingLabelled``, ``JobFailed``.
    """
    items = read_items(catalogue)
    names = list_labelled(catalogue, opened.ground.aspects)
    labels = read_labels(catalogue, items, names)
    place_of = {position: place for place, position in enumerate(opened.items.tolist())}
    rows = np.array([row for row, position in enumerate(items.positions) if position in place_of], np.int64)
    table = np.empty((len(opened.items), len(names)), np.int64)
    copies = np.empty(len(opened.items), np.int64)
    places = np.array([place_of[items.positions[row]] for row in rows.tolist()], np.int64)
    table[places], copies[places] = labels.table[rows], items.copies[rows]
    wanted = find_wanted(table, category=_find_category(catalogue, names), copies=copies)
    sides = divide(items, validation_share=validation_share)
    wanted, division = _choose(wanted, sides, items, place_of, most)
    total = len(wanted)
    asked = ask(opened.ground, wanted, per_part=per_part, report=lambda done: report(done, total))
    units = np.unique([items.units[row] for row in rows.tolist()], return_inverse=True)[1]
    unit_of = np.empty(len(opened.items), np.int64)
    unit_of[places] = units
    return AspectQueries(names, wanted, asked, division, unit_of[wanted.queries])


def _find_category(catalogue: Catalogue, names: Sequence[str]) -> int | None:
    category = catalogue.aspects.filter(is_category=True, name__in=names).values_list("name", flat=True)
    return names.index(category[0]) if category else None


def _choose(
    wanted: Wanted, sides: Division, items: CatalogueItems, place_of: dict[int, int], most: int
) -> tuple[Wanted, Division]:
    """At most so many queries of each side, evenly spread, and which places they then have."""
    chosen = []
    for rows in (sides.learned, sides.validation, sides.held_out):
        own = [place_of[position] for row in rows.tolist() if (position := items.positions[row]) in place_of]
        queries = wanted.among(np.array(own, np.int64)).queries
        chosen.append(
            queries[np.unique(np.linspace(0, len(queries) - 1, min(most, len(queries))).astype(int))]
        )
    found = wanted.among(np.concatenate(chosen))
    return found, Division(*(np.flatnonzero(np.isin(found.queries, part)) for part in chosen))
