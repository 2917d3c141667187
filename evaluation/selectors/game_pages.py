"""A navigation game as a page shows it. Before its end nothing here depends on the policy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2
from typing import Any, Final

from evaluation.models import Move, NavigationGame
from evaluation.selectors.games import MOST_SLATES, GameState, StandingStep
from evaluation.selectors.pictures import Picture, describe_picture
from evaluation.stats.navigation import STAND_IN
from search.engine.navigation.inventory import list_shared
from search.models import Item
from search.selectors.attributes import read_attributes

POLICY_TITLES: Final = {
    "information": "Asks what tells most",
    "information-multi": "Asks what tells most, and learns how you see",
    "posterior-sampling": "Draws from what it believes",
    "rule": "Keeps what fits every pick",
    "dqn": "Shows what it has learned to show",
    "dqn-belief": "Shows what it has learned to show, given what it believes",
    "nearest-per-mask": "Shows neighbours of your pick, aspect by aspect",
}
# Of the bits that a slate could tell at best by a pick alone.
MUCH, SOME = 0.75, 0.3
SQUARES: Final = {"much": "🟩", "some": "🟨", "little": "⬜"}
TAKEN_BACK: Final = "↩"

Attributes = Mapping[int, Mapping[str, str]]  # of an item, by aspect


@dataclass(frozen=True)
class Tile:
    item: int
    picture: Picture
    picked: bool = False


@dataclass(frozen=True)
class PathStep:
    """One step that stands. ``bits`` it told, None where that is not known; ``level`` is a key of SQUARES.

    ``found_on``, where what was found is not on this slate: the number of the slate that showed it first, as
    counted while the game went on.
    ``shared``, once the game is over: the aspects of which this pick has the value of the pick before.
    """

    number: int
    tiles: Sequence[Tile]
    unsure: bool
    bits: float | None
    level: str
    shared: Sequence[str] = ()
    found_on: int | None = None


@dataclass(frozen=True)
class BoardPage:
    """A game that goes on."""

    id: str
    catalogue: str
    turn: int
    k: int
    target: Picture | None
    tiles: Sequence[Tile]
    number: int
    most: int
    known: float
    bits_left: float
    path: Sequence[PathStep]


@dataclass(frozen=True)
class PolicyPath:
    title: str
    slates: int
    found: bool
    tiles: Sequence[Tile]
    played: bool


@dataclass(frozen=True)
class EndPage:
    """A game that is over, its policy revealed; ``stood_in``: which one went on where that was lost."""

    id: str
    catalogue: str
    catalogue_slug: str
    k: int
    outcome: str
    target: Picture | None
    slates: int
    path: Sequence[PathStep]
    policy: str
    stood_in: str
    propensity: float
    policies: Sequence[PolicyPath]
    bound: float | None
    different: int
    day_number: int | None
    result: str

    @property
    def share(self) -> str:
        """What a player may tell others of a game for one."""
        title = f"Dope or Nope #{self.day_number}" if self.day_number else "Dope or Nope: find it"
        return f"{title} · {self.result}"


def show_board(state: GameState) -> BoardPage:
    """The page of a game that waits for an answer."""
    slate, puzzle = state.open, state.game.puzzle
    assert slate is not None
    items = _find_items([*state.seen])
    return BoardPage(
        id=state.game.pk,
        catalogue=puzzle.catalogue.title,
        turn=slate.turn,
        k=puzzle.k,
        target=_show_target(puzzle.target),
        tiles=_show_slate(slate.items, items),
        number=state.shown,
        most=MOST_SLATES,
        known=share_known(slate.bits, state.slates[0].bits),
        bits_left=slate.bits,
        path=_show_path(state, items),
    )


def show_end(state: GameState, simulated: Mapping[str, Any] | None) -> EndPage:
    """The page of a game that is over; ``simulated`` as `Simulation.play` gives it."""
    return show_ends([state], simulated)[0]


def show_ends(states: Sequence[GameState], simulated: Mapping[str, Any] | None) -> list[EndPage]:
    """The same for each of these games, all on one puzzle; what they show is read at once."""
    rows = simulated["policies"] if simulated else []
    shown = {item for state in states for item in state.seen}
    shown |= {target for state in states if (target := find_target(state)) is not None}
    items = _find_items([*shown, *(item for row in rows for item in row["path"])])
    picks = {step.pick for state in states for step in state.steps if step.pick is not None}
    known = read_attributes(catalogue=states[0].game.puzzle.catalogue, items=picks)
    return [_show_end(state, simulated, items, known) for state in states]


def _show_end(
    state: GameState, simulated: Mapping[str, Any] | None, items: Mapping[int, Item], known: Attributes
) -> EndPage:
    game, puzzle = state.game, state.game.puzzle
    rows = simulated["policies"] if simulated else []
    path = _tell_shared(_show_path(state, items), state, known)
    target = find_target(state)
    return EndPage(
        id=game.pk,
        catalogue=puzzle.catalogue.title,
        catalogue_slug=puzzle.catalogue.slug,
        k=puzzle.k,
        outcome=game.outcome,
        target=_show_target(items[target] if target else None),
        slates=game.slates,
        path=path,
        policy=POLICY_TITLES.get(puzzle.policy, puzzle.policy),
        stood_in=POLICY_TITLES[STAND_IN] if game.stood_in else "",
        propensity=puzzle.propensity,
        policies=sorted(
            (_show_policy(row, items, puzzle.policy) for row in rows),
            key=lambda row: (not row.found, row.slates),
        ),
        bound=simulated["bound"] if simulated else None,
        different=simulated["different"] if simulated else 0,
        day_number=puzzle.number,
        result=tell_result(state, path, simulated),
    )


def find_target(state: GameState) -> int | None:
    """The item looked for: the puzzle's, or what the player said to have had in mind."""
    if state.game.puzzle.target_id is not None:
        return state.game.puzzle.target_id
    last = state.moves.get(state.slates[-1].turn)
    return last.item_id if last is not None and last.kind == Move.Kind.FOUND else None


