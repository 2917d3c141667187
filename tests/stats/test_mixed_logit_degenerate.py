"""The mixed logistic model where votes say little: a plain result or an error that names what is missing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.special import expit

from evaluation.stats import mixed_logit
from evaluation.stats.mixed_logit import NotFitted, Presentation, fit_mixed_logit
from evaluation.stats.mixed_logit_approvals import standardise
from evaluation.stats.votes import Votes

NAMES = ("colour", "shape", "chance")


@pytest.fixture
def votes() -> Votes:
    """Thirty players on 90 pairs, a third of them found by each of three contenders."""
    rng = np.random.default_rng(3)
    pair = np.concatenate([rng.choice(90, 20, replace=False) for _ in range(30)])
    player = np.repeat(np.arange(30), 20)
    found = np.eye(3, dtype=bool)[np.arange(90) % 3]
    dope = rng.random(600) < expit(0.5 * (pair % 3) - 0.5 + rng.normal(0, 0.8, 30)[player])
    return Votes(player, pair, dope, np.arange(90), found)


@pytest.mark.parametrize("word", ["dope", "nope"])
def test_all_votes_the_same_tell_nothing(votes: Votes, word: str) -> None:
    same = replace(votes, dope=np.full(len(votes), word == "dope"))
    with pytest.raises(NotFitted, match=f"All 600 votes are {word}"):
        fit_mixed_logit(same, NAMES)


def test_no_votes_tell_nothing(votes: Votes) -> None:
    with pytest.raises(NotFitted, match="no votes"):
        fit_mixed_logit(votes.only(np.zeros(600, bool)), NAMES)


def test_one_contender_with_votes_is_compared_with_nobody(votes: Votes) -> None:
    with pytest.raises(NotFitted, match="only shape found"):
        fit_mixed_logit(votes.only(votes.pair % 3 == 1), NAMES)


def test_a_contender_without_votes_is_left_out_by_name(votes: Votes) -> None:
    model = fit_mixed_logit(votes.only(votes.pair % 3 != 1), NAMES)
    assert model.contenders == ("colour", "chance")
    assert model.left_out == ("shape",)
    assert len(standardise(model, votes.found[:, [0, 2]])) == 2


def test_one_player_says_nothing_of_how_players_differ(votes: Votes) -> None:
    model = fit_mixed_logit(replace(votes, player=np.zeros(600, int)), NAMES)
    assert model.player_sd is None
    assert model.pair_sd is not None
    assert "All votes are of one player: how far players differ cannot be told." in model.notes
    assert np.isfinite(model.covariance).all()


def test_players_with_one_vote_each_say_nothing_of_how_they_differ(votes: Votes) -> None:
    model = fit_mixed_logit(replace(votes, player=np.arange(600)), NAMES)
    assert model.player_sd is None
    assert "No player has two votes: how far players differ cannot be told." in model.notes


def test_players_who_are_all_alike_have_a_spread_of_hardly_anything(votes: Votes) -> None:
    """Every player says dope to every other pair they are dealt: less varied than chance."""
    dope = np.tile(np.arange(20) % 2 == 0, 30)
    model = fit_mixed_logit(replace(votes, dope=dope), NAMES)
    assert model.converged
    assert model.player_sd == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("said", [True, False])
def test_a_contender_with_the_same_answer_always_stands_at_finite_bounds(votes: Votes, said: bool) -> None:
    dope = np.where(votes.pair % 3 == 1, said, votes.dope)
    model = fit_mixed_logit(replace(votes, dope=dope), NAMES)
    far = model.logits[1] if said else -model.logits[1]
    assert 2 < far < 20
    assert 0 < model.covariance[1, 1] < 25
    assert any(
        note.startswith(f"Every vote on shape is {'dope' if said else 'nope'}") for note in model.notes
    )
    approval = standardise(model, votes.found)[1]
    assert (approval.low > 0.5) if said else (approval.high < 0.5)
    others = fit_mixed_logit(votes.only(votes.pair % 3 != 1), ("colour", "shape", "chance"))
    assert model.logits[2] - model.logits[0] == pytest.approx(others.logits[1] - others.logits[0], abs=0.15)


def test_contenders_that_found_the_same_are_not_told_apart(votes: Votes) -> None:
    twins = np.column_stack([votes.found, votes.found[:, 1]])
    model = fit_mixed_logit(replace(votes, found=twins), (*NAMES, "shape again"))
    assert any("shape again and shape" in note for note in model.notes)
    assert model.effects[3] == pytest.approx(model.effects[1], abs=1e-3)
    difference = np.array([0, 1, 0, -1])
    assert difference @ model.covariance @ difference == pytest.approx(50, rel=0.05)  # the prior's, twice


def test_people_who_never_waver_are_held_at_the_largest_spread_and_no_result(votes: Votes) -> None:
    dope = votes.player % 2 == 0
    model = fit_mixed_logit(replace(votes, dope=dope), NAMES)
    assert not model.converged
    assert any("Players differ by 5 logits or more" in note for note in model.notes)
    assert np.isfinite(model.effects).all()


def test_a_column_that_never_varies_is_left_out_by_name(votes: Votes) -> None:
    values = np.column_stack([np.ones(600), np.arange(600) % 2])
    model = fit_mixed_logit(votes, NAMES, Presentation(("touch", "side"), values))
    assert [one.name for one in model.presentation] == ["side"]
    assert "touch was the same on every vote and is left out." in model.notes


@pytest.mark.parametrize(
    ("values", "message"),
    [(np.full((600, 1), np.nan), "column side has values"), (np.ones((599, 1)), r"shape \(599, 1\) for 600")],
)
def test_presentation_that_does_not_fit_is_refused(votes: Votes, values: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_mixed_logit(votes, NAMES, Presentation(("side",), values))


def test_a_pair_that_nobody_found_is_named(votes: Votes) -> None:
    found = votes.found.copy()
    found[17] = False
    with pytest.raises(ValueError, match="Pair 17 has votes, but no contender"):
        fit_mixed_logit(replace(votes, found=found), NAMES)
    with pytest.raises(ValueError, match="2 names for 3"):
        fit_mixed_logit(votes, NAMES[:2])


def test_approvals_on_no_questions_are_refused(votes: Votes) -> None:
    model = fit_mixed_logit(votes, NAMES)
    with pytest.raises(ValueError, match="shape found no pair"):
        standardise(model, votes.found, np.where(np.arange(90) % 3 == 1, 0.0, 1.0))
    with pytest.raises(ValueError, match="2 contenders for a model of 3"):
        standardise(model, votes.found[:, :2])


def test_too_many_players_on_too_many_pairs_are_refused_with_a_remedy(
    votes: Votes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixed_logit, "MOST_GROUPS", 20)
    with pytest.raises(NotFitted, match="30 players on 90 pairs are too many at once; of one"):
        fit_mixed_logit(votes, NAMES)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
@example(35)  # in these, quadrature leaves a curvature that bends upwards somewhere
@example(105)
@example(191)
def test_a_handful_of_votes_gives_finite_figures_or_says_what_is_missing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, contenders = int(rng.integers(2, 60)), int(rng.integers(2, 13))
    pairs, players = int(rng.integers(1, count + 1)), int(rng.integers(1, 8))
    found = rng.random((pairs, contenders)) < 0.3
    found[np.arange(pairs), rng.integers(0, contenders, pairs)] = True
    player, pair = rng.integers(0, players, count), rng.integers(0, pairs, count)
    dope = (rng.random(count) < rng.random()) if rng.random() < 0.6 else (player % 2 == 0)
    columns = int(rng.integers(0, 6))
    shown = Presentation([f"column {one}" for one in range(columns)], rng.integers(0, 4, (count, columns)))
    votes = Votes(player, pair, dope, np.arange(pairs), found)
    try:
        model = fit_mixed_logit(votes, [f"contender {one}" for one in range(contenders)], shown)
    except NotFitted as reason:
        assert str(reason)
    else:
        assert np.isfinite(model.effects).all()
        assert np.isfinite(model.joint).all()
        assert (np.diagonal(model.joint) >= 0).all()
