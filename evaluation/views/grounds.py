"""Where grounds are opened: beside the thread that all pages share, which then finds them open.

Vectors are read and checked for seconds where there are many. What asks for grounds in the pages' thread
waits for no opening there, since all of it goes through here, one after the other.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async as in_django
from django.db import connections

from evaluation.services.game_grounds import GroundLost
from evaluation.services.game_openings import Opening

Result = TypeVar("Result")

openers = ThreadPoolExecutor(1, thread_name_prefix="grounds")
_gates: "WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock]" = WeakKeyDictionary()


async def on_ground(find: Callable[[], Opening | None], work: Callable[[], Result]) -> Result:
    """What ``work`` returns, which is done in the pages' thread once the ground that it needs is open.

    ``find``, called in that thread as well, says how that ground is opened; None where none is needed. That a
    ground is lost is for ``work`` to find out.
    """
    opening = await in_django(find)()
    if opening is None:
        return await in_django(work)()
    loop = asyncio.get_running_loop()
    async with _gates.setdefault(loop, asyncio.Lock()):
        await loop.run_in_executor(openers, _open, opening)
        return await in_django(work)()


def _open(opening: Opening) -> None:
    try:
        opening()
    except GroundLost:
        pass
    finally:
        connections.close_all()  # nobody else would: this thread serves no request
