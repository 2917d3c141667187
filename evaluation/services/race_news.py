"""Open pages of a race hear of everything that happens in it."""

from evaluation.models import NavigationGame
from evaluation.selectors.races import find_race_of, name_topic
from search.events import bump


def tell_race(code: str) -> None:
    """Have the race's open pages fetch it again; call it in the transaction that changes it."""
    bump(name_topic(code))


def tell_race_of(game: NavigationGame) -> None:
    """The same for the race that a game is part of, if it is part of one."""
    race = find_race_of(game)
    if race is not None:
        tell_race(race.pk)
