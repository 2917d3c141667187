"""What one player was shown and did in navigation games. What is hidden in a game stays so until its end."""

from typing import Any

from evaluation.models import NavigationGame, Player, Slate
from evaluation.selectors.races import Phase, find_race_of, read_race


def export_games(player: Player) -> list[dict[str, Any]]:
    """The games of a player, the oldest first, slate by slate; items are named by their keys."""
    games = NavigationGame.objects.filter(player=player).select_related(
        "puzzle__catalogue", "puzzle__target", "seat__race"
    )
    return [_export(game) for game in games.order_by("begun_at", "pk")]


def _export(game: NavigationGame) -> dict[str, Any]:
    slates = list(Slate.objects.filter(game=game).select_related("move__item").order_by("turn"))
    keys = dict(
        game.puzzle.catalogue.items.filter(
            pk__in={item for slate in slates for item in slate.items}
        ).values_list("pk", "key")
    )
    race = find_race_of(game)
    hidden = game.ended_at is None or (race is not None and read_race(race).phase != Phase.OVER)
    target = game.puzzle.target
    return {
        "catalogue": game.puzzle.catalogue.slug,
        "day": game.puzzle.day,
        "target": target.key if target and not hidden else None,
        "begun_at": game.begun_at,
        "ended_at": game.ended_at,
        "outcome": game.outcome,
        "policy": None if hidden else game.puzzle.policy,
        "stood_in": None if hidden else game.stood_in,
        "slates": [
            {
                "turn": slate.turn,
                "items": [keys[item] for item in slate.items],
                "shown_at": slate.shown_at,
                "move": _export_move(slate),
            }
            for slate in slates
        ],
    }


def _export_move(slate: Slate) -> dict[str, Any] | None:
    if not hasattr(slate, "move"):
        return None
    move = slate.move
    return {
        "kind": move.kind,
        "item": move.item.key if move.item else None,
        "dwell_ms": move.dwell_ms,
        "modality": move.modality,
        "made_at": move.made_at,
    }
