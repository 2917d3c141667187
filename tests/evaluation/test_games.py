"""Navigation games: their rows are all there is of them, and every wrong move is told from the right one."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import numpy as np
import pytest
from django.db import DatabaseError, connection, transaction

from evaluation.models import Move, NavigationGame, Player, Slate
from evaluation.selectors.games import MOST_TURNS
from evaluation.services.accounts import export_player
from evaluation.services.game_grounds import Kept
from evaluation.services.games import GameRefused
from evaluation.services.moves import MadeMove, check_move, make_move, store_move
from evaluation.services.players import forget_holder
from evaluation.stats.navigation import draw_policy, list_shares
from search import artifacts
from search.models import EmbeddingSpace, Index, Item
from tests.evaluation.finding import Finder, add_spaces, forget_opened, make_ground
from tests.factories import NOW

pytestmark = pytest.mark.django_db
Kind, Outcome = Move.Kind, NavigationGame.Outcome


def find_seed(policy):
    """A seed with which this policy is drawn where there are masks."""
    shares = list_shares(has_masks=True)
    return next(
        seed for seed in range(1000) if draw_policy(shares, np.random.default_rng(seed)).policy == policy
    )


@pytest.mark.parametrize(
    "policy", ["information", "information-multi", "posterior-sampling", "rule", "nearest-per-mask"]
)
def test_a_player_who_sees_as_the_space_does_finds_the_target(policy):
    finder = Finder(make_ground(), seed=find_seed(policy))
    assert finder.game.puzzle.policy == policy
    state = finder.play()
    assert state.game.outcome == Outcome.FOUND and state.game.ended_at == NOW
    assert state.steps[-1].pick == finder.target
    assert state.game.slates == len(state.slates) <= 10
    shown = [item for slate in state.slates for item in slate.items]
    assert len(set(shown)) == len(shown) == 4 * len(state.slates) - (-len(shown) % 4)
    assert finder.game.puzzle.start_id not in shown
    assert state.slates[0].bits == pytest.approx(np.log2(39), abs=0.05)


def test_a_game_goes_on_as_if_nothing_had_happened_when_the_process_dies_between_two_picks():
    catalogue = make_ground()
    calm, troubled = Finder(catalogue, seed=3), Finder(catalogue, seed=3)
    while calm.state.open is not None:
        forget_opened()
        assert troubled.state.slates[-1].items == calm.state.slates[-1].items
        item = calm.nearest()
        calm.move(Kind.PICK, item)
        troubled.move(Kind.PICK, item)
    assert troubled.state.game.outcome == calm.state.game.outcome


def test_a_game_keeps_what_it_was_begun_on_when_the_catalogue_is_built_anew():
    catalogue = make_ground()
    before, after = Finder(catalogue, seed=5), Finder(catalogue, seed=5)
    before.pick()
    add_spaces(catalogue, version="2")
    Index.objects.filter(space__encoder_version="1").update(state="retired")
    forget_opened()
    after.pick()
    assert after.state.slates[-1].items == before.state.slates[-1].items
    assert Finder(catalogue, seed=5).game.puzzle.spaces != after.game.puzzle.spaces


@pytest.mark.parametrize("harm", ["gone", "damaged", "other bytes", "no row"])
def test_a_game_whose_ground_is_lost_ends_and_says_so(harm):
    finder = Finder(make_ground())
    space = EmbeddingSpace.objects.get(pk=finder.game.puzzle.spaces[0][0])
    path = artifacts.vectors_path(space)
    if harm == "gone":
        path.unlink()
    elif harm == "damaged":
        path.write_bytes(path.read_bytes()[:-3] + b"xyz")
    elif harm == "other bytes":
        EmbeddingSpace.objects.filter(pk=space.pk).update(sha256="0" * 64)
    else:
        Index.objects.filter(space=space).delete()
        space.delete()
    artifacts._open_vectors.cache_clear()
    forget_opened()
    state = finder.pick()
    assert (state.game.outcome, state.open) == (Outcome.BROKEN, None)
    assert len(state.moves) == 1, "what the player said is kept"


def test_the_same_move_again_gets_the_same_answer_and_counts_once():
    finder = Finder(make_ground())
    item = next(one for one in finder.state.slates[0].items if one != finder.target)
    first = finder.move(Kind.PICK, item, turn=1)
    again = finder.move(Kind.PICK, item, turn=1)
    assert [slate.pk for slate in again.slates] == [slate.pk for slate in first.slates]
    assert (Move.objects.count(), Slate.objects.count()) == (1, 2)


def refuse(finder, kind, item=None, *, turn=None):
    before = (Move.objects.count(), Slate.objects.count())
    with pytest.raises(GameRefused) as refused:
        finder.move(kind, item, turn=turn)
    assert (Move.objects.count(), Slate.objects.count()) == before
    return refused.value


def test_moves_that_cannot_be_are_refused_each_for_its_reason():
    finder = Finder(make_ground())
    shown = finder.state.slates[0].items
    elsewhere = Item.objects.exclude(pk__in=shown).first().pk
    assert refuse(finder, Kind.UNDO).status == HTTPStatus.CONFLICT
    assert refuse(finder, Kind.PICK, elsewhere).status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert refuse(finder, Kind.FOUND, elsewhere).status == HTTPStatus.UNPROCESSABLE_ENTITY
    wrong = next(one for one in shown if one != finder.target)
    assert "not the one" in str(refuse(finder, Kind.FOUND, wrong))
    assert "another slate" in str(refuse(finder, Kind.PICK, shown[0], turn=2))
    assert "another slate" in str(refuse(finder, Kind.UNSURE, turn=0))
    finder.pick()
    other = next(one for one in shown if one not in (finder.state.steps[0].pick, finder.target))
    answered = refuse(finder, Kind.PICK, other, turn=1)
    assert answered.status == HTTPStatus.CONFLICT and "already" in str(answered)
    finder.move(Kind.GIVE_UP)
    over = refuse(finder, Kind.UNSURE, turn=3)
    assert over.status == HTTPStatus.CONFLICT and "over" in str(over)


@pytest.mark.parametrize("game_id", ["0" * 32, "theirs"])
def test_games_of_others_do_not_exist(game_id):
    finder = Finder(make_ground())
    asked = finder.game.pk if game_id == "theirs" else game_id
    with pytest.raises(GameRefused) as refused:
        make_move(key=uuid.uuid4(), game_id=asked, made=MadeMove(1, Kind.UNSURE), now=NOW)
    assert refused.value.status == HTTPStatus.NOT_FOUND
    assert not Move.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same", [True, False], ids=["the same", "different"])
def test_of_two_moves_at_once_one_counts_and_the_other_hears_of_it(same):
    finder = Finder(make_ground())
    one, two, *_ = [item for item in finder.state.slates[0].items if item != finder.target]

    def move(item):
        try:
            return finder.move(Kind.PICK, item, turn=1)
        except GameRefused as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(move, [one, one if same else two]))
    assert (Move.objects.count(), Slate.objects.count()) == (1, 2)
    refused = [answer for answer in answers if isinstance(answer, GameRefused)]
    assert [answer.status for answer in refused] == ([] if same else [HTTPStatus.CONFLICT])
    [counted] = [answer for answer in answers if answer not in refused][:1]
    assert counted.slates[-1].items == finder.state.slates[-1].items


def test_a_move_whose_slate_was_answered_while_its_own_was_being_chosen_is_not_stored():
    finder = Finder(make_ground())
    one, two, *_ = [item for item in finder.state.slates[0].items if item != finder.target]
    slow = check_move(key=finder.key, game_id=finder.game.pk, made=MadeMove(1, Kind.PICK, one))
    again = check_move(key=finder.key, game_id=finder.game.pk, made=MadeMove(1, Kind.PICK, two))
    quick = finder.move(Kind.PICK, two)
    with pytest.raises(GameRefused, match="already"):
        store_move(slow, slow.wanted.choose(), now=NOW)
    assert store_move(again, again.wanted.choose(), now=NOW).slates == quick.slates
    assert (Move.objects.count(), Slate.objects.count()) == (1, 2)


def test_undo_shows_the_slate_again_and_what_was_seen_still_counts():
    finder = Finder(make_ground())
    first = finder.state.slates[0].items
    finder.move(Kind.UNSURE)
    state = finder.move(Kind.UNDO)
    assert state.slates[-1].items == first and state.slates[-1].again
    assert (state.steps, state.shown) == ([], 2)
    again = finder.pick()
    assert [step.slate.turn for step in again.steps] == [3]
    assert again.shown == 3
    finder.play()
    final = finder.state
    assert final.game.slates == final.shown == len(final.slates) - 1


def test_the_same_pick_after_an_undo_leads_to_the_same_slate_which_counts_once():
    finder = Finder(make_ground())
    finder.move(Kind.UNSURE)
    second = finder.pick()
    finder.move(Kind.UNDO)
    state = finder.pick()
    assert (state.slates[-1].items, state.slates[-1].again) == (second.slates[-1].items, True)
    assert (state.shown, len(state.steps)) == (3, 2)
    finder.move(Kind.UNDO)
    other = finder.pick(1)
    assert other.shown == 4 and not other.slates[-1].again


def test_the_last_slate_can_be_left_and_come_back_to():
    finder = Finder(make_ground(items=230, masks=False), has_target=False, seed=1)
    for _ in range(49):
        finder.move(Kind.UNSURE)
    last = finder.state.slates[-1].items
    finder.move(Kind.UNDO)
    state = finder.move(Kind.UNSURE)
    assert state.open is not None and state.open.items == last and state.shown == 50
    finder.move(Kind.UNDO)
    assert finder.pick().game.outcome == Outcome.NOT_FOUND, "a slate too many would be needed"


def test_nobody_takes_back_for_ever():
    finder = Finder(make_ground(), has_target=False)
    for _ in range(MOST_TURNS // 2):
        finder.move(Kind.UNSURE)
        if len(finder.state.slates) < MOST_TURNS:
            finder.move(Kind.UNDO)
    refuse(finder, Kind.UNDO)
    assert finder.pick().shown == 3


def test_slates_and_moves_are_never_changed():
    finder = Finder(make_ground())
    finder.pick()
    for change in (
        lambda: Slate.objects.update(bits=0),
        lambda: Move.objects.update(kind=Kind.UNSURE),
        lambda: Move.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def test_my_data_holds_the_games_and_tells_nothing_before_the_end():
    finder = Finder(make_ground())
    finder.pick()
    player = Player.objects.get(key=finder.key)
    [open_game] = export_player(player=player)["games"]
    assert (open_game["policy"], open_game["target"]) == (None, None)
    assert [slate["turn"] for slate in open_game["slates"]] == [1, 2]
    assert open_game["slates"][0]["move"]["item"].startswith("demo-")
    finder.play()
    [ended] = export_player(player=player)["games"]
    assert ended["policy"] == finder.game.puzzle.policy
    assert ended["target"] == finder.game.puzzle.target.key


def test_a_forgotten_player_has_no_game_any_more_and_the_game_stays():
    finder = Finder(make_ground())
    finder.play()
    assert forget_holder(key=finder.key, now=NOW)
    with pytest.raises(GameRefused, match="no such game of yours"):
        make_move(key=finder.key, game_id=finder.game.pk, made=MadeMove(1, Kind.UNSURE), now=NOW)
    assert NavigationGame.objects.get().outcome == Outcome.FOUND


def test_as_much_is_kept_as_there_is_room_for():
    kept = Kept(10, len)
    made = []

    def make(text):
        return lambda: made.append(text) or text

    assert [kept.get(text, make(text)) for text in ("aaaa", "bbbb", "aaaa", "cc")] == [
        "aaaa",
        "bbbb",
        "aaaa",
        "cc",
    ]
    assert made == ["aaaa", "bbbb", "cc"]
    kept.get("dddd", make("dddd"))
    assert len(kept) == 3
    kept.get("bbbb", make("bbbb"))
    assert made == ["aaaa", "bbbb", "cc", "dddd", "bbbb"], "the one used longest ago went first"
    assert kept.get("larger than all", make("larger than all")) and len(kept) == 1


def test_begun_at_the_same_moment_with_the_same_draws_two_players_have_games_of_their_own():
    catalogue = make_ground()
    games = [Finder(catalogue, seed=1).game for _ in range(2)]
    assert games[0].pk != games[1].pk and games[0].puzzle_id != games[1].puzzle_id
