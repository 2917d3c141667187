"""How a web process answers a search, for the page and for the API: the same steps, the same answer."""

from __future__ import annotations

from datetime import datetime

from asgiref.sync import sync_to_async as in_django

from search.models import Catalogue, Index
from search.selectors.searches import Answer, ContenderNeighbours, Waiting, Wish
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
    except searches.AllDamaged:
        await in_django(_repair)(plan.catalogue, now)
        raise
    if found.damaged:
        await in_django(_repair)(plan.catalogue, now)
    return await in_django(searches.describe)(plan, found)


def answer_now(wish: Wish, *, now: datetime) -> Answer | Waiting:
    """The same in this thread, for commands and for pages that are not asynchronous. Raises SearchRefused."""
    plan = make_plan(wish, now=now)
    try:
        found = searches.find(plan)
    except searches.LookNeeded as needed:
        return _wait(plan, needed.index, now)
    except searches.AllDamaged:
        _repair(plan.catalogue, now)
        raise
    if found.damaged:
        _repair(plan.catalogue, now)
    return searches.describe(plan, found)


async def list_neighbours(*, catalogue: Catalogue, position: int) -> list[ContenderNeighbours]:
    """The nearest items of an item by each engine; one that is damaged or lacks the item is left out."""
    indexes = await in_django(item_neighbours.list_asked)(catalogue)
    originals = await in_django(item_neighbours.list_originals)(catalogue)
    found = await room.do(item_neighbours.find, indexes, position, originals)
    return await in_django(item_neighbours.describe)(catalogue, found)


def _wait(plan: Plan, index: Index, now: datetime) -> Waiting:
    waiting, job = searches.wait_for_worker(plan, index, now=now)
    hint_jobs([job])
    return waiting


def _repair(catalogue: Catalogue, now: datetime) -> None:
    hint_jobs([searches.request_repair(catalogue, now=now)])
