"""What an encoder finds alike by each aspect: the items that its card names, as pictures."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.models import Catalogue, Item, Label
from search.selectors.card_parts import read_text
from search.selectors.catalogues import image_url


@dataclass(frozen=True)
class NamedLines:
    """By one aspect, as a card says it: pictures by their sha256, in each line the query first."""

    aspect: str
    lines: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Thumbnail:
    image: str
    width: int
    height: int
    alt: str
    values: str  # of the aspect, as somebody gave or measured them
    is_same: bool  # one of them is the query's


@dataclass(frozen=True)
class Alike:
    """By one aspect: lines of a query and the nearest ones, nearest first."""

    aspect: str
    lines: Sequence[Sequence[Thumbnail]]


def read_alike(card: Mapping[str, Any]) -> list[NamedLines]:
    """Every aspect of a card; see ``read_part``."""
    return [
        NamedLines(
            read_text(part["aspect"]), [[read_text(image) for image in line] for line in part["images"]]
        )
        for part in card["alike"]
    ]


def list_alike(*, catalogue: Catalogue, named: Sequence[NamedLines]) -> list[Alike]:
    """The lines of items that are still there; an aspect without any is left out."""
    items = _find_items(catalogue, {image for part in named for line in part.lines for image in line})
    values = _find_values(items.values(), {part.aspect for part in named})
    found = []
    for part in named:
        lines = [_line_up(line, items, values[part.aspect]) for line in part.lines]
        kept = [line for line in lines if len(line) > 1]
        if kept:
            found.append(Alike(part.aspect, kept))
    return found


def _find_items(catalogue: Catalogue, images: set[str]) -> dict[str, Item]:
    """By picture; the first where several items have the same."""
    rows = Item.objects.present().filter(catalogue=catalogue, image_sha256__in=images).order_by("-position")
    columns = ("image_sha256", "width", "height", "category__value")
    return {item.image_sha256: item for item in rows.select_related("category").only(*columns)}


def _find_values(items: Iterable[Item], aspects: set[str]) -> dict[str, dict[int, list[str]]]:
    """By aspect and item. What a network predicted is left out: it would agree with itself."""
    rows = Label.objects.filter(item__in=list(items), attribute__aspect__name__in=aspects)
    known = rows.exclude(source=Label.Source.PREDICTED).order_by("attribute__value")
    found: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for aspect, item, value in known.values_list("attribute__aspect__name", "item", "attribute__value"):
        if value not in found[aspect][item]:
            found[aspect][item].append(value)
    return found


def _line_up(
    line: Sequence[str], items: Mapping[str, Item], values: Mapping[int, list[str]]
) -> list[Thumbnail]:
    """A line as pictures; none where its query is not there any more."""
    query = items.get(line[0]) if line else None
    if query is None:
        return []
    wanted = set(values.get(query.pk, ()))
    thumbnails = []
    for place, image in enumerate(line):
        item = items.get(image)
        if item is not None:
            known = values.get(item.pk, [])
            role = f"Nearest {place}" if place else "Query"
            thumbnails.append(_describe(item, role, known, is_same=bool(place and wanted & set(known))))
    return thumbnails


def _describe(item: Item, role: str, values: Sequence[str], *, is_same: bool) -> Thumbnail:
    return Thumbnail(
        image=image_url(item.image_sha256),
        width=item.width,
        height=item.height,
        alt=f"{role}: {item.category.value if item.category else 'item'}",
        values=", ".join(values),
        is_same=is_same,
    )
