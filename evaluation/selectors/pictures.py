"""An item as a page shows it: the same words for every contender."""

from dataclasses import dataclass

from search.models import Item
from search.selectors.catalogues import image_url


@dataclass(frozen=True)
class Picture:
    """An image's address, its size in pixels and what it shows, in words."""

    image: str
    width: int
    height: int
    alt: str


def describe_question(item: Item) -> Picture:
    return _describe(item, "Question")


def describe_candidate(item: Item) -> Picture:
    return _describe(item, "Suggestion")


def _describe(item: Item, role: str) -> Picture:
    words = item.category.value if item.category else "item"
    return Picture(image_url(item.image_sha256), item.width, item.height, f"{role}: {words}")
