"""Where a navigation game stands, worked out from its slates and moves."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from evaluation.models import Move, NavigationGame, Slate

MOST_SLATES = 50
MOST_TURNS = 4 * MOST_SLATES  # after them nothing is taken back: slates shown again count for nothing
MOST_OPEN = 3  # games that are offered to be gone on with


@dataclass(frozen=True)
class StandingStep:
    """A slate and what stands as the answer to it: an item's id, or None for "can't tell"."""

    slate: Slate
    pick: int | None


@dataclass(frozen=True)
class GameState:
    """A game with everything that happened in it; ``moves`` by the turn that they answer."""

    game: NavigationGame
    slates: Sequence[Slate]
    moves: dict[int, Move]

    @cached_property
    def steps(self) -> list[StandingStep]:
        """The steps that stand: those that were taken back are left out."""
        return [*self._stood[-1]]

    @cached_property
    def _stood(self) -> list[tuple[StandingStep, ...]]:
        """The steps that stood before each slate, and after the last answer."""
        stood: list[tuple[StandingStep, ...]] = [()]
        for slate in self.slates:
            move = self.moves.get(slate.turn)
            if move is None or move.kind == Move.Kind.GIVE_UP:
                break
            undone = move.kind == Move.Kind.UNDO
            stood.append(stood[-1][:-1] if undone else (*stood[-1], StandingStep(slate, move.item_id)))
        return stood

    def find_known(self, pick: int | None) -> Slate | None:
        """The slate that this pick led to before, from where the game stands; None where it never did."""
        assert self.open is not None
        steps = (*self._stood[-1], StandingStep(self.open, pick))
        followed = zip(self.slates, self._stood, strict=False)
        return next((slate for slate, stood in followed if _tell(stood) == _tell(steps)), None)

    @property
    def open(self) -> Slate | None:
        """The slate that waits for an answer."""
        last = self.slates[-1]
        return last if self.game.ended_at is None and last.turn not in self.moves else None

    @property
    def shown(self) -> int:
        """How many slates were shown, also those that were taken back; a slate shown again counts once."""
        return sum(not slate.again for slate in self.slates)

    @property
    def found_before(self) -> int | None:
        """Where what was found is not on the last slate: the number of the slate that showed it first."""
        last = self.slates[-1]
        move = self.moves.get(last.turn)
        if move is None or move.kind != Move.Kind.FOUND or move.item_id in last.items:
            return None
        counted = [slate for slate in self.slates if not slate.again]
        return next(number for number, slate in enumerate(counted, start=1) if move.item_id in slate.items)

    @property
    def seen(self) -> set[int]:
        """All items that were on a slate."""
        return {item for slate in self.slates for item in slate.items}


def _tell(steps: Sequence[StandingStep]) -> list[tuple[list[int], int | None]]:
    return [(step.slate.items, step.pick) for step in steps]


def find_game(*, key: uuid.UUID | None, game_id: str) -> NavigationGame | None:
    """The game of this id, if it is of the player who holds this key."""
    if key is None:
        return None
    games = NavigationGame.objects.select_related(
        "puzzle__catalogue", "puzzle__start__category", "puzzle__target__category", "player", "seat__race"
    )
    return games.filter(pk=game_id, player__key=key).first()


def list_open_games(key: uuid.UUID | None, *, today: date) -> list[NavigationGame]:
    """Games that this player may go on with, the last begun first; today's puzzle has a page of its own."""
    if key is None:
        return []
    games = NavigationGame.objects.filter(player__key=key, ended_at=None).exclude(puzzle__day=today)
    return list(games.select_related("puzzle__catalogue").order_by("-begun_at")[:MOST_OPEN])


def read_state(game: NavigationGame) -> GameState:
    """Everything that happened in a game so far."""
    return read_states([game])[0]


def read_states(games: Sequence[NavigationGame]) -> list[GameState]:
    """The same for each of these games, read at once."""
    shown: dict[str, list[Slate]] = {game.pk: [] for game in games}
    for slate in Slate.objects.filter(game__in=shown).select_related("move").order_by("turn"):
        shown[slate.game_id].append(slate)
    return [_gather(game, shown[game.pk]) for game in games]


def _gather(game: NavigationGame, slates: Sequence[Slate]) -> GameState:
    return GameState(game, slates, {slate.turn: slate.move for slate in slates if hasattr(slate, "move")})
