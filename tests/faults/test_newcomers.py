"""A contender enters while people play: votes go on between its steps, and the counts hold after each."""

from contextlib import ExitStack

import pytest
from django.utils import timezone

from evaluation.models import Contender, Pair
from evaluation.services import crediting
from evaluation.services.contenders import enter_contender
from evaluation.services.recount import find_differences
from search.models import Catalogue
from tests.factories import make_index
from tests.faults.players import Crowd
from tests.faults.servers import Server

pytestmark = pytest.mark.django_db(transaction=True)


def test_11_votes_go_on_while_a_contender_enters_with_the_pairs_that_are_being_judged(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = Catalogue.objects.get()
    crowd = Crowd(server, players=4, deals=10)
    found = {
        pair.question.position: pair.candidate.position
        for pair in Pair.objects.filter(deals__round__catalogue=catalogue).select_related(
            "question", "candidate"
        )
    }
    credit_some = crediting.credit_some
    steps = 0

    def credit_and_look_on(contender: Contender, pairs: list[Pair]) -> None:
        nonlocal steps
        steps += 1
        credit_some(contender, pairs)
        assert find_differences() == []
        if not crowd.acknowledged:
            playing.enter_context(crowd.playing())
        # Nothing that this process holds may keep them waiting now.
        crowd.wait_for_votes(min(len(crowd.acknowledged) + 3, 40))

    monkeypatch.setattr(crediting, "MOST_AT_ONCE", 5)
    monkeypatch.setattr(crediting, "credit_some", credit_and_look_on)
    with ExitStack() as playing:
        newcomer = enter_contender(
            index=make_index(catalogue, encoder="newcomer"), nearest=found, now=timezone.now()
        )
    assert steps > 1, "people judged between its steps"
    assert crowd.refused.total() == 0
    crowd.check_end()
    assert sum(newcomer.tallies.values_list("dopes", flat=True)) > 0
