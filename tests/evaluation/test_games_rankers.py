"""People play with rankers that training made: where there is one for their very game, and as it was then."""

import logging
from datetime import timedelta

import numpy as np
import pytest
from django.template.loader import render_to_string

from evaluation.models import NavigationGame
from evaluation.selectors.game_pages import show_end
from evaluation.selectors.game_results import read_navigation_board
from evaluation.services import game_grounds
from evaluation.services.game_results import plan_simulation
from evaluation.services.games import draw_game
from evaluation.services.moves import CheckedMove, MadeMove, check_move, store_move
from evaluation.services.slate_requests import choose_all, write_down
from evaluation.stats.navigation import NEED_RANKERS, STAND_IN, list_shares
from search.models import Training
from search.services.rankers import BELIEVES
from tests.evaluation.finding import Finder, Kind, add_spaces, forget_opened, make_ground
from tests.evaluation.ranking import find_played, find_weights, make_ranker
from tests.factories import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def catalogue():
    return make_ground()


def draw_many(catalogue, *, k=4, games=80):
    return [
        draw_game(catalogue=catalogue, k=k, has_target=True, now=NOW, rng=np.random.default_rng(seed))
        for seed in range(games)
    ]


def find_seed(catalogue, policy, *, k=4):
    return next(seed for seed, one in enumerate(draw_many(catalogue, k=k)) if one.policy == policy)


def begin(catalogue, policy="dqn", **how):
    """A game that drew this policy."""
    return Finder(catalogue, seed=find_seed(catalogue, policy), **how)


def damage(path):
    path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1]))


def test_every_policy_that_is_trained_may_be_drawn():
    assert set(BELIEVES) == NEED_RANKERS


def test_a_ranker_is_drawn_as_often_as_is_logged_once_there_is_one(catalogue):
    assert not {one.policy for one in draw_many(catalogue)} & NEED_RANKERS
    make_ranker(catalogue)
    make_ranker(catalogue, name="believer", believes=True)
    drawn = draw_many(catalogue)
    assert {one.policy for one in drawn} >= NEED_RANKERS
    shares = list_shares(has_masks=True, trained=NEED_RANKERS)
    assert {one.policy: one.propensity for one in drawn} == shares
    assert all(bool(one.ranker) == (one.policy in NEED_RANKERS) for one in drawn)


@pytest.mark.parametrize("policy", ["dqn", "dqn-belief"])
@pytest.mark.parametrize("has_target", [True, False])
def test_a_game_with_a_ranker_is_played_to_its_end(catalogue, policy, has_target):
    make_ranker(catalogue, believes=policy == "dqn-belief")
    finder = begin(catalogue, policy, has_target=has_target)
    assert finder.game.puzzle.policy == policy
    if has_target:
        state = finder.play()
        assert state.game.outcome == NavigationGame.Outcome.FOUND
    else:
        finder.pick()
        finder.move(Kind.UNSURE)
        state = finder.move(Kind.FOUND, finder.state.slates[0].items[0])
    shown = [item for slate in state.slates for item in slate.items]
    assert len(set(shown)) == len(shown) and not state.game.stood_in


def test_a_ranker_plays_only_on_what_it_learned_and_on_slates_of_its_size(catalogue):
    make_ranker(catalogue)
    assert not {one.policy for one in draw_many(catalogue, k=8)} & NEED_RANKERS
    other = make_ground(slug="other")
    assert not {one.policy for one in draw_many(other)} & NEED_RANKERS
    add_spaces(catalogue, version="2")
    assert not {one.policy for one in draw_many(catalogue)} & NEED_RANKERS
    make_ranker(catalogue, name="anew", slate=8, at=LATER)
    assert "dqn" in {one.policy for one in draw_many(catalogue, k=8)}


def test_one_that_is_still_trained_is_not_drawn(catalogue):
    make_ranker(catalogue)
    Training.objects.update(ready_at=None)
    assert not {one.policy for one in draw_many(catalogue)} & NEED_RANKERS


@pytest.mark.parametrize("harm", ["damaged", "gone", "without card", "replaced"])
@pytest.mark.parametrize("was_played", [True, False])
def test_one_whose_files_are_bad_is_never_drawn(catalogue, harm, was_played, caplog):
    make_ranker(catalogue)
    if was_played:
        begin(catalogue)
    if harm == "damaged":
        damage(find_weights())
    elif harm == "gone":
        find_weights().unlink()
    elif harm == "without card":
        (find_weights().parent / "card.json").unlink()
    else:
        make_ranker(catalogue, seed=1, slate=8, at=LATER)  # of the same name
    with caplog.at_level(logging.WARNING):
        assert not {one.policy for one in draw_many(catalogue)} & NEED_RANKERS
    assert (harm == "replaced") == ("No game draws the ranker “ranker”" not in caplog.text)


def test_the_newest_whole_one_is_drawn(catalogue):
    older = make_ranker(catalogue, name="older")
    newer = make_ranker(catalogue, name="newer", seed=1, at=LATER)

    def find_drawn():
        [drawn] = {one.ranker for one in draw_many(catalogue) if one.policy == "dqn"}
        return drawn[:12]

    assert newer.encoder_version.startswith(find_drawn())
    damage(find_weights("newer"))
    assert older.encoder_version.startswith(find_drawn())


