"""Case 11: whatever happens to votes, the counts equal a recount of the raw votes, exactly (P3)."""

import uuid
from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from evaluation.models import (
    Answer,
    Contender,
    Credit,
    Deal,
    Modality,
    Pair,
    Player,
    RaterTally,
    Retraction,
    Round,
    Ruling,
    Spread,
    Tally,
    Verdict,
    Vote,
)
from evaluation.selectors import extras, pools
from evaluation.services.contenders import retire_contender
from evaluation.services.deals import DealRequest, Hand, deal_pairs
from evaluation.services.players import forget_holder
from evaluation.services.recount import find_differences
from evaluation.services.retractions import UndoRefused, undo_vote
from evaluation.services.verdicts import Grounds, exclude_player, restore_player
from evaluation.services.votes import Ballot, CastVote, cast_votes
from evaluation.stats import places
from evaluation.stats.places import CHECKS
from search.models import Catalogue, Revision
from tests.append_only import permit_changes
from tests.evaluation.decks import cast, deal_to
from tests.factories import NOW, give_extras, make_catalogue, make_contender, make_contenders, make_pairs

pytestmark = pytest.mark.django_db

ANSWERS = st.sampled_from(list(Answer))
PLAYERS = st.integers(0, 2)


class Game(RuleBasedStateMachine):
    """Three people play at once while contenders come and go; answers are remembered on the side."""

    open_deals = Bundle("open_deals")
    spent_deals = Bundle("spent_deals")

    def __init__(self) -> None:
        super().__init__()
        self.undo_all = transaction.atomic()
        self.undo_all.__enter__()
        self.catalogue = Catalogue.objects.get()
        self.keys = [uuid.uuid4() for _ in range(3)]
        self.now = NOW
        self.rng = np.random.default_rng(0)
        self.said: dict[str, Answer] = {}  # counted votes, by deal

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo_all.__exit__(None, None, None)

    @rule(target=open_deals, player=PLAYERS, count=st.integers(1, 6))
    def deal(self, player: int, count: int) -> object:
        request = DealRequest(self.keys[player], "demo", None, frozenset(), count)
        [hand] = deal_pairs([request], now=self.now, rng=self.rng)
        assert isinstance(hand, Hand)
        return multiple(*((player, deal.pk) for deal in hand.deals))

    @rule(target=spent_deals, dealt=consumes(open_deals), answer=ANSWERS)
    def vote(self, dealt: tuple[int, str], answer: Answer) -> object:
        self.now += timedelta(seconds=1)
        result = self._cast([(*dealt, answer)])
        return (*dealt, result)

    @rule(dealt=st.lists(open_deals, min_size=1, max_size=6), answer=ANSWERS)
    def vote_together(self, dealt: list[tuple[int, str]], answer: Answer) -> None:
        """Ballots of several players in one transaction; a deal may be named twice."""
        self.now += timedelta(seconds=1)
        self._cast([(player, deal, answer) for player, deal in dealt])

    @rule(spent=spent_deals, answer=ANSWERS)
    def vote_again(self, spent: tuple[int, str, str], answer: Answer) -> None:
        player, deal, _ = spent
        stored = Vote.objects.filter(pk=deal).first()
        before = Vote.objects.count()
        [outcome] = cast_votes([self._ballot(player, deal, answer)], now=self.now)
        if stored is not None and outcome.results[0].status != 404:
            assert outcome.results[0].status == (200 if stored.answer == answer else 409)
            assert Vote.objects.count() == before
        elif outcome.results[0].status == 200:
            self.said[deal] = answer

    @rule(thief=PLAYERS, dealt=open_deals)
    def steal(self, thief: int, dealt: tuple[int, str]) -> None:
        if thief != dealt[0]:
            [outcome] = cast_votes([self._ballot(thief, dealt[1], Answer.DOPE)], now=self.now)
            assert outcome.results[0].status == 404

    @rule(target=open_deals, spent=spent_deals)
    def undo(self, spent: tuple[int, str, str]) -> object:
        player, deal, _ = spent
        try:
            again = undo_vote(key=self.keys[player], deal_id=deal, now=self.now)
        except UndoRefused:
            return multiple()
        del self.said[deal]
        return (player, again.pk)

    @rule(player=PLAYERS)
    def forget(self, player: int) -> None:
        forget_holder(key=self.keys[player], now=self.now)

    @rule(player=PLAYERS, excludes=st.booleans())
    def judge(self, player: int, excludes: bool) -> None:
        """A verdict on whoever plays by this key now; forgotten players are judged like all others."""
        row = Player.objects.filter(key=self.keys[player]).first()
        if row is not None and row.is_excluded != excludes:
            rule_on = exclude_player if excludes else restore_player
            rule_on(row.pk, Grounds("looked at by hand", by="tester"), now=self.now)

    @rule(which=st.integers(0, 5))
    def retire(self, which: int) -> None:
        contender = Contender.objects.all()[which : which + 1].first()
        if contender is not None:
            retire_contender(contender=contender, now=self.now)

    @rule(seed=st.integers(0, 10**6))
    def newcomer(self, seed: int) -> None:
        if Contender.objects.count() < 6:
            rng = np.random.default_rng(seed)
            items = list(self.catalogue.items.order_by("position"))
            contender = make_contender(self.catalogue, encoder=f"late-{seed}-{Contender.objects.count()}")
            make_pairs(
                contender,
                {
                    item: items[(item.position + 1 + int(rng.integers(3))) % len(items)]
                    for item in items
                    if item.split == "evaluation"
                },
            )

    @rule(hours=st.sampled_from([1, 25]))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def restart(self) -> None:
        pools._kept.clear()
        extras._kept.clear()

    @invariant()
    def recounted(self) -> None:
        assert find_differences() == []
        assert _count_by_hand(self.said) == _read_counts()

    def _ballot(self, player: int, deal: str, answer: Answer) -> Ballot:
        return Ballot(self.keys[player], [CastVote(deal, answer, 500, Modality.KEY)])

    def _cast(self, votes: list[tuple[int, str, Answer]]) -> str:
        known = set(Vote.objects.values_list("pk", flat=True))
        outcomes = cast_votes([self._ballot(*vote) for vote in votes], now=self.now)
        for (_, deal, answer), outcome in zip(votes, outcomes, strict=True):
            status = outcome.results[0].status
            assert status in (200, 404, 409, 410)
            if status == 200 and deal not in known:
                self.said[deal] = answer
        return str(outcomes[0].results[0].status)


