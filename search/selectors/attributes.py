"""What is known of items, as people or files said it."""

from __future__ import annotations

from collections.abc import Iterable

from search.models import Aspect, Catalogue, Label

AT_ONCE = 5000


def read_attributes(*, catalogue: Catalogue, items: Iterable[int] | None = None) -> dict[int, dict[str, str]]:
    """Values by aspect of items (all where none are named), by primary key; predictions do not count.

    Of several values of one aspect the first by name is there.
    """
    labels = Label.objects.filter(
        attribute__aspect__catalogue=catalogue, attribute__aspect__kind=Aspect.Kind.LABEL
    ).exclude(source=Label.Source.PREDICTED)
    if items is not None:
        labels = labels.filter(item__in=set(items))
    found: dict[int, dict[str, str]] = {}
    ordered = labels.order_by("attribute__aspect__position", "attribute__value")
    columns = ("item_id", "attribute__aspect__name", "attribute__value")
    for item, aspect, value in ordered.values_list(*columns).iterator(chunk_size=AT_ONCE):
        found.setdefault(item, {}).setdefault(aspect, value)
    return found
