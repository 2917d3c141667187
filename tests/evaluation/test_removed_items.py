"""Items that an operator takes away: dealt no more, while everything voted on them stays and counts."""

import pytest
from django.db.models import Q
from django.test import Client

from evaluation.models import Deal, Pair, Vote
from evaluation.selectors import extras, pools
from evaluation.selectors.board import Filters, read_board
from evaluation.selectors.catalogues import list_catalogue_cards
from evaluation.services.recount import find_differences
from search.models import Catalogue, JobState
from search.selectors.alike import NamedLines, list_alike
from search.selectors.catalogues import image_url
from search.services.jobs import run_in_foreground
from search.services.removing import request_removal
from search.services.training_samples import divide, read_items
from tests.evaluation.checking import make_checked_catalogue
from tests.evaluation.decks import Deck
from tests.factories import NOW
from tests.lessons import make_school

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    return make_checked_catalogue(monkeypatch)


def remove(catalogue: Catalogue, keys: list[str], *, back: bool = False) -> None:
    job = request_removal(catalogue=catalogue, keys=keys, now=NOW, back=back)
    assert run_in_foreground(job=job, report=lambda row: None).state == JobState.DONE


def test_a_removed_item_is_dealt_no_more_and_votes_on_it_stay(catalogue: Catalogue) -> None:
    deck = Deck(catalogue.slug)
    deals = deck.deal(6)["deals"]
    deck.vote_all(deals, "dope", "nope")
    voted = Vote.objects.select_related("deal__pair__question").first()
    assert voted is not None
    items = [voted.deal.pair.question, voted.deal.pair.candidate]
    before = (Pair.objects.count(), Deal.objects.count(), Vote.objects.count())
    board = read_board(Filters())
    remove(catalogue, [item.key for item in items])
    assert (Pair.objects.count(), Deal.objects.count(), Vote.objects.count()) == before
    assert find_differences() == []
    assert read_board(Filters()) == board
    gone = set(
        Pair.objects.filter(Q(question__in=items) | Q(candidate__in=items)).values_list("pk", flat=True)
    )
    aside = extras.load_extras(catalogue.pk)
    shelves = [pools.load_pool(catalogue.pk), aside.lessons, aside.identical, aside.random]
    assert gone and all(gone.isdisjoint(shelf.pairs.tolist()) for shelf in shelves)
    known = set(Deal.objects.values_list("pk", flat=True))
    for _ in range(6):
        Deck(catalogue.slug).deal(10)
    fresh = Deal.objects.exclude(pk__in=known)
    assert fresh.count() >= 30 and not fresh.filter(pair__in=gone).exists()


def test_a_deal_that_is_in_a_players_hands_still_counts(catalogue: Catalogue) -> None:
    deck = Deck(catalogue.slug)
    deals = deck.deal(6)["deals"]
    pair = Deal.objects.order_by("place").first().pair
    remove(catalogue, [pair.question.key])
    deck.vote_all(deals, "dope")
    assert Vote.objects.count() == len(deals) and find_differences() == []
    assert Vote.objects.filter(deal__pair=pair).exists()


def test_put_back_it_is_dealt_again(catalogue: Catalogue) -> None:
    before = pools.load_pool(catalogue.pk).pairs.tolist()
    keys = [Pair.objects.get(pk=before[0]).question.key]
    remove(catalogue, keys)
    assert len(pools.load_pool(catalogue.pk).pairs) < len(before)
    remove(catalogue, keys, back=True)
    assert pools.load_pool(catalogue.pk).pairs.tolist() == before


def test_a_removed_item_is_shown_nowhere_to_the_public(catalogue: Catalogue) -> None:
    first, other = catalogue.items.order_by("position")[:2]
    named = [NamedLines("kind", [[other.image_sha256, first.image_sha256, first.image_sha256]])]
    assert list_alike(catalogue=catalogue, named=named)
    [before] = list_catalogue_cards()
    same = catalogue.items.filter(image_sha256=first.image_sha256)
    remove(catalogue, list(same.values_list("key", flat=True)))
    [card] = list_catalogue_cards()
    assert card.items == before.items - same.count()
    shown = Client().get("/").content.decode() + Client().get("/find/").content.decode()
    shown += Client().get(f"/find/?catalogue={catalogue.slug}&from={first.position}").content.decode()
    assert image_url(first.image_sha256) in before.covers
    assert first.image_sha256 not in shown + " ".join(card.covers)
    assert not list_alike(catalogue=catalogue, named=named)


def test_a_removed_item_is_on_no_side_of_a_training() -> None:
    school = make_school(items=36)

    def sides() -> list[set[str]]:
        items = read_items(school)
        division = divide(items, validation_share=0.3)
        rows = (division.learned, division.validation, division.held_out)
        return [{items.keys[row] for row in some} for some in rows]

    before = sides()
    gone = {min(side) for side in before}
    remove(school, sorted(gone))
    assert set().union(*sides()) == set().union(*before) - gone
    assert sides()[2] == before[2] - gone
