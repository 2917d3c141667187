"""What a process knows of catalogues by their checksums: tests have the same ones again and again."""

from search.selectors import searchable
from search.services import item_neighbours
from search.services.open_indexes import open_indexes


def forget_catalogues() -> None:
    """Have everything looked up and opened anew, as a fresh process does."""
    for known in (
        searchable._find_positions,
        searchable._count_values,
        searchable._find_originals,
        searchable._find_removed,
    ):
        known.cache_clear()
    open_indexes._open.clear()
    item_neighbours._known.clear()
