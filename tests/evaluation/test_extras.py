"""Lessons and checks: dealt like all else, counted for nobody, and what is made of them."""

import json
import re
import uuid
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2_contingency
from scipy.stats.contingency import crosstab

from evaluation.models import Catch, Contender, Credit, Deal, Pair, Player, Vote
from evaluation.selectors import extras
from evaluation.selectors.board import Filters, read_board
from evaluation.selectors.catalogues import Totals, count_totals
from evaluation.selectors.checked import Checked, read_checked
from evaluation.selectors.deal_counts import count_deals
from evaluation.selectors.dealt_answers import read_dealt_answers
from evaluation.selectors.vote_columns import read_votes
from evaluation.selectors.vote_exports import CHECK, list_votes
from evaluation.services import extras as making
from evaluation.services.dumps import write_dump
from evaluation.services.extras import make_extras, make_missing_extras
from evaluation.services.players import forget_holder
from evaluation.services.rebuilding import rebuild
from evaluation.services.recount import find_differences
from evaluation.services.verdicts import Grounds, exclude_player, restore_player
from evaluation.services.vetting import vet_players
from evaluation.stats.allocation import POLICY
from evaluation.stats.places import CHECKS, IDENTICAL, LESSON, RANDOM, REPEAT
from evaluation.stats.vetting import Check, State
from search.engine.metrics import Neighbours
from search.models import Catalogue, Item, Split
from tests.evaluation.checking import make_checked_catalogue, play_checked
from tests.evaluation.decks import Deck, deal_to
from tests.factories import NOW, make_catalogue, make_contender, make_contenders, make_pairs

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    return make_checked_catalogue(monkeypatch)


def test_what_no_contender_is_credited_with_is_made_of_the_right_items(catalogue: Catalogue) -> None:
    lessons = Pair.objects.filter(split=Split.TRAINABLE)
    for pair in lessons.select_related("question", "candidate"):
        assert pair.question.split == pair.candidate.split == Split.TRAINABLE
    assert set(Counter(lessons.values_list("question", flat=True)).values()) == {2}
    for catch in Catch.objects.select_related("pair__question", "pair__candidate"):
        question, candidate = catch.pair.question, catch.pair.candidate
        assert question.split == Split.EVALUATION
        if catch.kind == Catch.Kind.IDENTICAL:
            assert question == candidate
        else:
            assert question.category != candidate.category
    assert not Credit.objects.filter(pair__in=lessons).exists()
    second = make_contender(catalogue, encoder="second")
    found = {one: [(one + step) % 160 for step in range(5, 15)] for one in range(160)}
    for _ in range(2):
        make_extras(second, found, rng=np.random.default_rng(1))
    assert set(Counter(lessons.values_list("question", flat=True)).values()) == {4}


def test_they_are_made_later_where_contenders_entered_before_there_were_any() -> None:
    make_contenders(make_catalogue(items=30, with_images=False), count=1)
    assert make_missing_extras(NOW) == 2, "the control is one"
    assert set(Catch.objects.values_list("kind", flat=True)) == set(Catch.Kind)
    assert make_missing_extras(NOW) == 0


