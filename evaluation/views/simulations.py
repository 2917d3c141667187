"""What the simulated user makes of a puzzle, played once for all who look at its end at the same time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Any

from asgiref.sync import sync_to_async as in_django

from evaluation.models import Puzzle
from evaluation.services import game_openings
from evaluation.services.game_results import keep_simulated, plan_simulation
from evaluation.views.grounds import on_ground

# A thread of their own: the slates of games that go on never wait behind a simulation.
simulators = ThreadPoolExecutor(1, thread_name_prefix="simulations")
_playing: dict[int, Future[dict[str, Any]]] = {}  # by Puzzle.pk
_lock = Lock()


async def simulate(puzzle: Puzzle, target: int | None) -> None:
    """Have what the simulated user makes of a puzzle worked out and kept, where it is not yet."""
    if not target or puzzle.simulated is not None:
        return
    planned = partial(plan_simulation, puzzle, target)
    simulation = await on_ground(partial(game_openings.of_puzzle, puzzle), planned)
    if simulation is not None:
        await in_django(keep_simulated)(puzzle, await play_once(puzzle.pk, simulation.play))


async def play_once(puzzle: int, play: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``play`` returns; while it is at work, all who ask for this puzzle wait for the same."""
    with _lock:
        playing = _playing.get(puzzle)
        if playing is None:
            playing = _playing[puzzle] = simulators.submit(_play, puzzle, play)
    return await asyncio.shield(asyncio.wrap_future(playing))  # who leaves ends it for nobody else


def _play(puzzle: int, play: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return play()
    finally:
        with _lock:
            del _playing[puzzle]
