"""Where slates are asked for: together, without anybody waiting long, and with the same answer either way."""

import asyncio
import json
import threading
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pytest
import torch

from evaluation.models import Slate
from evaluation.services import slate_requests
from evaluation.services.game_grounds import Choice, Ground, Guide, Recipe, Wanted, find_guide
from evaluation.services.slate_desk import SlateDesk
from evaluation.services.slate_requests import Words, choose_all, write_down
from search.engine.navigation import reckoning, residents
from search.engine.navigation.history import History
from search.engine.navigation.policies.registry import POLICIES
from search.engine.navigation.terrain import Space, Terrain
from tests.evaluation.finding import Finder, add_spaces, forget_opened, make_ground

LONG_S = 30.0
SHORT_S = 0.05
REST_S = 1.0
VECTORS = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
GROUND = Ground(Terrain(Space("pupil", VECTORS), (), np.arange(30)), np.arange(100, 130))
GUIDE = Guide(GROUND, Recipe(((1, "ab"),), "nearest", 0))


def want(start: int) -> Wanted:
    """A game that begins with this item."""
    return Wanted(GROUND, GUIDE, History(start=start), 4)


class Workers:
    """Answer what they are asked by the number of the item that a game begins with."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.answers = True

    def __call__(self, asked: Sequence[Words], within_s: float) -> Iterator[tuple[int, Choice | None]]:
        self.asked.append([words["start"] for words in asked])
        for place, words in enumerate(asked):
            if self.answers:
                yield place, Choice([words["start"]], 0.0)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def order(desk: SlateDesk, *starts: int) -> list[list[int] | None]:
    """What all these games get, asked for at the same moment."""
    found = await asyncio.gather(*(desk.order(want(start)) for start in starts))
    return [choice and choice.items for choice in found]


def open_desk(workers: object, clock: Clock, patience_s: float = LONG_S) -> SlateDesk:
    desk = SlateDesk(patience_s=patience_s, rest_s=REST_S, clock=clock)
    desk.open(workers)
    return desk


async def let_it_ask(workers: Workers, times: int) -> None:
    """Until workers were asked so often and the answer has come."""
    async with asyncio.timeout(LONG_S):
        while len(workers.asked) < times:
            await asyncio.sleep(0.001)


def test_games_that_ask_at_once_share_a_message_and_each_gets_its_own_slate() -> None:
    workers = Workers()
    desk = open_desk(workers, Clock())
    assert asyncio.run(order(desk, 3, 1, 2)) == [[3], [1], [2]]
    assert workers.asked == [[3, 1, 2]]
    desk.close()


def test_what_is_asked_for_while_a_message_is_under_way_goes_out_together_in_the_next() -> None:
    workers, gate, begun = Workers(), threading.Event(), threading.Event()

    def answer_slowly(asked: Sequence[Words], within_s: float) -> Iterable[tuple[int, Choice | None]]:
        begun.set()
        assert gate.wait(LONG_S)
        return workers(asked, within_s)

    async def play() -> list[list[int] | None]:
        first = asyncio.create_task(order(desk, 1))
        await asyncio.to_thread(begun.wait, LONG_S)
        others = asyncio.create_task(order(desk, 2, 3))
        await asyncio.sleep(0)  # they ask now
        await asyncio.sleep(0)
        gate.set()
        return [*await first, *await others]

    desk = open_desk(answer_slowly, Clock())
    assert asyncio.run(play()) == [[1], [2], [3]]
    assert workers.asked == [[1], [2, 3]]
    desk.close()


def test_after_silence_no_game_waits_and_one_slate_is_asked_for_now_and_then() -> None:
    workers, clock = Workers(), Clock()
    workers.answers = False
    desk = open_desk(workers, clock, SHORT_S)

    async def play() -> None:
        assert await order(desk, 1) == [None]
        assert await order(desk, 2, 3) == [None, None]
        assert workers.asked == [[1]]  # they did not wait
        clock.now += REST_S
        assert await order(desk, 4, 5) == [None, None]
        await let_it_ask(workers, 2)
        clock.now += REST_S  # no longer enough
        assert await order(desk, 6) == [None]
        clock.now += REST_S
        workers.answers = True
        while await order(desk, 7) == [None]:
            await asyncio.sleep(0)
        assert workers.asked[:3] == [[1], [4], [7]]

    asyncio.run(asyncio.wait_for(play(), LONG_S))
    desk.close()


def test_who_waits_for_workers_that_hang_is_sent_away_and_their_late_answer_changes_nothing() -> None:
    gate, workers = threading.Event(), Workers()

    def hang(asked: Sequence[Words], within_s: float) -> Iterable[tuple[int, Choice | None]]:
        assert gate.wait(LONG_S)
        return workers(asked, within_s)

    async def play() -> None:
        assert await order(desk, 1) == [None]
        assert await order(desk, 2) == [None]
        gate.set()
        while await order(desk, 3) == [None]:  # the late answer says that they are back
            await asyncio.sleep(0)
        assert workers.asked == [[1], [3]]

    desk = open_desk(hang, Clock(), SHORT_S)
    asyncio.run(asyncio.wait_for(play(), LONG_S))
    desk.close()


def test_a_broker_that_takes_nothing_costs_nobody_a_wait() -> None:
    asked = []

    def fail(words: Sequence[Words], within_s: float) -> Iterable[tuple[int, Choice | None]]:
        asked.append(words)
        raise ConnectionRefusedError

    async def play() -> None:
        assert await order(desk, 1, 2) == [None, None]
        assert await order(desk, 3) == [None]
        assert len(asked) == 1

    desk = open_desk(fail, Clock())
    asyncio.run(asyncio.wait_for(play(), LONG_S / 2))
    desk.close()


def test_of_what_is_answered_in_part_the_rest_is_chosen_here_and_workers_are_asked_again() -> None:
    workers = Workers()

    def answer_one(asked: Sequence[Words], within_s: float) -> Iterable[tuple[int, Choice | None]]:
        return [next(iter(workers(asked, within_s)))]

    desk = open_desk(answer_one, Clock())

    async def play() -> None:
        assert await order(desk, 1, 2) == [[1], None]
        assert await order(desk, 3) == [[3]]

    asyncio.run(play())
    desk.close()


def test_a_closed_desk_asks_nobody() -> None:
    assert asyncio.run(order(SlateDesk(), 1)) == [None]


@pytest.mark.django_db
@pytest.mark.parametrize("policy", POLICIES)
def test_what_was_written_down_is_chosen_alike_by_a_process_that_knows_nothing_of_the_game(
    policy: str,
) -> None:
    finder = Finder(make_ground(), seed=2)
    puzzle = finder.game.puzzle
    puzzle.policy = policy
    ground, guide = find_guide(puzzle)
    history = History(start=3)
    wanted = []
    for turn in range(5):
        wanted.append(Wanted(ground, guide, history, 4))
        slate = ground.find_places(wanted[-1].choose().items)
        history = history.after(slate, None if turn == 2 else slate[turn % 4])
    here = [one.choose() for one in wanted]
    words = json.loads(json.dumps([write_down(one) for one in wanted]))
    forget_opened()
    assert [choice for _, choice in sorted(choose_all(words))] == here
    assert Slate.objects.count() == 1  # choosing stores nothing


@pytest.mark.django_db
def test_games_of_one_ground_are_worked_out_together_on_a_device_with_the_same_slates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reckoning, "LARGE", 1)
    catalogue = make_ground()
    wanted = []
    for seed, policy in enumerate(POLICIES):
        puzzle = Finder(catalogue, seed=seed).game.puzzle
        puzzle.policy, puzzle.seed = policy, seed
        ground, guide = find_guide(puzzle)
        first = ground.find_places(Wanted(ground, guide, History(start=seed), 4).choose().items)
        wanted.append(Wanted(ground, guide, History(start=seed).after(first, first[1]), 4))
    shown = {place for one in wanted for place in one.history.steps[-1].slate}
    passes: list[list[int]] = []
    add = residents.Resident._add_in_order

    def count(self: residents.Resident, ones: list[int]) -> torch.Tensor:
        passes.append(ones)
        return add(self, ones)

    monkeypatch.setattr(residents.Resident, "_add_in_order", count)
    on_device = residents.OnDevice(torch.device("cpu"), room=1 << 30)
    words = [write_down(one) for one in wanted]
    found = dict(choose_all(words, on_device))
    assert found == {place: one.choose() for place, one in enumerate(wanted)}
    assert set(passes[0]) == shown, "the whole space, for all games"
    together = len(passes)
    for one in words:
        assert dict(choose_all([one], on_device))
    assert len(passes) == together, "nothing is worked out twice"


@pytest.mark.django_db
def test_where_slates_cannot_be_prepared_together_each_is_chosen_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    finder = Finder(make_ground())
    ground, guide = find_guide(finder.game.puzzle)
    wanted = Wanted(ground, guide, History(start=0), 4)

    def refuse(together: Sequence[Wanted]) -> None:
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setattr(slate_requests, "prepare", refuse)
    assert dict(choose_all([write_down(wanted)])) == {0: wanted.choose()}
    assert "unspecified launch failure" in caplog.text


@pytest.mark.django_db
def test_what_cannot_be_chosen_here_holds_up_nothing_else() -> None:
    catalogue = make_ground()
    finder = Finder(catalogue)
    ground, guide = find_guide(finder.game.puzzle)
    good = write_down(Wanted(ground, guide, History(start=0), 4))
    gone = good | {"spaces": [[add_spaces(catalogue, version="2").pk, "another checksum"]]}
    unknown = good | {"policy": "of a later version"}
    found = dict(choose_all([gone, good, unknown]))
    assert found[0] is None and found[2] is None
    assert found[1] == Wanted(ground, guide, History(start=0), 4).choose()