def test_lessons_are_made_later_of_whoever_gave_none_though_others_did(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    nearest = (np.arange(160)[:, None] + np.arange(6, 16)) % 160
    nearest[:, 1:] = -1  # it found one each
    neighbours = Neighbours(nearest.astype(np.int32), np.zeros((160, 10), np.float32))
    monkeypatch.setattr(making, "read_neighbours", lambda _: (np.arange(160), neighbours))
    late = make_contender(catalogue, encoder="late")
    make_pairs(late, {})
    taught = Pair.objects.filter(catalogue=catalogue, split=Split.TRAINABLE)
    before = list(taught.values_list("pk", flat=True))
    Contender.objects.exclude(pk=late.pk).update(gave_lessons=True)
    assert make_missing_extras(NOW) == 1 and make_missing_extras(NOW) == 0
    fresh = taught.exclude(pk__in=before).select_related("question", "candidate")
    assert len(fresh) == 80, "one for each trainable question"
    assert {(pair.candidate.position - pair.question.position) % 160 for pair in fresh} == {6}


def test_a_catch_pair_that_a_contender_finds_is_as_any_other_and_held_against_nobody(
    catalogue: Catalogue,
) -> None:
    key = uuid.uuid4()
    play_checked(key, errs=True)
    player = Player.objects.get(key=key).pk
    before, totals = read_checked(catalogue.pk)[player], count_totals()
    catch = Catch.objects.filter(kind=Catch.Kind.RANDOM, pair__deals__vote__isnull=False)[0]
    make_pairs(make_contender(catalogue, encoder="late"), {catch.pair.question: catch.pair.candidate})
    assert catch.pk not in extras.load_extras(catalogue.pk).random.pairs
    assert find_differences() == []
    after = read_checked(catalogue.pk)[player]
    assert (after.wrong, after.shown) == (before.wrong - 1, before.shown - 1)
    assert (after.changed, after.repeated) == (before.changed, before.repeated) and after.repeated
    Pair.objects.filter(pk=catch.pk).update(dopes=2, skips=1)  # as votes that others cast on it since
    assert count_totals() == Totals(totals.votes + 3, totals.pairs + 1, totals.contenders + 1)


def _outline(deal: dict) -> dict:
    """What a deal looks like, the forms of addresses and of words included."""
    return {
        **deal,
        **{"id": re.sub("[0-9a-f]", "x", deal["id"]), "place": 0, "side": ""},
        **{
            name: {
                **deal[name],
                "image": re.sub("[0-9a-f]{64}", "x", deal[name]["image"]),
                "alt": re.sub(r"(?<=: )\w+$", "x", deal[name]["alt"]),
            }
            for name in ("question", "candidate")
        },
    }


def test_nothing_tells_a_check_or_a_lesson_from_any_other_deal(catalogue: Catalogue) -> None:
    deck, answers = Deck(), []
    everything = {POLICY, LESSON, IDENTICAL, RANDOM, REPEAT}
    while len(answers) < 50 or {policy for policy, _, _ in answers} != everything:
        for deal in (dealt := deck.deal(10))["deals"]:
            answers.append((Deal.objects.get(pk=deal["id"]).policy, deal, deck.vote(deal["id"])))
        if dealt["judged"] + len(dealt["deals"]) == dealt["size"]:
            deck.round = None
    assert len({json.dumps(_outline(deal)) for _, deal, _ in answers}) == 1
    for turn, (_, deal, response) in enumerate(answers):
        told = response.json()
        assert told.pop("deal") == deal["id"] and told.pop("judged") == turn % 20 + 1
        assert told == {"status": 200, "answer": "dope", "message": "", "streak": turn + 1}
        assert {name for name, _ in response.items()} == {name for name, _ in answers[-1][2].items()}


def test_neither_place_nor_side_follows_what_a_deal_is_for(catalogue: Catalogue) -> None:
    for seed in range(30):  # visitors: a whole round each
        key = uuid.uuid4()
        first = deal_to(key, now=NOW, count=10, seed=seed)
        held = frozenset(deal.pk for deal in first.deals)
        deal_to(key, now=NOW, count=10, seed=1000 + seed, round_id=first.round.pk, held=held)
    for seed in range(2):  # and players, to whom a pair may come again from their second round on
        play_checked(uuid.uuid4(), hands=8, seed=seed)
    later = Deal.objects.filter(player__isnull=False, round__created_at__gt=NOW)
    for dealt, kinds in ((Deal.objects.filter(player=None), 4), (later, 5)):
        rows = list(dealt.values_list("policy", "place", "side"))
        for told in ([place > 10 for _, place, _ in rows], [side for _, _, side in rows]):
            table = crosstab([policy for policy, _, _ in rows], told).count
            assert table.shape == (kinds, 2)
            assert chi2_contingency(table).pvalue > 0.001


def test_the_board_is_what_it_is_without_them_whatever_happens(catalogue: Catalogue, tmp_path: Path) -> None:
    keys = [uuid.uuid4() for _ in range(3)]
    for seed, key in enumerate(keys):
        play_checked(key, seed=seed)
    policies = set(Vote.objects.values_list("deal__policy", flat=True))
    assert policies == {POLICY, LESSON, IDENTICAL, RANDOM, REPEAT}
    said = Vote.objects.filter(deal__policy=POLICY)
    board = read_board(Filters())
    assert board.votes == said.count()
    for row in board.rows:
        assert row.votes == said.filter(deal__pair__credits__contender=row.contender).count()
    assert len(read_votes(catalogue.pk).votes) == said.count()
    assert count_deals(catalogue.pk, now=NOW).counts["issued"][-1] == said.count()
    assert len(read_dealt_answers(catalogue.pk).answers) == said.count()
    assert find_differences() == []
    assert {vote.policy for vote in list_votes() if vote.left_out == CHECK} == set(CHECKS)
    assert {vote.policy for vote in list_votes() if vote.counted} == {POLICY, LESSON}
    write_dump(tmp_path / "dump", now=NOW, rng=np.random.default_rng(1))
    assert rebuild(tmp_path / "dump") == (tmp_path / "dump" / "board.jsonl").read_bytes()
    player = Player.objects.get(key=keys[0]).pk
    exclude_player(player, Grounds("looked at"), now=NOW)
    assert find_differences() == []
    restore_player(player, Grounds("looked at again"), now=NOW)
    assert find_differences() == [] and read_board(Filters()).rows == board.rows
    # Somebody who comes later and found all of it gets what counts of it, and no more.
    late = make_contender(catalogue, encoder="late")
    first = {pair.question: pair.candidate for pair in Pair.objects.filter(credits__isnull=False)}
    caught = {one.pair.question: one.pair.candidate for one in Catch.objects.filter(kind="random")}
    make_pairs(late, first | caught)
    forget_holder(key=keys[1], now=NOW)
    assert find_differences() == []


def test_players_are_judged_by_the_pairs_with_a_known_answer(catalogue: Catalogue) -> None:
    careful, careless, newcomer = (uuid.uuid4() for _ in range(3))
    play_checked(careful, seed=1)
    play_checked(careless, errs=True, seed=2)
    play_checked(newcomer, hands=1, count=2, seed=3)
    checked = read_checked(catalogue.pk)
    known = {key: Player.objects.get(key=key).pk for key in (careful, careless, newcomer)}
    right, wrong = checked[known[careful]], checked[known[careless]]
    assert right.wrong == right.changed == 0 and right.shown > 4 and right.repeated > 4
    assert (wrong.wrong, wrong.changed) == (wrong.shown, wrong.repeated)
    columns = read_votes(catalogue.pk)
    states = {
        row["player"]: {one["check"]: one["state"] for one in row["findings"]}
        for row in vet_players(columns, checked)
    }
    for check in (Check.CATCHES, Check.REPEATS):
        assert states[known[careful]][check] == State.PASS
        assert states[known[careless]][check] == State.FAIL
        assert states[known[newcomer]][check] == State.UNKNOWN
    for nothing in ({known[careless]: Checked()}, None):  # nothing was shown; nobody looked
        for row in vet_players(columns, nothing):
            assert all(
                one["state"] == State.UNKNOWN
                for one in row["findings"]
                if one["check"] in (Check.CATCHES, Check.REPEATS)
            )


def test_a_summary_names_nobody_behind_what_counts_for_nobody(catalogue: Catalogue) -> None:
    deck = Deck()
    finished = deck.play_round()
    while not Deal.objects.filter(round=finished, policy=REPEAT).exists():
        finished = deck.play_round()
    page = deck.client.get(f"/play/rounds/{finished}/")
    dealt = Deal.objects.filter(round=finished).order_by("place")
    for deal, pair in zip(dealt, page.context["pairs"], strict=True):
        titles = set(Contender.objects.filter(credits__pair=deal.pair_id).values_list("title", flat=True))
        assert set(pair.contenders) == (titles if deal.policy == POLICY else set())
    assert "counts for no contender" in page.content.decode()


def test_trainable_items_alone_are_taught(catalogue: Catalogue) -> None:
    play_checked(uuid.uuid4())
    taught = Vote.objects.filter(deal__pair__split=Split.TRAINABLE)
    assert set(taught.values_list("deal__policy", flat=True)) == {LESSON}
    asked = Item.objects.filter(pk__in=taught.values("deal__pair__question"))
    assert {item.split for item in asked} == {Split.TRAINABLE}
