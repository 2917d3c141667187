"""Navigation games: what they are played on is drawn and frozen, and they are begun."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Final

import numpy as np
from django.db import transaction

from evaluation.models import NavigationGame, Player, Puzzle, Slate
from evaluation.services.game_grounds import (
    Choice,
    Ground,
    GroundLost,
    Wanted,
    find_guide,
    freeze,
    open_ground,
)
from evaluation.stats.navigation import ALLOCATION, DrawnPolicy, draw_policy, list_shares
from search.engine.navigation.episodes import draw_games
from search.engine.navigation.history import History
from search.engine.navigation.terrain import TooFewItems
from search.models import Catalogue, EmbeddingSpace, Item
from search.selectors.navigable_spaces import choose_spaces
from search.services.played_rankers import list_playable

SIZES: Final = (4, 8)


class GameRefused(Exception):
    """A game or a move that there cannot be; the status and the text say why."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def draw_game(
    *, catalogue: Catalogue, k: int, has_target: bool, now: datetime, rng: np.random.Generator
) -> Puzzle:
    """A puzzle for one game, its policy drawn by lot; not stored yet. Raises GameRefused."""
    spaces = require_spaces(catalogue)
    rankers = list_playable(spaces=spaces, slate=k)
    drawn = draw_policy(list_shares(has_masks=len(spaces) > 1, trained=rankers), rng)
    puzzle = draw_puzzle(
        spaces=spaces, k=k, has_target=has_target, drawn=drawn, allocation=ALLOCATION, now=now, rng=rng
    )
    puzzle.ranker = rankers.get(drawn.policy, "")
    return puzzle


def require_spaces(catalogue: Catalogue) -> list[EmbeddingSpace]:
    """What is best to play on in this catalogue now. Raises GameRefused where nothing is ready."""
    spaces = choose_spaces(catalogue)
    if not spaces:
        raise GameRefused(
            HTTPStatus.CONFLICT,
            f"“{catalogue.title}” cannot be searched yet: its pictures are still to be read. Come later.",
        )
    return spaces


def draw_puzzle(
    *,
    spaces: Sequence[EmbeddingSpace],
    k: int,
    has_target: bool,
    drawn: DrawnPolicy,
    allocation: str,
    now: datetime,
    rng: np.random.Generator,
) -> Puzzle:
    """A puzzle on these spaces, the whole one first, not stored yet. Raises GameRefused."""
    catalogue, frozen = spaces[0].catalogue, freeze(spaces)
    try:
        ground = open_ground(frozen)
        ground.terrain.require(k + has_target)  # the start is shown as seen, and then not again
    except GroundLost as lost:
        raise GameRefused(
            HTTPStatus.CONFLICT, f"What was built of “{catalogue.title}” is damaged: build it again."
        ) from lost
    except TooFewItems as few:
        raise GameRefused(HTTPStatus.CONFLICT, str(few)) from few
    seed = int(rng.integers(2**31))
    start, target = ground.find_pks(draw_games(ground.terrain, 1, seed=seed)[0].tolist())
    return Puzzle(
        catalogue=catalogue,
        spaces=[list(one) for one in frozen],
        policy=drawn.policy,
        allocation=allocation,
        propensity=drawn.propensity,
        seed=seed,
        k=k,
        start_id=start,
        target_id=target if has_target else None,
        created_at=now,
    )


def want_first_slate(puzzle: Puzzle) -> Wanted:
    """What the first slate of a puzzle is chosen from. Raises GameRefused."""
    try:
        ground, guide = find_guide(puzzle)
    except GroundLost as lost:
        raise GameRefused(
            HTTPStatus.CONFLICT,
            "What this puzzle is played on was built anew or is gone from the server. Begin another game.",
        ) from lost
    return Wanted(ground, guide, History(start=find_start(puzzle, ground)), puzzle.k)


def find_start(puzzle: Puzzle, ground: Ground) -> int | None:
    """Where the search sets out from; None where any item, also that one, may be in the player's mind."""
    return None if puzzle.target_id is None else ground.find_places([puzzle.start_id])[0]


def put_on_slate(choice: Choice, lead: Item, ground: Ground, *, rng: np.random.Generator) -> Choice:
    """The first slate of a game that goes on from an item: that item, at a place drawn by lot, and others.

    As it was chosen where the item is not on the ground.
    """
    if lead.pk not in ground.pks:
        return choice
    alike = set(ground.pks[ground.terrain.alike(np.array(ground.find_places([lead.pk])))].tolist())
    others = [item for item in choice.items if item not in alike]
    items = np.array([lead.pk, *others][: len(choice.items)])
    return replace(choice, items=rng.permutation(items).tolist())


@transaction.atomic
def open_game(*, key: uuid.UUID, puzzle: Puzzle, first: Choice, now: datetime) -> NavigationGame:
    """The only game of a puzzle that the holder of this key has, begun with this slate where it is not yet.

    A puzzle that is new is stored with it.
    """
    if puzzle.pk is None:
        puzzle.save()
    player, _ = Player.objects.get_or_create(key=key, defaults={"created_at": now})
    return open_game_of(player, puzzle=puzzle, first=first, now=now)


@transaction.atomic
def open_game_of(player: Player, *, puzzle: Puzzle, first: Choice, now: datetime) -> NavigationGame:
    """The same for a player who is known already, also one whose key is being replaced meanwhile."""
    game, is_new = NavigationGame.objects.get_or_create(
        player=player, puzzle=puzzle, defaults={"pk": secrets.token_hex(16), "begun_at": now}
    )
    if is_new:
        Slate.objects.create(game=game, turn=1, items=first.items, again=False, bits=first.bits, shown_at=now)
    return game


def begin_game(*, key: uuid.UUID, puzzle: Puzzle, now: datetime) -> NavigationGame:
    """All steps of beginning a game in one, for who has the time. Raises GameRefused."""
    return open_game(key=key, puzzle=puzzle, first=want_first_slate(puzzle).choose(), now=now)
