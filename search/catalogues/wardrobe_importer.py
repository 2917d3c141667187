"""The demo catalogue, which the project draws itself, as an importer."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from search.catalogues.drawing import draw_ahead, draw_views
from search.catalogues.rows import AspectSpec, CatalogueUnreadable, ImportOptions, Rejection, Row
from search.catalogues.wardrobe import ASPECTS, VERSION, draw_item

CATEGORY = "kind"
DEFAULT_ITEMS = 1500
MOST_ITEMS = 1_000_000


class WardrobeImporter:
    """Items 0 to `options.items` of the wardrobe with `options.seed`; families of designs are the groups."""

    def __init__(self, options: ImportOptions) -> None:
        if options.category not in ("", CATEGORY):
            raise CatalogueUnreadable(f"The wardrobe's category is {CATEGORY!r}. Leave the category out.")
        if options.group:
            raise CatalogueUnreadable(
                "The wardrobe groups its items by family of design. Leave the group out."
            )
        items = DEFAULT_ITEMS if options.items is None else options.items
        if not 1 <= items <= MOST_ITEMS:
            raise CatalogueUnreadable(f"The wardrobe draws 1 to {MOST_ITEMS:,} items, not {items}.")
        self._items, self._seed = items, options.seed

    @property
    def generator(self) -> str:
        return f"wardrobe {VERSION}"

    @property
    def total(self) -> int | None:
        return self._items

    def aspects(self) -> list[AspectSpec]:
        return [AspectSpec(name, is_category=name == CATEGORY) for name in ASPECTS]

    def rows(self) -> Iterator[Row | Rejection]:
        for number in range(self._items):
            drawing = draw_item(self._seed, number)
            yield Row(
                number=number + 1,
                key=drawing.key,
                image=partial(_view, self._seed, number, 0),
                lifestyle=partial(_view, self._seed, number, 1),
                labels=drawing.labels,
                category=drawing.labels[CATEGORY],
                group=drawing.group,
                fingerprint=f"wardrobe {VERSION} seed {self._seed} item {number}",
            )

    def prepare(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows with their views drawn by other processes while earlier ones are stored."""
        wanted: dict[int, Row] = {}

        def numbers() -> Iterator[int]:
            for row in rows:
                wanted[row.number - 1] = row
                yield row.number - 1

        for number, views in draw_ahead(self._seed, numbers()):
            catalogue, lifestyle = (partial(bytes, view) for view in views)
            yield replace(wanted.pop(number), image=catalogue, lifestyle=lifestyle)

    def fingerprint(self) -> str:
        return hashlib.sha256(
            f"wardrobe {VERSION} seed {self._seed} items {self._items}".encode()
        ).hexdigest()

    def close(self) -> None:
        """Nothing is held open."""


def _view(seed: int, number: int, which: int) -> bytes:
    return draw_views(seed, number)[which]
