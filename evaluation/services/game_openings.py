"""Told before somebody needs a ground: how it is opened, which takes long and which any thread can do."""

from collections.abc import Callable
from datetime import date
from functools import partial

from evaluation.models import Puzzle
from evaluation.services.game_grounds import Ground, find_ground, freeze, open_ground
from search.models import Catalogue
from search.selectors.navigable_spaces import choose_spaces, list_navigable_catalogues

# Raises GroundLost.
Opening = Callable[[], Ground]


def of_puzzle(puzzle: Puzzle | None) -> Opening | None:
    return partial(find_ground, puzzle) if puzzle else None


def of_catalogue(slug: str) -> Opening | None:
    """Of a new game in this catalogue; None where there can be none."""
    return _of_new_game(Catalogue.objects.filter(slug=slug).first())


def of_game(game_id: str) -> Opening | None:
    """Of a game that goes on."""
    return of_puzzle(Puzzle.objects.filter(games=game_id, games__ended_at=None).first())


def of_race(code: str) -> Opening | None:
    return of_puzzle(Puzzle.objects.filter(race=code).first())


def of_rematch(code: str) -> Opening | None:
    return _of_new_game(Catalogue.objects.filter(puzzles__race=code).first())


def of_day(day: date) -> Opening | None:
    """Of the daily puzzle, also where it is still to be made."""
    return of_puzzle(Puzzle.objects.filter(day=day).first()) or of_new_day(day)


def of_new_day(day: date) -> Opening | None:
    """The same only where the puzzle is still to be made."""
    if Puzzle.objects.filter(day=day).exists():
        return None
    return _of_new_game(next(iter(list_navigable_catalogues()), None))


def _of_new_game(catalogue: Catalogue | None) -> Opening | None:
    spaces = choose_spaces(catalogue) if catalogue else []
    return partial(open_ground, freeze(spaces)) if spaces else None
