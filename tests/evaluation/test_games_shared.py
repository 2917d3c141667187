"""At a game's end the path tells what each pick has in common with the one before; not before."""

import pytest
from django.template.loader import render_to_string

from evaluation.models import Move
from evaluation.selectors.game_pages import show_board, show_end
from evaluation.services.game_grounds import find_ground
from evaluation.services.game_results import Simulation
from search.models import Label
from tests.evaluation.finding import Finder, make_ground
from tests.lessons import label, make_aspect

pytestmark = pytest.mark.django_db


def test_the_path_tells_what_picks_share_once_the_game_is_over():
    catalogue = make_ground()
    colours = make_aspect(catalogue, "colour", ("red", "blue"))
    sizes = make_aspect(catalogue, "size", ("small", "large"))
    for item in catalogue.items.all():
        label(item, colours["red"])
        label(item, sizes["small"], source=Label.Source.PREDICTED)  # nobody said so
    finder = Finder(catalogue)
    for _ in range(2):
        finder.pick()
    finder.move(Move.Kind.UNSURE)
    finder.pick()
    assert all(step.shared == () for step in show_board(finder.state).path)
    finder.move(Move.Kind.GIVE_UP)
    first, second, unsure, fourth = show_end(finder.state, None).path
    assert first.shared == (), "no pick stands before the first one"
    assert second.shared == fourth.shared == ("colour",)
    assert unsure.shared == ()


def test_what_was_found_on_a_slate_before_is_told_where_it_was():
    finder = Finder(make_ground(), has_target=False)
    first = finder.state.slates[0].items
    finder.move(Move.Kind.PICK, first[0])
    finder.pick()
    finder.move(Move.Kind.FOUND, first[1])
    steps = show_end(finder.state, None).path
    assert [step.found_on for step in steps] == [None, None, 1]
    assert steps[-1].bits is None, "the last slate told nothing"
    page = render_to_string("navigation/_step_facts.html", {"step": steps[-1]})
    assert "found on slate 1" in page


def test_what_was_found_where_it_stood_needs_no_such_word():
    finder = Finder(make_ground(), has_target=False)
    finder.pick()
    finder.move(Move.Kind.FOUND, finder.state.slates[-1].items[2])
    last = show_end(finder.state, None).path[-1]
    assert last.found_on is None and last.bits == finder.state.slates[-1].bits


def test_the_limit_is_told_for_who_it_holds():
    finder = Finder(make_ground())
    finder.move(Move.Kind.GIVE_UP)
    simulated = Simulation(finder.game.puzzle, find_ground(finder.game.puzzle), finder.target).play()
    end = show_end(finder.state, simulated)
    assert "limit by picks alone" in end.share
    page = " ".join(render_to_string("navigation/_policies.html", {"end": end}).split())
    assert "on average, for a player who always picks" in page
