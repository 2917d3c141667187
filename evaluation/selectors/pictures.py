"""An item as a page shows it: the same words for every contender."""

from dataclasses import dataclass

from search.models import Item
from search.selectors.catalogues import image_url

QUESTION, CANDIDATE = "Question", "Suggestion"


@dataclass(frozen=True)
class Picture:
    """An image's address, its size in pixels and what it shows, in words."""

    image: str
    width: int
    height: int
    alt: str


def describe_question(item: Item) -> Picture:
    return _describe(QUESTION, item)


def describe_candidate(item: Item) -> Picture:
    return _describe(CANDIDATE, item)


def describe_picture(role: str, sha256: str, width: int, height: int, category: str | None) -> Picture:
    """The picture of an item in one of the two roles."""
    return Picture(image_url(sha256), width, height, f"{role}: {category or 'item'}")


def _describe(role: str, item: Item) -> Picture:
    category = item.category.value if item.category else None
    return describe_picture(role, item.image_sha256, item.width, item.height, category)