def _count_by_hand(said: dict[str, Answer]) -> tuple[Counter, Counter, Counter]:
    """What the counts must be, from the answers this test remembers: by pair, tally and rater tally."""
    pairs: Counter = Counter()
    tallies: Counter = Counter()
    raters: Counter = Counter()
    deals = Deal.objects.select_related("pair", "player").in_bulk(list(said))
    for deal_id, answer in said.items():
        deal = deals[deal_id]
        last = Verdict.objects.filter(player=deal.player_id).order_by("made_at", "number").last()
        if (last is not None and last.ruling == Ruling.EXCLUDED) or deal.policy in CHECKS:
            continue
        pairs[deal.pair_id, answer] += 1
        for credit in Credit.objects.filter(pair=deal.pair_id):
            tallies[credit.contender_id, deal.pair.category_id, answer] += 1
            if answer != Answer.SKIP:
                raters[credit.contender_id, deal.player_id, answer] += 1
    return pairs, tallies, raters


def _read_counts() -> tuple[Counter, Counter, Counter]:
    def read(rows: list, *names: str) -> Counter:
        columns = [("dopes", Answer.DOPE), ("nopes", Answer.NOPE), ("skips", Answer.SKIP)]
        return Counter(
            {
                (*(getattr(row, name) for name in names), answer): getattr(row, column)
                for row in rows
                for column, answer in columns
                if getattr(row, column, 0)
            }
        )

    return (
        read(list(Pair.objects.all()), "pk"),
        read(list(Tally.objects.all()), "contender_id", "category_id"),
        read(list(RaterTally.objects.all()), "contender_id", "player_id"),
    )