def tell_result(state: GameState, path: Sequence[PathStep], simulated: Mapping[str, Any] | None) -> str:
    """How a game went: figures first, then a square per step; nothing of the pictures."""
    game = state.game
    counted = f"{game.slates} slate{'' if game.slates == 1 else 's'}"
    done = counted if game.outcome == NavigationGame.Outcome.FOUND else "not found"
    known = []
    if simulated:
        best = min((row["slates"] for row in simulated["policies"] if row["found"]), default=None)
        known = [f"best program {best}"] if best else []
        known.append(f"limit by picks alone {simulated['bound']:.1f}")
    undone = sum(move.kind == Move.Kind.UNDO for move in state.moves.values())
    squares = "".join(SQUARES[step.level] for step in path) + TAKEN_BACK * undone
    beside = f" ({', '.join(known)})" if known else ""
    return f"{done}{beside}\n{squares}"


def _show_path(state: GameState, items: Mapping[int, Item]) -> list[PathStep]:
    before = state.found_before
    left: list[float | None] = [step.slate.bits for step in state.steps[1:]]
    if state.open is not None:
        left.append(state.open.bits)
    else:
        here = state.game.outcome == NavigationGame.Outcome.FOUND and before is None
        left.append(0.0 if here else None)
    most = log2(state.game.puzzle.k)
    path = [
        _show_step(number, step, after, most, items)
        for number, (step, after) in enumerate(zip(state.steps, left, strict=False), start=1)
    ]
    return path if before is None else [*path[:-1], replace(path[-1], found_on=before)]


def _tell_shared(path: Sequence[PathStep], state: GameState, known: Attributes) -> list[PathStep]:
    """The path with what each pick shares with the one before: the link they have in the inventory graph."""
    told, before = [], None
    for step, pick in zip(path, [step.pick for step in state.steps], strict=True):
        linked = list_shared(known.get(pick, {}), known.get(before, {})) if pick and before else ()
        told.append(replace(step, shared=linked))
        before = pick or before
    return told


def _show_step(
    number: int, step: StandingStep, after: float | None, most: float, items: Mapping[int, Item]
) -> PathStep:
    bits = None if after is None else step.slate.bits - after
    told = (bits or 0.0) / most
    return PathStep(
        number=number,
        tiles=_show_slate(step.slate.items, items, picked=step.pick),
        unsure=step.pick is None,
        bits=bits,
        level="much" if told >= MUCH else "some" if told >= SOME else "little",
    )


def _show_policy(row: Mapping[str, Any], items: Mapping[int, Item], played: str) -> PolicyPath:
    return PolicyPath(
        title=POLICY_TITLES.get(row["policy"], row["policy"]),
        slates=row["slates"],
        found=row["found"],
        tiles=[Tile(item, _picture(items[item], "Pick")) for item in row["path"]],
        played=row["policy"] == played,
    )


def _show_slate(pks: Sequence[int], items: Mapping[int, Item], *, picked: int | None = None) -> list[Tile]:
    return [
        Tile(pk, _picture(items[pk], f"Choice {place}"), pk == picked)
        for place, pk in enumerate(pks, start=1)
    ]


def _show_target(item: Item | None) -> Picture | None:
    return None if item is None else _picture(item, "Looked for")


def _picture(item: Item, role: str) -> Picture:
    category = item.category.value if item.category else None
    return describe_picture(role, item.image_sha256, item.width, item.height, category)


def _find_items(pks: Iterable[int]) -> dict[int, Item]:
    return {item.pk: item for item in Item.objects.filter(pk__in=set(pks)).select_related("category")}


def share_known(left: float, at_first: float) -> float:
    """The share of what there was to know, in bits, that is known by now."""
    return min(1.0, max(0.0, 1 - left / at_first)) if at_first > 0 else 1.0
