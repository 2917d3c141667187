"""Large spaces: processors, compiled loops and devices come to the same bits, and so to the same slates."""

import logging
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search.engine.navigation import reckoning, residents
from search.engine.navigation.belief import Belief
from search.engine.navigation.choices import ChoiceModel
from search.engine.navigation.episodes import draw_games, play_all
from search.engine.navigation.history import History
from search.engine.navigation.ordered_sums import LANES
from search.engine.navigation.policies.bayesian import MODEL
from search.engine.navigation.policies.registry import POLICIES, create_policy, list_sights
from search.engine.navigation.reckoning import IN_ORDER, Rows, WhereItIsFastest
from search.engine.navigation.residents import OnDevice, Resident, TableThere
from search.engine.navigation.terrain import Space, Terrain
from search.engine.navigation.users import NoisyUser
from tests.engine.navigation.grounds import draw_terrain

ROOMY = 1 << 40
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[
            pytest.mark.gpu,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
        ],
    ),
]


def on(device, *, room=ROOMY):
    return OnDevice(torch.device(device), room=room)


def move(terrain, reckoner):
    """The same ground, whose distances are worked out elsewhere."""
    whole, *masks = (Space(one.name, one.vectors, reckoner) for one in (terrain.whole, *terrain.masks))
    return Terrain(whole, tuple(masks), terrain.identity)


def bits_of(values):
    return np.ascontiguousarray(values).view(np.uint32)


