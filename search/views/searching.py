"""How a web process answers a search, for the page and for the API: the same steps, the same answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from asgiref.sync import sync_to_async as in_django

from search.engine.errors import VectorsRejected
from search.models import Catalogue, Index
from search.selectors.searchable import list_indexes, list_originals, list_removed
from search.selectors.searches import Answer, ContenderNeighbours, SearchRefused, Waiting, Wish
from search.services import item_neighbours, searches
from search.services.photo_room import room
from search.services.search_plans import Plan, make_plan
from search.tasks import hint_jobs


async def answer(wish: Wish, *, now: datetime) -> Answer | Waiting:
    """The database is asked in the pages' thread, the search itself runs beside it. Raises SearchRefused."""
    plan = await in_django(make_plan)(wish, now=now)
    try:
        found = await room.do(searches.find, plan)
    except searches.LookNeeded as needed:
        return await in_django(_wait)(plan, needed.index, now)
    except searches.AllDamaged as lost:
        await in_django(_repair)(plan.catalogue, lost.damaged, now)
        raise
    except VectorsRejected as rejected:
        raise _refuse_vectors() from rejected
    if found.damaged:
        await in_django(_repair)(plan.catalogue, found.damaged, now)
    return await in_django(searches.describe)(plan, found)


async def list_neighbours(*, catalogue: Catalogue, position: int) -> list[ContenderNeighbours]:
    """The nearest items of an item by each engine; one that is damaged or lacks the item is left out."""
    indexes = await in_django(list_indexes)(catalogue)
    originals = await in_django(list_originals)(catalogue)
    removed = await in_django(list_removed)(catalogue)
    found = await room.do(item_neighbours.find, indexes, position, originals, removed)
    return await in_django(item_neighbours.describe)(catalogue, found)


def _refuse_vectors() -> SearchRefused:
    return SearchRefused(
        "refuses-photos",
        "What was made of this photo is not what is searched in: the encoder has changed since, or does not "
        "work on it. Search from an item, or have the contenders built again.",
        status=422,
    )


def _wait(plan: Plan, index: Index, now: datetime) -> Waiting:
    waiting, job = searches.wait_for_worker(plan, index, now=now)
    hint_jobs([job])
    return waiting


def _repair(catalogue: Catalogue, damaged: Sequence[Index], now: datetime) -> None:
    hint_jobs(searches.request_repair(catalogue, damaged, now=now))
