"""The night's ranking: made where votes came in, from counted votes only, and shown beneath the board."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from evaluation.models import BoardChange, Contender, Deal, Player, Ranking, Vote
from evaluation.selectors.rankings import list_rankings
from evaluation.selectors.vote_columns import PRESENTATION, VoteColumns, read_votes
from evaluation.services import rankings
from evaluation.services.contenders import retire_contender
from evaluation.services.ranking_slices import slice_by_week
from evaluation.services.rankings import EVERY, KIND, rank_votes, request_due
from evaluation.services.verdicts import Grounds, exclude_player, restore_player
from evaluation.services.vetting import vet_players
from evaluation.stats.places import LESSON
from evaluation.stats.votes import Votes
from search.models import Catalogue, Job, JobState
from search.services.jobs import run_in_foreground
from tests.evaluation.decks import cast, deal_to
from tests.factories import NOW, make_catalogue, make_contender, make_contenders, make_pairs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def catalogue() -> Catalogue:
    """A catalogue whose contenders people have judged: what the good one found is liked, the rest is not."""
    catalogue = make_catalogue(items=60, with_images=False)
    make_contenders(catalogue, count=2)
    items = list(catalogue.items.order_by("position"))
    good = make_contender(catalogue, encoder="good")
    make_pairs(good, {item: items[(item.position + 7) % 60] for item in items if item.split == "evaluation"})
    for seed in range(6):
        play(good, seed=seed)
    return catalogue


def play(liked: Contender, *, seed: int, rounds: int = 2, now: datetime = NOW) -> int:
    key = uuid.uuid4()
    for _ in range(rounds):
        hand = deal_to(key, now=now, count=10, seed=seed)
        credited = set(
            liked.credits.filter(pair__deals__in=[deal.pk for deal in hand.deals]).values_list(
                "pair__deals", flat=True
            )
        )
        answers = {deal.pk: "dope" if deal.pk in credited else "nope" for deal in hand.deals}
        for deal in [*answers][: seed % 3]:  # nobody is always of one mind
            answers[deal] = "nope" if answers[deal] == "dope" else "dope"
        cast(key, answers, now=now)
    return Player.objects.get(key=key).pk


def make_ranking(at: timedelta = timedelta(0)) -> Ranking:
    """What the sweeper asks for, done."""
    assert request_due(NOW + at) == 1
    job = Job.objects.filter(kind=KIND).latest("created_at")
    run_in_foreground(job=job, report=lambda job: None, now=lambda: NOW + at)
    job.refresh_from_db()
    assert job.state == JobState.DONE, job.reason
    return Ranking.objects.latest("made_at")


def test_what_people_like_stands_first_with_what_its_lead_hangs_on(catalogue: Catalogue) -> None:
    make_ranking()
    [ranking] = list_rankings()
    first, *others = ranking.rows
    assert first.title == Contender.objects.get(encoder="good").title
    assert first.approval is not None and first.low is not None and first.high is not None
    assert first.low < first.approval < first.high
    assert first.share is not None
    assert all(row.share is None or row.share < first.share for row in others)
    assert first.title in ranking.lead
    assert {part.category for part in first.slices}


def test_it_is_made_once_a_night_and_only_where_something_changed(catalogue: Catalogue) -> None:
    make_ranking()
    assert request_due(NOW + timedelta(hours=1)) == 0
    assert request_due(NOW + EVERY) == 0, "nothing has changed since"
    play(Contender.objects.get(encoder="good"), seed=9)
    assert request_due(NOW + EVERY - timedelta(seconds=1)) == 0
    assert make_ranking(EVERY).votes > Ranking.objects.earliest("made_at").votes
    assert request_due(NOW + EVERY) == 0


def test_the_first_waits_until_there_are_enough_votes(catalogue: Catalogue) -> None:
    for player in Player.objects.all():
        exclude_player(player.pk, Grounds("to be counted later"), now=NOW)
    assert request_due(NOW) == 0
    for player in Player.objects.all():
        restore_player(player.pk, Grounds("now"), now=NOW)
    assert request_due(NOW) == 1


def test_votes_in_one_catalogue_are_no_reason_to_rank_another(catalogue: Catalogue) -> None:
    make_ranking()
    make_contenders(make_catalogue(slug="other", items=40, with_images=False), count=2)
    key = uuid.uuid4()
    hand = deal_to(key, now=NOW, catalogue="other", count=10)
    cast(key, {deal.pk: "dope" for deal in hand.deals}, now=NOW)
    assert request_due(NOW + EVERY) == 0


def test_questions_are_numbered_among_themselves_whatever_their_ids(catalogue: Catalogue) -> None:
    columns = read_votes(catalogue.pk)
    assert columns.votes.question.max() < len(columns.pairs)
    assert len(columns.categories) == len(columns.pairs)


def test_asked_for_while_it_is_being_made_it_is_made_once(catalogue: Catalogue) -> None:
    assert request_due(NOW) == 1
    assert request_due(NOW + timedelta(seconds=5)) == 0
    assert Job.objects.filter(kind=KIND).count() == 1


def test_votes_that_are_left_out_are_not_in_it(catalogue: Catalogue) -> None:
    hostile = play(Contender.objects.exclude(encoder="good").first(), seed=7)  # type: ignore[arg-type]
    exclude_player(hostile, Grounds("answers for one contender"), now=NOW)
    made = make_ranking()
    assert made.players == 6


def test_all_votes_the_same_are_told_to_say_nothing(client: Client) -> None:
    make_contenders(make_catalogue(items=120, with_images=False), count=2)
    key = uuid.uuid4()
    for _ in range(5):
        hand = deal_to(key, now=NOW, count=10)
        cast(key, {deal.pk: "dope" for deal in hand.deals}, now=NOW)
    make_ranking()
    [ranking] = list_rankings()
    assert all(row.approval is None for row in ranking.rows)
    assert "are dope: nothing tells contenders apart" in " ".join(ranking.notes)
    assert client.get("/leaderboard/").status_code == 200


def test_where_nobody_voted_there_is_none(client: Client) -> None:
    make_contenders(make_catalogue(items=40, with_images=False), count=2)
    assert request_due(NOW) == 0
    assert "night&#x27;s ranking" not in client.get("/leaderboard/").content.decode()


def test_the_page_shows_it_beneath_the_board(catalogue: Catalogue, client: Client) -> None:
    make_ranking()
    page = client.get("/leaderboard/").content.decode()
    assert "The night's ranking of" in page
    assert "not enough votes" in page
    assert "The night's ranking of" not in client.get("/leaderboard/board/").content.decode()


def test_it_is_made_at_once_by_hand(catalogue: Catalogue, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("rank_contenders", catalogue="demo")
    told = " ".join(capsys.readouterr().out.split())
    assert "good x L2" in told
    assert "votes of 6 players" in told


def test_by_hand_a_catalogue_that_is_not_there_or_without_votes_is_named() -> None:
    with pytest.raises(CommandError, match="no such catalogue"):
        call_command("rank_contenders", catalogue="nowhere")
    make_contenders(make_catalogue(items=40, with_images=False), count=2)
    with pytest.raises(CommandError, match="Nobody has said dope or nope"):
        call_command("rank_contenders", catalogue="demo")


def draw_few(rng: np.random.Generator, ids: list[int]) -> VoteColumns:
    """Up to 60 votes of up to 7 players, of any shape; in some there are no categories."""
    count, players = int(rng.integers(1, 60)), int(rng.integers(1, 8))
    pairs = int(rng.integers(1, count + 1))
    found = rng.random((pairs, len(ids))) < 0.3
    found[np.arange(pairs), rng.integers(0, len(ids), pairs)] = True
    player, pair = rng.integers(0, players, count), rng.integers(0, pairs, count)
    dope = (rng.random(count) < rng.random()) if rng.random() < 0.6 else (player % 2 == 0)
    names = [["", "a", "b"], [""]][int(rng.integers(2))]
    return VoteColumns(
        players=np.arange(players),
        pairs=np.arange(pairs),
        contenders=np.array(ids),
        categories=[names[one] for one in rng.integers(0, len(names), pairs)],
        votes=Votes(player, pair, dope, np.arange(pairs) // 2, found, weight=1 / rng.uniform(0.05, 1, count)),
        dwell_ms=rng.uniform(100, 5000, count),
        shown=rng.integers(0, 3, (count, len(PRESENTATION))).astype(float),
        dealt_at=np.arange(count, dtype=float),
        cast_at=np.arange(count, dtype=float),
        propensity=np.full(count, 0.1),
        skippers=np.zeros(0, np.int64),
        skipped=np.zeros(0, np.int64),
    )


@pytest.mark.parametrize("seed", range(40))
def test_few_votes_of_any_shape_are_ranked_or_said_to_tell_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    make_contenders(make_catalogue(items=20, with_images=False), count=int(rng.integers(1, 12)))
    columns = draw_few(rng, list(Contender.objects.order_by("pk").values_list("pk", flat=True)))
    figures = {**rank_votes(columns), "vetted": vet_players(columns)}
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    for row in figures["rows"]:
        assert 1 <= row["rank_low"] <= row["rank_high"] <= len(figures["rows"])
        assert row["low"] is None or 0 <= row["low"] <= row["approval"] <= row["high"] <= 1


def test_weeks_begin_on_monday_and_say_nothing_of_who_joined_after_them() -> None:
    """Two contenders that found the same; the second joined on the Wednesday of the second week."""
    votes = 1200
    rng = np.random.default_rng(5)
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    said = Votes(
        player=rng.integers(0, 40, votes),
        pair=rng.integers(0, 30, votes),
        dope=rng.random(votes) < np.repeat([0.3, 0.8], votes // 2),
        question=np.arange(30),
        found=np.ones((30, 2), bool),
    )
    few = draw_few(rng, [7, 8])
    days = np.repeat([0, 6, 7, 13], votes // 4) + 0.99
    columns = replace(few, votes=said, cast_at=monday.timestamp() + days * 86_400, pairs=np.arange(30))
    later, earlier = slice_by_week(columns, {7: monday, 8: monday + timedelta(days=9)})
    assert [later["category"], earlier["category"]] == ["2026-03-09", "2026-03-02"]
    first, second = zip(earlier["rows"], later["rows"], strict=True)
    assert [one["votes"] for one in first] == [600, 600]
    assert first[0]["high"] < 0.5 < 0.7 < first[1]["low"]
    assert (second[0]["votes"], second[0]["approval"]) == (0, None)
    assert second[1]["low"] > 0.6


def test_who_leaves_while_it_is_ranked_is_still_in_its_weeks(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Contender.objects.get(encoder="good")

    def retire_first(columns: VoteColumns) -> dict[str, Any]:
        retire_contender(contender=good, now=NOW)
        return rank_votes(columns)

    monkeypatch.setattr(rankings, "rank_votes", retire_first)
    [week] = make_ranking().figures["weeks"]
    assert [row["votes"] > 0 for row in week["rows"] if row["contender"] == good.pk] == [True]


def count_chances_of(columns: VoteColumns) -> np.ndarray:
    """At how many deals the pair of each vote could have been dealt, by what it weighs."""
    counted = Vote.objects.exclude(deal__policy=LESSON).order_by("cast_at", "pk")
    propensities = np.array(counted.values_list("deal__propensity", flat=True))
    return np.round(1 / (columns.votes.weights * propensities)).astype(int)


def test_votes_weigh_less_the_longer_their_pair_could_be_dealt(catalogue: Catalogue) -> None:
    later = NOW + timedelta(hours=1)
    before = Vote.objects.count()
    late = make_contender(catalogue, encoder="late", now=later)
    items = list(catalogue.items.order_by("position"))
    make_pairs(late, {item: items[(item.position + 11) % 60] for item in items if item.split == "evaluation"})
    for seed in range(6, 10):
        play(late, seed=seed, now=later)
    lesson = Vote.objects.filter(deal__pair__credits__contender=late, cast_at=later).latest("pk").deal
    Deal.objects.filter(pk=lesson.pk).update(policy=LESSON)
    columns = read_votes(catalogue.pk)
    chances = count_chances_of(columns)
    others = np.delete(columns.votes.found, columns.contenders.tolist().index(late.pk), axis=1)
    is_new = ~others.any(axis=1)[columns.votes.pair]
    assert is_new.any()
    assert set(chances[is_new]) == {len(columns.votes) - before}
    assert set(chances[~is_new]) == {len(columns.votes)}


def test_while_a_contender_was_away_its_pairs_could_not_be_dealt(catalogue: Catalogue) -> None:
    [good] = Contender.objects.filter(encoder="good")
    own = {credit.pair_id for credit in good.credits.all() if credit.pair.credits.count() == 1}
    before = Vote.objects.count()
    retire_contender(contender=good, now=NOW + timedelta(hours=1))
    other = Contender.objects.active().exclude(is_control=True).first()
    for seed in range(6, 9):
        play(other, seed=seed, now=NOW + timedelta(hours=2))
    back = NOW + timedelta(hours=3)
    Contender.objects.filter(pk=good.pk).update(retired_at=None)
    BoardChange.objects.create(contender=good, kind=BoardChange.Kind.RETURNED, at=back)
    columns = read_votes(catalogue.pk)
    chances = count_chances_of(columns)
    is_own = np.isin(columns.pairs[columns.votes.pair], sorted(own))
    assert is_own.any()
    assert set(chances[is_own]) == {before}
    assert set(chances[~is_own]) == {Vote.objects.count()}
