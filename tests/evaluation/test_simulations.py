"""Simulations at the end of a game: one for all who look, and never in the way of a slate."""

import asyncio
from threading import Event

import pytest

from evaluation.views.simulations import play_once
from evaluation.views.slates import think

PATIENCE_S = 20


def test_all_who_look_at_once_share_one_simulation_and_slates_do_not_wait_for_it():
    released, played = Event(), []

    def play():
        released.wait(PATIENCE_S)
        played.append(len(played))
        return {"policies": []}

    async def look():
        looking = [asyncio.ensure_future(play_once(puzzle, play)) for puzzle in (1, 2, 3) * 7]
        try:
            assert await asyncio.wait_for(think(lambda: "slate"), PATIENCE_S / 2) == "slate"
            looking.pop(0).cancel()  # who began it leaves
        finally:
            released.set()
        return await asyncio.gather(*looking)

    assert asyncio.run(look()) == [{"policies": []}] * 20
    assert len(played) == 3


def test_a_simulation_that_failed_is_played_anew():
    def fail():
        raise RuntimeError("The disk is gone.")

    with pytest.raises(RuntimeError, match="disk is gone"):
        asyncio.run(play_once(1, fail))
    assert asyncio.run(play_once(1, lambda: {"policies": []})) == {"policies": []}
