"""Catalogues in which people can look for an item."""

from dataclasses import dataclass

from search.models import Catalogue, Item
from search.selectors.catalogues import image_url
from search.selectors.navigable_spaces import list_navigable_catalogues

COVERS = 4


@dataclass(frozen=True)
class NavigableCatalogue:
    slug: str
    title: str
    items: int
    covers: list[str]


def list_navigable() -> list[NavigableCatalogue]:
    """All of them, the oldest first, with pictures of what is in them."""
    return [_describe(catalogue) for catalogue in list_navigable_catalogues()]


def _describe(catalogue: Catalogue) -> NavigableCatalogue:
    items = Item.objects.present().filter(catalogue=catalogue)
    size = items.count()
    wanted = {size * turn // COVERS for turn in range(COVERS)}
    covers = items.filter(position__in=wanted).values_list("image_sha256", flat=True)
    return NavigableCatalogue(catalogue.slug, catalogue.title, size, [image_url(one) for one in covers])
