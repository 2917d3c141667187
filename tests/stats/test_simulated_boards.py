"""Studies of rank ranges and of rigging: the names of their figures, and that they show what they should."""

from evaluation.stats.simulated.registry import STUDIES
from evaluation.stats.simulated.rigging import HOSTILE
from evaluation.stats.simulated.study import generator_of


def run(name: str, repetitions: int) -> dict:
    study = STUDIES[name]
    return study.sum_up([study.repeat(generator_of(study, 0, number)) for number in range(repetitions)])


def test_equals_are_rarely_told_apart_and_others_more_sharply_than_from_counts() -> None:
    figures = run("separation", 8)
    assert figures["false_separation"] <= 0.25
    assert figures["false_separation_se"] > 0
    places = figures["rank_places_open"]
    assert places["joint"] < places["counts"] - 1
    assert places["held"] >= 0.75


def test_hostile_votes_move_a_contender_and_hardly_once_who_fails_is_left_out() -> None:
    rows = run("rigging", 2)["rigging"]
    assert [(row["strategy"], row["crew"]) for row in rows] == [
        *(("targeted", "20 players"), ("omnipresent", "20 players")),
        *(("targeted", "50 players"), ("omnipresent", "50 players")),
    ]
    for row in rows:
        assert row["votes"] == HOSTILE == 500
        assert row["rank_shift"] > 1 and row["rank_shift_se"] >= 0
    # Of those who say as little as ten answers each and waste none, the checks find hardly any.
    assert rows.pop()["caught"] < 0.3
    for row in rows:
        assert abs(row["vetted_shift"]) < row["rank_shift"] / 2
        assert row["caught"] > 0.8
        assert row["honest_excluded"] < 0.02


def test_a_repetition_is_the_same_again() -> None:
    study = STUDIES["separation"]
    assert study.repeat(generator_of(study, 3, 1)) == study.repeat(generator_of(study, 3, 1))