def add_up(vectors, ones):
    """The rule of `reckoning`, in plain numpy."""
    lanes = np.zeros((LANES, len(ones), len(vectors)), np.float32)
    for p in range(vectors.shape[1]):
        gaps = vectors[None, :, p] - ones[:, p, None]
        lanes[p % LANES] += gaps * gaps
    while len(lanes) > 1:
        lanes = lanes[: len(lanes) // 2] + lanes[len(lanes) // 2 :]
    return lanes[0]


@pytest.fixture
def all_large(monkeypatch):
    monkeypatch.setattr(reckoning, "LARGE", 1)


@pytest.mark.parametrize("device", DEVICES)
@given(st.integers(1, 700), st.integers(1, 40), st.integers(-12, 6), st.data())
@settings(max_examples=60, deadline=None)
def test_distances_have_the_same_bits_wherever_they_are_worked_out(device, n, d, size, data):
    draws = np.random.default_rng(data.draw(st.integers(0, 999)))
    # Of all sizes, so that order and every rounding matter; the smallest squares are denormal or nought.
    vectors = (draws.normal(size=(n, d)) * 10.0 ** draws.uniform(size - 12, size, (n, d))).astype(np.float32)
    ones = draws.integers(0, n, data.draw(st.integers(1, 9)))
    rows = Rows(vectors)
    np.testing.assert_array_equal(rows.take(ones), vectors[ones])
    found = rows.squared(ones)
    np.testing.assert_array_equal(bits_of(found), bits_of(add_up(vectors, vectors[ones])))
    laid = on(device).lay(rows)
    assert isinstance(laid, Resident)
    laid.prepare(ones[:2])
    np.testing.assert_array_equal(bits_of(reckoning.fetch(laid.squared(ones))), bits_of(found))


def test_many_threads_add_up_as_one_does(monkeypatch):
    draws = np.random.default_rng(0)
    rows, ones = Rows(draws.normal(size=(5000, 24)).astype(np.float32)), np.array([7, 4999, 0])
    alone = rows.squared(ones)
    monkeypatch.setattr(reckoning, "_SHARED", 0)
    monkeypatch.setattr(reckoning.os, "sched_getaffinity", lambda _pid: range(7))
    np.testing.assert_array_equal(bits_of(rows.squared(ones)), bits_of(alone))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("workspace", [1, 10_000])
def test_a_device_that_works_in_parts_comes_to_the_same(device, workspace, monkeypatch):
    draws = np.random.default_rng(0)
    rows, ones = Rows(draws.normal(size=(300, 24)).astype(np.float32)), np.array([7, 299, 0])
    monkeypatch.setattr(residents, "WORKSPACE", workspace)
    found = on(device).lay(rows).squared(ones)
    np.testing.assert_array_equal(bits_of(reckoning.fetch(found)), bits_of(rows.squared(ones)))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("exponent", [2, 6, 8, 32, 254])
@pytest.mark.parametrize("lapse", [0, 0.02])
def test_answers_have_the_same_bits_wherever_they_are_foreseen(device, exponent, lapse):
    draws = np.random.default_rng(exponent)
    model, k = ChoiceModel(exponent, lapse), 5
    tables = (10.0 ** draws.uniform(-9, 2, (2, k, 40_000))).astype(np.float32)
    tables[0, 0, :100] = tables[1, 0, :100] = 0
    weights = (0.3, 0.7)
    there = [
        (TableThere(torch.from_numpy(table).to(device), table.copy), weight)
        for table, weight in zip(tables, weights, strict=True)
    ]
    here = list(zip(tables, weights, strict=True))
    seen = sum(np.float32(weight) * table for table, weight in here)
    for pick in range(k):
        found = IN_ORDER.answer(here, pick, model.power, model.lapse)
        foreseen = on(device).answer(there, pick, model.power, model.lapse)
        np.testing.assert_array_equal(bits_of(found), bits_of(foreseen))
        np.testing.assert_allclose(found, model.chances(seen.T)[:, pick], rtol=2e-3, atol=1e-6)


def test_a_power_that_is_no_whole_one_is_refused():
    with pytest.raises(ValueError, match="even number, not 3"):
        _ = ChoiceModel(3).power


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("keeps", [False, True])
def test_games_have_the_same_slates_and_beliefs_wherever_distances_are_worked_out(
    device, policy, keeps, all_large
):
    here = draw_terrain(500, twins=40)
    there = move(here, on(device))
    games = draw_games(here, 6, seed=3)
    user = NoisyUser(here.whole, ChoiceModel(8))
    one, other = (create_policy(policy, terrain, seed=5) for terrain in (here, there))
    played = [
        play_all(one, lambda _: user, here, games, k=4, seed=5, keeps=keeps),
        play_all(other, lambda _: user, there, games, k=4, seed=5, keeps=keeps),
    ]
    histories = [[episode.history for episode in episodes] for episodes in played]
    assert histories[0] == histories[1]
    assert sum(len(history.steps) for history in histories[0]) >= 30
    beliefs = [Belief(terrain, list_sights(terrain), MODEL) for terrain in (here, there)]
    for history in histories[0][:4]:
        first, second = (belief.weigh(history) for belief in beliefs)
        np.testing.assert_array_equal(bits_of(first), bits_of(second))


def test_large_and_small_spaces_believe_alike(monkeypatch):
    """Worked out otherwise, but the same but for rounding."""
    terrain = draw_terrain(400)
    history = History(start=3)
    for slate in ((9, 30, 51, 77), (12, 31, 52, 78), (14, 35, 56, 79)):
        history = history.after(slate, slate[1])
    small = [Belief(move(terrain, IN_ORDER), list_sights(terrain), MODEL).weigh(history)]
    monkeypatch.setattr(reckoning, "LARGE", 400)
    moved = move(terrain, IN_ORDER)
    large = Belief(moved, list_sights(moved), MODEL).weigh(history)
    np.testing.assert_allclose(large, small[0], atol=2e-3)


def test_what_several_games_show_is_worked_out_once(monkeypatch):
    laid = on("cpu").lay(Rows(np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32)))
    passes = []
    add = Resident._add_in_order
    monkeypatch.setattr(Resident, "_add_in_order", lambda self, ones: passes.append(ones) or add(self, ones))
    laid.prepare(np.arange(20))
    laid.squared(np.array([3, 4]))
    laid.squared(np.array([19, 40]))
    assert passes == [[*range(20)], [40]]


def test_distances_that_are_remembered_are_bounded():
    n = 3 * residents.REMEMBERED
    laid = on("cpu").lay(rows := Rows(np.random.default_rng(0).normal(size=(n, 5)).astype(np.float32)))
    for ones in (np.arange(n), np.arange(n)[::-1]):
        laid.prepare(ones)
        np.testing.assert_array_equal(reckoning.fetch(laid.squared(ones)), rows.squared(ones))
        assert len(laid._known) <= residents.REMEMBERED


