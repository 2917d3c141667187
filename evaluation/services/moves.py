"""Moves of a navigation game: checked, answered with the next slate or the end, and stored, each once.

What follows from a move is worked out outside any transaction, and can be outside this thread: of two
requests that answer one slate the database lets one in, and the other hears what that one got.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.db import IntegrityError, transaction

from evaluation.models import Move, NavigationGame, Slate
from evaluation.selectors.games import MOST_SLATES, MOST_TURNS, GameState, find_game, read_state
from evaluation.services.game_grounds import Choice, Ground, GroundLost, Wanted, find_guide
from evaluation.services.game_holds import hold_game
from evaluation.services.games import GameRefused, find_start
from evaluation.services.race_news import tell_race_of
from search.engine.navigation.history import History, Step
from search.models import Item

Kind, Outcome = Move.Kind, NavigationGame.Outcome


@dataclass(frozen=True)
class MadeMove:
    """A move as it came; ``turn`` is that of the slate which it answers."""

    turn: int
    kind: Move.Kind
    item: int | None = None
    dwell_ms: int | None = None
    modality: Move.Modality = Move.Modality.FORM


@dataclass(frozen=True)
class CheckedMove:
    """A move that can be made, and what follows: a slate ``wanted``, one shown ``again``, or the end."""

    key: uuid.UUID
    state: GameState
    made: MadeMove
    wanted: Wanted | None = None
    again: Slate | None = None
    outcome: str = ""


def check_move(*, key: uuid.UUID, game_id: str, made: MadeMove) -> GameState | CheckedMove:
    """The move, if it can be made; where the game stands, if it was made before. Raises GameRefused."""
    state = _read(key, game_id)
    if made.turn in state.moves:
        return _repeat(state, made)
    _check(state, made)
    if made.kind == Kind.GIVE_UP:
        return CheckedMove(key, state, made, outcome=Outcome.GIVEN_UP)
    if made.kind == Kind.FOUND or (made.kind == Kind.PICK and _is_target(state, made)):
        return CheckedMove(key, state, made, outcome=Outcome.FOUND)
    if made.kind == Kind.UNDO:
        return CheckedMove(key, state, made, again=state.steps[-1].slate)
    if (known := state.find_known(made.item)) is not None:  # taken back, and picked again
        return CheckedMove(key, state, made, again=known)
    if state.shown >= MOST_SLATES:
        return CheckedMove(key, state, made, outcome=Outcome.NOT_FOUND)
    puzzle = state.game.puzzle
    try:
        ground, guide = find_guide(puzzle)
    except GroundLost:
        return CheckedMove(key, state, made, outcome=Outcome.BROKEN)
    return CheckedMove(key, state, made, wanted=Wanted(ground, guide, _retell(state, made, ground), puzzle.k))


def store_move(checked: CheckedMove, choice: Choice | None, *, now: datetime) -> GameState:
    """Store a move with what follows; where the game stands then. ``choice``: of the slate it wants.

    Where another request answered the slate meanwhile, the same move gets the same answer, and a different
    one is refused; so is any where the game ended meanwhile. Raises GameRefused.
    """
    game_id = checked.state.game.pk
    try:
        with transaction.atomic():
            _write(checked, choice, now=now)
    except (IntegrityError, GameRefused):
        state = _read(checked.key, game_id)
        if checked.made.turn not in state.moves:
            raise
        return _repeat(state, checked.made)
    return _read(checked.key, game_id)


def make_move(*, key: uuid.UUID, game_id: str, made: MadeMove, now: datetime) -> GameState:
    """All steps of a move in one, for who has the time. Raises GameRefused."""
    checked = check_move(key=key, game_id=game_id, made=made)
    if isinstance(checked, GameState):
        return checked
    return store_move(checked, checked.wanted.choose() if checked.wanted else None, now=now)


def _read(key: uuid.UUID, game_id: str) -> GameState:
    game = find_game(key=key, game_id=game_id)
    if game is None:
        raise GameRefused(HTTPStatus.NOT_FOUND, "There is no such game of yours.")
    return read_state(game)


def _repeat(state: GameState, made: MadeMove) -> GameState:
    """The answer to a move on a slate that is answered."""
    known = state.moves[made.turn]
    if (known.kind, known.item_id) != (made.kind, made.item):
        raise GameRefused(HTTPStatus.CONFLICT, "You have answered this slate already. Here is where you are.")
    return state


def _check(state: GameState, made: MadeMove) -> None:
    if state.game.ended_at is not None or state.open is None:
        raise _over()
    if made.turn != state.open.turn:
        raise GameRefused(HTTPStatus.CONFLICT, "That was another slate. Answer the one that is shown now.")
    if made.kind == Kind.PICK and made.item not in state.open.items:
        raise GameRefused(HTTPStatus.UNPROCESSABLE_ENTITY, "That is not on the slate. Pick what is shown.")
    if made.kind == Kind.FOUND and made.item not in state.seen:
        raise GameRefused(HTTPStatus.UNPROCESSABLE_ENTITY, "That has not been shown in this game.")
    if made.kind == Kind.FOUND and state.game.puzzle.target_id and not _is_target(state, made):
        raise GameRefused(HTTPStatus.UNPROCESSABLE_ENTITY, "That is not the one. Look closely.")
    if made.kind == Kind.UNDO and not state.steps:
        raise GameRefused(HTTPStatus.CONFLICT, "There is nothing to take back.")
    if made.kind == Kind.UNDO and len(state.slates) >= MOST_TURNS:
        raise GameRefused(HTTPStatus.CONFLICT, "You took back too often in this game. Pick, or give up.")


def _over() -> GameRefused:
    return GameRefused(HTTPStatus.CONFLICT, "This game is over.")


def _is_target(state: GameState, made: MadeMove) -> bool:
    """Whether what was picked looks the same as the target."""
    both = Item.objects.filter(pk__in=[made.item, state.game.puzzle.target_id])
    return state.game.puzzle.target_id is not None and both.values("image_sha256").distinct().count() == 1


def _retell(state: GameState, made: MadeMove, ground: Ground) -> History:
    """The game as a policy knows it, with the move."""
    assert state.open is not None
    answers = [(step.slate, step.pick) for step in state.steps]
    steps = tuple(
        Step(ground.find_places(slate.items), None if pick is None else ground.find_places([pick])[0])
        for slate, pick in [*answers, (state.open, made.item)]
    )
    return History(start=find_start(state.game.puzzle, ground), steps=steps)


def _write(checked: CheckedMove, choice: Choice | None, *, now: datetime) -> None:
    made, state, again = checked.made, checked.state, checked.again
    assert state.open is not None
    if not hold_game(state.game):
        raise _over()
    Move.objects.create(
        slate=state.open,
        kind=made.kind,
        item_id=made.item,
        dwell_ms=made.dwell_ms,
        modality=made.modality,
        made_at=now,
    )
    following = again or choice
    if following is not None and following.items:
        Slate.objects.create(
            game=state.game,
            turn=made.turn + 1,
            items=following.items,
            again=again is not None,
            bits=following.bits,
            shown_at=now,
        )
        if checked.wanted is not None and checked.wanted.guide.recipe.policy != state.game.puzzle.policy:
            NavigationGame.objects.filter(pk=state.game.pk).update(stood_in=True)
    else:
        outcome = checked.outcome or Outcome.NOT_FOUND  # everything was shown
        NavigationGame.objects.filter(pk=state.game.pk).update(
            ended_at=now, outcome=outcome, slates=state.shown
        )
    tell_race_of(state.game)