def test_where_none_can_be_kept_no_ranker_is_drawn_and_games_begin(catalogue, settings, tmp_path):
    make_ranker(catalogue)
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder")
    settings.PLAYED_RANKERS_FOLDER = in_the_way / "rankers"
    assert not {one.policy for one in draw_many(catalogue)} & NEED_RANKERS


@pytest.mark.parametrize("then", ["trained anew", "deleted"])
def test_a_running_game_keeps_the_ranker_that_it_was_begun_with(catalogue, then):
    make_ranker(catalogue)
    calm, troubled = begin(catalogue), begin(catalogue)
    calm.play()
    if then == "trained anew":
        make_ranker(catalogue, seed=1, at=LATER)  # of the same name: the first one's files go
    else:
        find_weights().unlink()
    forget_opened()
    troubled.play()
    assert [slate.items for slate in troubled.state.slates] == [slate.items for slate in calm.state.slates]
    assert not troubled.state.game.stood_in
    if then == "trained anew":
        assert begin(catalogue).game.puzzle.ranker != calm.game.puzzle.ranker


@pytest.mark.parametrize("harm", ["damaged", "gone", "another"])
def test_a_game_whose_ranker_is_lost_goes_on_with_another_policy_and_says_so(catalogue, harm, caplog):
    make_ranker(catalogue)
    finder = begin(catalogue)
    finder.pick()
    [kept] = find_played()
    if harm == "damaged":
        damage(kept)
    elif harm == "gone":
        kept.unlink()
    else:
        make_ranker(catalogue, name="other", seed=1)
        for file in find_weights("other").parent.iterdir():
            (kept.parent / file.name).write_bytes(file.read_bytes())
    damage(find_weights())  # else it would be kept again
    forget_opened()
    with caplog.at_level(logging.WARNING):
        finder.pick()
    assert f"“{STAND_IN}” stands in for the ranker {finder.game.puzzle.ranker}" in caplog.text
    assert finder.state.game.stood_in and finder.game.puzzle.policy == "dqn"
    simulation = plan_simulation(finder.game.puzzle, finder.target)
    assert simulation is not None and simulation.rankers == {}
    state = finder.play()
    assert state.game.outcome == NavigationGame.Outcome.FOUND
    assert read_navigation_board(now=NOW).rows == [], "it tells of no policy"
    page = " ".join(render_to_string("navigation/_policies.html", {"end": show_end(state, None)}).split())
    assert "was lost from the server" in page and "Asks what tells most</strong> went on" in page


def test_what_was_lost_is_kept_again_with_the_next_game(catalogue):
    make_ranker(catalogue)
    finder = begin(catalogue)
    damage(find_played()[0])
    forget_opened()
    begin(catalogue)
    finder.pick()
    assert not finder.state.game.stood_in


def test_a_worker_chooses_the_same_slate_and_the_web_process_does_where_that_worker_has_no_ranker(catalogue):
    make_ranker(catalogue, believes=True)
    finder = begin(catalogue, "dqn-belief")
    made = MadeMove(turn=1, kind=Kind.PICK, item=finder.nearest())
    checked = check_move(key=finder.key, game_id=finder.game.pk, made=made)
    assert isinstance(checked, CheckedMove) and checked.wanted is not None
    words = write_down(checked.wanted)
    here = checked.wanted.choose()
    game_grounds.guides.clear()
    assert dict(choose_all([words])) == {0: here}
    find_played()[0].unlink()
    game_grounds.guides.clear()
    assert dict(choose_all([words])) == {0: None}, "the web process has it in memory, and chooses"
    state = store_move(checked, here, now=NOW)
    assert state.slates[-1].items == here.items and not state.game.stood_in


def test_the_end_shows_what_rankers_make_of_the_puzzle(catalogue):
    make_ranker(catalogue)
    make_ranker(catalogue, name="believer", believes=True)
    finder = begin(catalogue)
    make_ranker(catalogue, seed=1, at=LATER)  # the game's own one plays, not its successor
    simulation = plan_simulation(finder.game.puzzle, finder.target)
    assert simulation is not None
    paths = {row["policy"]: row["path"] for row in simulation.play()["policies"]}
    assert set(paths) >= NEED_RANKERS
    state = finder.play()
    own = [step.pick for step in state.steps]
    assert paths["dqn"] == own, "who sees as the space does picks what the simulated user picks"
    end = show_end(state, simulation.play())
    assert [row.title for row in end.policies if row.played] == [end.policy]
    assert end.propensity == list_shares(has_masks=True, trained=NEED_RANKERS)["dqn"]


def test_the_board_has_a_row_of_each_ranker_s_policy(catalogue):
    make_ranker(catalogue)
    begin(catalogue).play()
    [row] = read_navigation_board(now=NOW).rows
    assert (row.policy, row.found) == ("dqn", 1)
