"""Contenders enter with what they found, and leave without taking anything away."""

import uuid

import numpy as np
import pytest
from django.test import Client

from evaluation.models import Contender, Credit, Pair, Tally
from evaluation.selectors.board import Filters, describe_encoder, read_board
from evaluation.selectors.operations import list_contender_rows
from evaluation.selectors.pools import load_pool
from evaluation.services import crediting
from evaluation.services.contenders import enter_contender, retire_contender
from evaluation.services.recount import find_differences
from search import events
from search.models import EmbeddingSpace, Index, Metric, Revision, Split
from tests.evaluation.decks import cast, deal_to
from tests.factories import NOW, make_catalogue, make_index

pytestmark = pytest.mark.django_db


def _next_item(items: int) -> dict[int, int]:
    return {position: (position + 1) % items for position in range(items)}


def _listed_contenders() -> list[dict]:
    return list(Client().get("/api/contenders/").json())


def test_a_contender_gets_a_pair_for_every_evaluation_only_question_and_no_other() -> None:
    catalogue = make_catalogue(items=30, evaluation_every=3, with_images=False)
    contender = enter_contender(index=make_index(catalogue), nearest=_next_item(30), now=NOW)
    pairs = Pair.objects.filter(credits__contender=contender)
    assert {pair.question.position for pair in pairs} == set(range(0, 30, 3))
    assert {pair.candidate.position for pair in pairs} == set(range(1, 30, 3))
    assert {pair.split for pair in pairs} == {Split.EVALUATION}
    assert {pair.category for pair in pairs} == {pair.question.category for pair in pairs}


def test_a_question_without_a_candidate_gets_no_pair() -> None:
    catalogue = make_catalogue(items=6, with_images=False)
    contender = enter_contender(index=make_index(catalogue), nearest={0: 1, 3: 2}, now=NOW)
    assert contender.credits.count() == 1


def test_a_masked_contender_names_its_mask_once() -> None:
    catalogue = make_catalogue(items=6, with_images=False)
    index = make_index(catalogue, title="“pupil” by colour")
    EmbeddingSpace.objects.update(mask="colour")
    index.space.refresh_from_db()
    assert enter_contender(index=index, nearest=_next_item(6), now=NOW).title == "“pupil” by colour × L2"


def test_contenders_that_found_the_same_share_the_pair() -> None:
    catalogue = make_catalogue(items=20, with_images=False)
    for metric in (Metric.L1, Metric.L2):
        enter_contender(index=make_index(catalogue, metric=metric), nearest=_next_item(20), now=NOW)
    assert Pair.objects.count() == 10
    assert Credit.objects.count() == 20
    assert load_pool(catalogue.pk).finders.tolist() == [2] * 10


def test_an_index_announced_twice_is_one_contender() -> None:
    catalogue = make_catalogue(items=20, with_images=False)
    index = make_index(catalogue)
    first = enter_contender(index=index, nearest=_next_item(20), now=NOW)
    again = enter_contender(index=index, nearest=_next_item(20), now=NOW)
    assert first == again
    assert Contender.objects.count() == 1
    assert Credit.objects.count() == 10


def test_one_that_is_interrupted_stands_on_no_board_and_goes_on_when_announced_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalogue = make_catalogue(items=20, with_images=False)
    enter_contender(index=make_index(catalogue), nearest=_next_item(20), now=NOW)
    key = uuid.uuid4()
    hand = deal_to(key, now=NOW, count=10)
    cast(key, {deal.pk: "dope" for deal in hand.deals}, now=NOW)
    index = make_index(catalogue, metric=Metric.L1)
    steps = iter([crediting.credit_some])
    with monkeypatch.context() as patch:
        patch.setattr(crediting, "MOST_AT_ONCE", 8)
        patch.setattr(crediting, "credit_some", lambda *some: next(steps)(*some))
        with pytest.raises(StopIteration):
            enter_contender(index=index, nearest=_next_item(20), now=NOW)
    entering = Contender.objects.get(index=index)
    assert sum(entering.tallies.values_list("dopes", flat=True)) == entering.credits.count() == 4
    assert find_differences() == []
    assert len(read_board(Filters()).rows) == len(_listed_contenders()) == 1
    assert load_pool(catalogue.pk).finders.tolist() == [1] * 10
    assert "entering" in {row.state for row in list_contender_rows()}
    enter_contender(index=index, nearest=_next_item(20), now=NOW)
    assert [row.votes for row in read_board(Filters()).rows] == [10, 10]
    assert len(_listed_contenders()) == 2
    assert load_pool(catalogue.pk).finders.tolist() == [2] * 10
    assert find_differences() == []


