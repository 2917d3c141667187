"""How navigation games come to their end, and which cannot begin."""

import pytest

from evaluation.models import Move, NavigationGame, Player, Puzzle
from evaluation.services.game_results import plan_simulation
from evaluation.services.games import GameRefused
from search.models import Item
from tests.evaluation.finding import Finder, make_ground
from tests.factories import make_catalogue

pytestmark = pytest.mark.django_db
Kind, Outcome = Move.Kind, NavigationGame.Outcome


def test_a_target_that_was_overlooked_can_be_pressed_on_the_slate_that_showed_it():
    finder = Finder(make_ground())
    while finder.target not in finder.state.slates[-1].items:
        finder.move(Kind.PICK, finder.nearest())
    assert finder.pick().game.ended_at is None
    state = finder.move(Kind.FOUND, finder.target)
    assert state.game.outcome == Outcome.FOUND and state.game.slates == len(state.slates)


def test_an_item_with_the_same_image_is_the_target():
    catalogue = make_ground()
    finder = Finder(catalogue)
    image = finder.game.puzzle.target.image_sha256
    other = next(one for one in finder.state.slates[0].items if one != finder.target)
    Item.objects.filter(pk=other).update(image_sha256=image)
    assert finder.move(Kind.PICK, other).game.outcome == Outcome.FOUND


def test_who_has_it_in_mind_says_when_it_is_found():
    finder = Finder(make_ground(), has_target=False)
    assert finder.target is None
    finder.pick()
    shown = finder.state.slates[-1].items[2]
    state = finder.move(Kind.FOUND, shown)
    assert state.game.outcome == Outcome.FOUND and state.steps[-1].pick == shown


def test_whatever_somebody_has_in_mind_is_shown_in_the_end():
    finder = Finder(make_ground(items=8, masks=False), has_target=False, k=8)
    assert finder.game.puzzle.start_id in finder.state.slates[0].items
    simulation = plan_simulation(finder.game.puzzle, finder.game.puzzle.start_id)
    assert simulation is not None
    simulated = simulation.play()
    assert (simulated["different"], simulated["bound"]) == (8, 1)
    assert {(row["slates"], row["found"]) for row in simulated["policies"]} == {(1, True)}


def test_the_start_of_a_game_in_mind_counts_as_unseen_on_every_slate():
    finder = Finder(make_ground(items=12, masks=False), has_target=False)
    for _ in range(2):
        state = finder.move(Kind.UNSURE)
    assert finder.game.puzzle.start_id in state.seen and len(state.seen) == 12


def test_a_game_ends_at_fifty_slates_whatever_is_answered():
    finder = Finder(make_ground(items=230, masks=False), has_target=False, seed=1)
    for _ in range(49):
        finder.move(Kind.UNSURE)
    assert finder.state.open is not None and finder.state.shown == 50
    state = finder.move(Kind.UNSURE)
    assert (state.game.outcome, state.game.slates, state.open) == (Outcome.NOT_FOUND, 50, None)


def test_a_game_ends_when_everything_was_shown():
    finder = Finder(make_ground(items=8, masks=False), has_target=False)
    for _ in range(2):
        state = finder.move(Kind.UNSURE)
    assert (state.game.outcome, state.game.slates) == (Outcome.NOT_FOUND, 2)


@pytest.mark.parametrize(("items", "k", "begins"), [(5, 4, True), (4, 4, False), (8, 8, False)])
def test_a_catalogue_needs_a_slate_and_a_start(items, k, begins):
    catalogue = make_ground(items=items, masks=False)
    if begins:
        assert len(Finder(catalogue, k=k).state.slates[0].items) == k
        return
    with pytest.raises(GameRefused, match=f"has {items} different items, and {k + 1} are needed"):
        Finder(catalogue, k=k)
    assert not (Player.objects.exists() or Puzzle.objects.exists())


def test_a_catalogue_without_a_space_cannot_be_played_on():
    with pytest.raises(GameRefused, match="cannot be searched yet"):
        Finder(make_catalogue(items=12, with_images=False))


def test_without_masks_no_policy_that_needs_them_is_drawn():
    catalogue = make_ground(items=12, masks=False)
    drawn = {Finder(catalogue, seed=seed).game.puzzle for seed in range(30)}
    assert "information-multi" not in {puzzle.policy for puzzle in drawn}
    [propensity] = {puzzle.propensity for puzzle in drawn if puzzle.policy == "information"}
    assert propensity == pytest.approx(0.28 / 0.64)
