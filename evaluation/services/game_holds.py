"""What is held while a game changes: the row of its race first, then its own."""

from evaluation.models import NavigationGame, Race
from evaluation.selectors.races import find_race_of


def hold_game(game: NavigationGame) -> bool:
    """Let nobody else change this game or its race until the transaction ends; False where it is over."""
    race = find_race_of(game)
    if race is not None:
        Race.objects.select_for_update().get(pk=race.pk)
    going_on = NavigationGame.objects.select_for_update().filter(pk=game.pk, ended_at=None)
    return going_on.first() is not None