@pytest.mark.parametrize("checks", [0, 0.5])
def test_11_counts_equal_the_raw_votes_after_any_sequence_of_events(
    checks: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With lessons, and checks at every other place, as without either."""
    monkeypatch.setattr(places, "CHECK_SHARE", checks)
    monkeypatch.setattr(extras, "FEWEST_BETWEEN", 2)
    contender, *_ = make_contenders(make_catalogue(items=16, with_images=False), count=2)
    if checks:
        give_extras(contender)
    quiet = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
    run_state_machine_as_test(Game, settings=settings(max_examples=10, stateful_step_count=20, **quiet))


def _play(votes: int = 12) -> None:
    make_contenders(make_catalogue(items=40, with_images=False), count=2)
    for player in range(2):
        key = uuid.uuid4()
        hand = deal_to(key, now=NOW, count=votes // 2, seed=player)
        answers = ["dope", "nope", "skip", "dope", "dope", "nope"]
        cast(key, dict(zip([deal.pk for deal in hand.deals], answers, strict=False)), now=NOW)


def test_votes_that_were_cast_before_count_for_a_contender_that_comes_later() -> None:
    _play()
    first = Contender.objects.order_by("pk").first()
    assert first is not None
    twin = make_contender(first.catalogue, encoder="twin")
    make_pairs(twin, {credit.pair.question: credit.pair.candidate for credit in first.credits.all()})

    def figures(contender: Contender) -> tuple:
        tallies = sorted(contender.tallies.values_list("category", "dopes", "nopes", "skips"))
        raters = sorted(contender.rater_tallies.values_list("player", "dopes", "nopes"))
        return (
            tallies,
            raters,
            Spread.objects.filter(contender=contender).values_list("players", "pair_nn")[0],
        )

    assert figures(twin) == figures(first)
    assert sum(tally.dopes for tally in twin.tallies.all()) > 0
    assert find_differences() == []


@pytest.mark.parametrize("model", [Pair, Tally, RaterTally, Spread, Round, Player])
def test_a_wrong_count_is_found_named_and_repaired(model: type, capsys: pytest.CaptureFixture) -> None:
    _play()
    field = {Spread: "player_dn", Round: "judged", Player: "judged"}.get(model, "dopes")
    row = model.objects.exclude(**{field: 0}).first()
    before = model.objects.values().get(pk=row.pk)
    model.objects.filter(pk=row.pk).update(**{field: getattr(row, field) + 3})
    with pytest.raises(CommandError, match="1 counts differ"):
        call_command("recount_leaderboard")
    assert model.__name__ in capsys.readouterr().err
    revision = Revision.objects.get(topic="leaderboard").number
    call_command("recount_leaderboard", repair=True)
    assert Revision.objects.get(topic="leaderboard").number > revision, "kept exports are out of date"
    assert model.objects.values().get(pk=row.pk) == before
    call_command("recount_leaderboard")
    assert "All counts equal the 12 votes" in capsys.readouterr().out


def test_a_vote_row_lost_by_hand_is_noticed() -> None:
    _play()
    permit_changes()
    Vote.objects.filter(answer=Answer.DOPE).first().delete()  # type: ignore[union-attr]
    assert {one.table for one in find_differences()} >= {"Pair", "Tally", "RaterTally", "Spread", "Player"}


def test_a_retraction_by_hand_is_noticed() -> None:
    _play()
    Retraction.objects.create(vote=Vote.objects.filter(answer=Answer.DOPE).first(), retracted_at=NOW)
    assert find_differences()