def test_titles_and_families_are_those_of_the_space_when_it_was_embedded() -> None:
    catalogue = make_catalogue(items=4, with_images=False)
    index = make_index(catalogue, encoder="their-mean", title="Mean colour", family="plugin")
    known = enter_contender(index=index, nearest={}, now=NOW)
    assert (known.title, known.family) == ("Mean colour × L2", "plugin")
    assert describe_encoder(known) == "Mean colour"
    control = make_index(catalogue, encoder="random-control", title="Random control", control=True)
    assert enter_contender(index=control, nearest={}, now=NOW).title == "Random control"
    brought = make_index(catalogue, encoder="my-vectors", metric=Metric.HAMMING)
    assert enter_contender(index=brought, nearest={}, now=NOW).title == "my-vectors × Hamming"


def _version(index: Index, version: str) -> Index:
    space = EmbeddingSpace.objects.get(pk=index.space_id)
    space.pk, space.encoder_version = None, version
    space.save()
    return Index.objects.create(space=space, metric=index.metric, state="ready", created_at=NOW)


def test_a_new_version_replaces_the_old_one_and_may_be_replaced_by_it_again() -> None:
    catalogue = make_catalogue(items=10, with_images=False)
    old = make_index(catalogue)
    new = _version(old, "2")
    enter_contender(index=old, nearest=_next_item(10), now=NOW)
    enter_contender(index=new, nearest=_next_item(10), now=NOW)
    assert [one.encoder_version for one in Contender.objects.active()] == ["2"]
    enter_contender(index=old, nearest=_next_item(10), now=NOW)
    assert [one.encoder_version for one in Contender.objects.active()] == ["1"]
    assert Contender.objects.count() == 2, "never deleted"


def test_what_an_operator_retired_stays_retired_when_its_index_is_announced_again() -> None:
    catalogue = make_catalogue(items=10, with_images=False)
    index = make_index(catalogue)
    contender = enter_contender(index=index, nearest=_next_item(10), now=NOW)
    retire_contender(contender=contender, now=NOW)
    enter_contender(index=index, nearest=_next_item(10), now=NOW)
    assert not Contender.objects.active().exists()


def test_pages_hear_of_newcomers_and_of_those_who_leave() -> None:
    catalogue = make_catalogue(items=10, with_images=False)
    contender = enter_contender(index=make_index(catalogue), nearest=_next_item(10), now=NOW)
    entered = dict(Revision.objects.values_list("topic", "number"))
    assert set(entered) >= {"catalogues", "leaderboard"}
    retire_contender(contender=contender, now=NOW)
    left = dict(Revision.objects.values_list("topic", "number"))
    assert all(left[topic] > entered[topic] for topic in ("catalogues", "leaderboard"))


def test_the_leaderboard_subscribes_to_finished_indexes(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = make_catalogue(items=10, with_images=False)
    found = np.array([[(position + 1) % 10, -1] for position in range(10)], dtype=np.int32)
    found[4] = -1  # nothing found

    class Neighbours:
        positions = found

    monkeypatch.setattr(
        "evaluation.services.extras.read_neighbours", lambda index: (np.arange(10), Neighbours())
    )
    events.announce_index_built(make_index(catalogue))
    assert Contender.objects.get().credits.count() == 4


def test_many_questions_under_many_contenders() -> None:
    """More rows than one statement may carry."""
    catalogue = make_catalogue(items=1500, with_images=False)
    rng = np.random.default_rng(0)
    for number in range(8):
        nearest = {position: int(rng.integers(1500)) for position in range(1500)}
        enter_contender(index=make_index(catalogue, encoder=f"encoder-{number}"), nearest=nearest, now=NOW)
    assert Credit.objects.count() == 8 * 750
    assert Tally.objects.count() == 8 * 3
    assert find_differences() == []
    assert len(load_pool(catalogue.pk)) == Pair.objects.count()
