"""Where slates are chosen: by a worker, or here beside the thread that all pages share."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from evaluation import telemetry
from evaluation.services.game_grounds import Choice, Wanted
from evaluation.services.slate_desk import desk

Result = TypeVar("Result")

thinkers = ThreadPoolExecutor(2, thread_name_prefix="slates")


async def choose(wanted: Wanted) -> Choice:
    """The slate, the same whoever chooses it: a worker where one does so in time, else this process."""
    choice = await desk.order(wanted)
    if choice is None:
        choice = await think(wanted.choose)
        telemetry.SLATES.labels("web").inc()
    return choice


async def think(work: Callable[[], Result]) -> Result:
    """Have this done beside the thread that all pages share, by a few threads for all games."""
    return await asyncio.get_running_loop().run_in_executor(thinkers, work)
