"""Private encoders are compared blindly, and nothing that is said of them reaches anybody else."""

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.utils import timezone

from evaluation.models import Deal, Pair, Player, TastePair, Vote
from evaluation.selectors.board import Filters, read_board
from evaluation.selectors.catalogues import count_totals
from evaluation.selectors.deal_counts import count_deals
from evaluation.selectors.dealt_answers import read_dealt_answers
from evaluation.selectors.taste_answers import list_players
from evaluation.selectors.tastes import read_comparison
from evaluation.selectors.vote_columns import read_votes
from evaluation.selectors.vote_exports import list_votes
from evaluation.services.dumps import write_dump
from evaluation.services.players import forget_holder
from evaluation.services.rebuilding import rebuild
from evaluation.services.recount import find_differences, repair_counts
from evaluation.services.tastes import drop_taste
from evaluation.stats import places
from evaluation.stats.places import TASTE
from evaluation.views import play
from evaluation.views.player_cookie import sign_cookie
from search.models import Catalogue
from tests.evaluation.decks import Deck, cast, deal_to
from tests.evaluation.tasting import learn, make_ground, make_taster, tell
from tests.factories import NOW

pytestmark = pytest.mark.django_db
SOON = NOW + timedelta(minutes=5)


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    """Half of the places of who has a private encoder are for it; several people play beside them."""
    monkeypatch.setattr(places, "TASTE_SHARE", 0.5)
    monkeypatch.setattr(play, "rng", np.random.default_rng(0))
    catalogue, _ = make_ground()
    return catalogue


@pytest.fixture
def taster(catalogue: Catalogue) -> Player:
    _, vectors = make_ground(slug="twin")
    player, _ = make_taster(catalogue, vectors)
    repair_counts()  # what was told by hand is in no round's count
    return player


def _answer(player: Player, *, hands: int = 6, likes_own: bool = True, seed: int = 0) -> list[Deal]:
    """Plays on, ten pairs a hand; dopes for what the private encoder found, or for what it did not."""
    own = set(TastePair.objects.filter(is_private=True).values_list("pair", flat=True))
    for turn in range(hands):
        hand = deal_to(player.key, now=SOON, count=10, seed=100 * seed + turn)
        answers = {deal.pk: "dope" if (deal.pair in own) == likes_own else "nope" for deal in hand.deals}
        cast(player.key, answers, now=SOON)
    return list(Deal.objects.filter(player=player, policy=TASTE).select_related("pair"))


def test_of_each_question_one_of_the_two_pairs_is_dealt_with_its_probability(taster: Player) -> None:
    left = TastePair.objects.count() // 2
    dealt = sorted(_answer(taster), key=lambda deal: (deal.issued_at, deal.place))
    assert len(dealt) > 5
    assert len({deal.pair.question_id for deal in dealt}) == len(dealt)
    assert {deal.propensity for deal in dealt} <= {1 / (2 * some) for some in range(1, left + 1)}
    found = TastePair.objects.filter(pair__in=[deal.pair_id for deal in dealt])
    assert {one.is_private for one in found} == {True, False}
    stranger = Player.objects.create(created_at=NOW)
    _answer(stranger)
    assert not Deal.objects.filter(player=stranger, policy=TASTE).exists()
    assert not TastePair.objects.filter(
        is_private=True, pair__deals__player=stranger, pair__credits=None
    ).exists()


def test_nothing_tells_before_the_vote_what_a_deal_is_for_or_who_found_it(taster: Player) -> None:
    deck = Deck()
    deck.client.cookies["player"] = sign(taster)
    deck = Deck(client=deck.client)
    outlines, policies = set(), set()
    for _ in range(6):
        for deal in deck.deal(10)["deals"]:
            policies.add(Deal.objects.get(pk=deal["id"]).policy)
            reply = deck.vote(deal["id"])
            outlines.add(
                json.dumps([_outline(deal), sorted(name for name, _ in reply.items()), sorted(reply.json())])
            )
        deck.round = None
    assert TASTE in policies and len(policies) > 1
    assert len(outlines) == 1
    for text in ("taste", "private", "beholder"):
        assert text not in "".join(outlines)


def sign(player: Player) -> str:
    return sign_cookie(player.key)


def _outline(deal: dict) -> dict:
    shown = {
        name: {
            **deal[name],
            "image": re.sub("[0-9a-f]{64}", "x", deal[name]["image"]),
            "alt": re.sub(r"(?<=: )\w+$", "x", deal[name]["alt"]),
        }
        for name in ("question", "candidate")
    }
    return {**deal, "id": re.sub("[0-9a-f]", "x", deal["id"]), "place": 0, "side": "", **shown}