def test_where_there_is_no_room_the_processor_goes_on_and_the_log_says_so(caplog):
    rows = Rows(np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32))
    reckoner = on("cpu", room=rows.blocks.nbytes + residents.REMEMBERED * 800)
    first = reckoner.lay(rows)
    assert isinstance(first, Resident) and not caplog.records
    assert reckoner.lay(rows) is rows
    assert "A space of 200 items needs" in caplog.text
    del first  # a ground that is forgotten makes room
    assert isinstance(reckoner.lay(rows), Resident)


def test_a_device_that_runs_out_of_memory_changes_no_slate_and_the_log_says_so(
    monkeypatch, caplog, all_large
):
    here = draw_terrain(300)
    there = move(here, on("cpu"))
    history = History(start=3).after((9, 30, 51, 77), 30).after((12, 31, 52, 78), 52)
    expected = create_policy("information-multi", here).choose(history, 4)

    def refuse(*_words, **_more):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    sound = Resident._add_in_order
    monkeypatch.setattr(Resident, "_add_in_order", refuse)
    np.testing.assert_array_equal(create_policy("information-multi", there).choose(history, 4), expected)
    assert "out of memory" in caplog.text and "the processor does it" in caplog.text
    monkeypatch.setattr(Resident, "_add_in_order", sound)
    monkeypatch.setattr(residents, "foresee", refuse)
    np.testing.assert_array_equal(create_policy("information-multi", there).choose(history, 4), expected)
    monkeypatch.setattr(Resident, "__init__", refuse)
    alone = move(here, on("cpu"))
    np.testing.assert_array_equal(create_policy("information-multi", alone).choose(history, 4), expected)


def test_a_device_that_breaks_while_a_slate_is_chosen_changes_no_slate(monkeypatch, caplog, all_large):
    """As CUDA does after an error: whatever is asked of it from then on fails, fetching included."""
    here = draw_terrain(300)
    there = move(here, on("cpu"))
    history = History(start=3).after((9, 30, 51, 77), 30).after((12, 31, 52, 78), 52)
    first = create_policy("information-multi", here).choose(history, 4)

    def refuse(*_words, **_more):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with monkeypatch.context() as broken:
        broken.setattr(residents, "foresee", refuse)
        broken.setattr(residents, "fetch", fetch_or_refuse(refuse))
        np.testing.assert_array_equal(create_policy("information-multi", there).choose(history, 4), first)
        np.testing.assert_array_equal(
            there.whole.to_all(np.array([3, 9])), here.whole.to_all(np.array([3, 9]))
        )
    assert "illegal memory access" in caplog.text and "the processor does it" in caplog.text


def fetch_or_refuse(refuse):
    """A fetch that fails for what lies on the device."""
    return lambda table: refuse() if isinstance(table, torch.Tensor) else reckoning.fetch(table)


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_a_gpu_that_cannot_even_be_asked_is_not_taken_and_the_log_says_so_once(
    device, monkeypatch, caplog, all_large
):
    asked = []

    def refuse(of):
        asked.append(of)
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(residents, "find_device", lambda wanted: torch.device("cuda"))
    monkeypatch.setattr(residents.torch.cuda, "mem_get_info", refuse)
    here = draw_terrain(300)
    there = move(here, WhereItIsFastest(device))
    history = History(start=3).after((9, 30, 51, 77), 30)
    there.whole.prepare(np.array([9, 30]))
    np.testing.assert_array_equal(
        create_policy("information-multi", there).choose(history, 4),
        create_policy("information-multi", here).choose(history, 4),
    )
    assert len(asked) == len(caplog.records) == 1
    assert "cuda cannot take part in choosing slates (CUDA error: out of memory)" in caplog.text


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_without_a_gpu_the_processor_is_taken(device, caplog):
    rows = Rows(np.ones((3, 2), np.float32))
    assert WhereItIsFastest(device).lay(rows) is rows
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * (device == "cuda")


def test_whoever_has_a_processor_only_never_loads_torch():
    program = (
        "import sys, numpy as np\n"
        "from search.engine.navigation import reckoning\n"
        "from search.engine.navigation.policies.registry import create_policy\n"
        "from search.engine.navigation.history import History\n"
        "from search.engine.navigation.terrain import Space, Terrain\n"
        "reckoning.LARGE = 1\n"
        "terrain = Terrain(Space('drawn', np.eye(9, dtype=np.float32)), (), np.arange(9))\n"
        "print(create_policy('information', terrain).choose(History(start=0).after((1, 2), 1), 2))\n"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=100)