def test_what_is_said_of_it_is_in_no_count_table_or_file(
    taster: Player, catalogue: Catalogue, tmp_path: Path
) -> None:
    totals = count_totals()
    alone = TastePair.objects.filter(pair__credits=None, pair__catch=None)
    private = set(alone.values_list("pair", flat=True))
    dealt = _answer(taster)
    assert find_differences() == []
    counted = Vote.objects.filter(deal__policy="uniform-discordant").count()
    assert read_board(Filters()).votes == counted == len(read_votes(catalogue.pk).votes)
    assert len(read_dealt_answers(catalogue.pk).answers) == counted
    assert TASTE not in {row.policy for row in list_votes()}
    assert TASTE not in {policy for policy, *_ in count_deals(catalogue.pk, now=SOON).policies}
    assert not any((pair.dopes, pair.nopes) != (0, 0) for pair in Pair.objects.filter(pk__in=private))
    assert count_totals().pairs == totals.pairs
    write_dump(tmp_path / "with", now=NOW, rng=np.random.default_rng(1))
    assert rebuild(tmp_path / "with") == (tmp_path / "with" / "board.jsonl").read_bytes()
    assert {row["pair"] for row in _read(tmp_path / "with" / "pairs.jsonl")}.isdisjoint(private)
    assert TASTE not in (tmp_path / "with" / "deals.jsonl").read_text()
    assert len(_read(tmp_path / "with" / "votes.jsonl")) == Vote.objects.count() - len(dealt)
    drop_taste(taster, catalogue, now=SOON)
    write_dump(tmp_path / "without", now=NOW, rng=np.random.default_rng(1))
    for name in ("board.jsonl", "pairs.jsonl", "contenders.jsonl"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()


def _read(path: Path) -> Sequence[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_pairs_that_count_are_dealt_as_if_there_were_no_private_encoder(taster: Player) -> None:
    """What it was compared on may still come to count, once, and is not compared after that."""
    compared = {deal.pair_id for deal in _answer(taster, hands=4)}
    own = set(
        TastePair.objects.filter(pair__in=compared, pair__credits__isnull=False).values_list(
            "pair", flat=True
        )
    )
    assert own
    again: set[int] = set()
    for turn in range(60):
        _answer(taster, hands=2, seed=10 + turn)
        dealt = Deal.objects.filter(player=taster).exclude(policy__in=[TASTE, "repeat"])
        again = set(dealt.filter(pair__in=own).values_list("pair", flat=True))
        if again == own:
            break
    assert again == own
    pairs = list(Deal.objects.filter(player=taster, policy=TASTE).values_list("pair", flat=True))
    assert len(pairs) == len(set(pairs))
    assert find_differences() == []


def test_the_comparison_counts_settled_answers_and_knows_whose_pair_it_was(
    taster: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluation.stats.taste.FEWEST", 5)
    taste = taster.tastes.get()
    dealt = _answer(taster, hands=8)
    players = list_players(taster)
    assert read_comparison(taste, players, now=SOON).missing == 5, "they can be taken back"
    comparison = read_comparison(taste, players, now=SOON + timedelta(days=2))
    assert comparison.private.shown + comparison.public.shown == len(dealt)
    assert comparison.private.nopes == comparison.public.dopes == 0
    assert comparison.lead and comparison.lead.estimate == 1
    assert find_differences() == []


def test_learned_again_the_comparison_begins_anew_on_pairs_not_shown_yet(
    taster: Player, catalogue: Catalogue
) -> None:
    shown = {deal.pair_id for deal in _answer(taster)}
    _, vectors = make_ground(slug="third")
    tell(taster, catalogue, vectors, answers=20, first=40, at=SOON)
    taste = learn(taster, catalogue, now=SOON + timedelta(days=2))
    comparison = read_comparison(taste, list_players(taster), now=SOON + timedelta(days=4))
    assert comparison.private.shown == comparison.public.shown == 0
    assert shown.isdisjoint(taste.pairs.values_list("pair", flat=True))


def test_a_round_reveals_that_it_counts_for_nobody_and_what_was_said_outlives_the_encoder(
    taster: Player,
) -> None:
    Player.objects.filter(pk=taster.pk).update(created_at=timezone.now())
    deck = Deck()
    deck.client.cookies["player"] = sign(taster)
    deck = Deck(client=deck.client)
    finished = deck.play_round()
    page = deck.client.get(f"/play/rounds/{finished}/")
    dealt = Deal.objects.filter(round=finished).order_by("place")
    for deal, pair in zip(dealt, page.context["pairs"], strict=True):
        assert deal.policy != TASTE or pair.contenders == []
    votes = Vote.objects.count()
    forget_holder(key=taster.key, now=timezone.now())
    assert Vote.objects.count() == votes and find_differences() == []
    assert not TastePair.objects.exists()
