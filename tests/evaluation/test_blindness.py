"""Case 7: nothing that leaves the server before a vote says which contender is behind a pair (P2)."""

import json
import re
import statistics
from collections import defaultdict

import pytest
from django.http import HttpResponse

from evaluation.models import Contender, Credit, Deal, Pair
from tests.evaluation.decks import Deck
from tests.factories import make_catalogue, make_contenders

pytestmark = pytest.mark.django_db


def _telling_words() -> list[str]:
    """Names and numbers that stand for a contender, its encoder, metric, index or space."""
    words = {"contender", "encoder", "metric", "distance", "embedding", "credit", "propensity", "hamming"}
    for contender in Contender.objects.select_related("index__space"):
        words |= {contender.title, contender.encoder, contender.family}
        words.add(f'"{contender.metric}"')  # quoted: two letters occur in any signature
    return sorted(words)


def _everything(response: HttpResponse) -> str:
    """Status, headers, cookies and body as they go over the wire."""
    headers = "\n".join(f"{name}: {value}" for name, value in response.items() if name != "Cache-Control")
    cookies = "\n".join(morsel.OutputString() for morsel in response.cookies.values())
    return f"{response.status_code}\n{headers}\n{cookies}\n{response.content.decode()}"


def test_07_page_deals_votes_and_undo_name_no_contender() -> None:
    make_contenders(make_catalogue(items=80, with_images=False), count=9)
    deck = Deck()
    sent = []
    for _ in range(3):
        body = {"catalogue": "demo", "round": deck.round, "held": [], "count": 6}
        response = deck.post("/play/deals/", body)
        sent.append(response)
        deck.round = response.json()["round"]
        for deal in response.json()["deals"]:
            sent.append(deck.vote(deal["id"]))
        undone = deck.post("/play/undo/", {"deal": deal["id"]})
        sent += [undone, deck.vote(undone.json()["deal"]["id"])]
    assert len(sent) == 27
    for response in sent:
        wire = _everything(response)
        for word in _telling_words():
            assert word.lower() not in wire.lower(), f"{word} in {wire[:2000]}"
    page = _everything(deck.page)
    for contender in Contender.objects.all():
        assert contender.title not in page
        assert contender.encoder not in page


def test_07_a_deal_holds_nothing_but_id_place_side_and_two_pictures() -> None:
    make_contenders(make_catalogue(items=60, with_images=False), count=6)
    picture = {"image", "width", "height", "alt"}
    for deal in Deck().deal(10)["deals"]:
        assert set(deal) == {"id", "place", "side", "question", "candidate"}
        assert set(deal["question"]) == set(deal["candidate"]) == picture
        assert re.fullmatch(r"[0-9a-f]{32}", deal["id"])
        for shown in (deal["question"], deal["candidate"]):
            assert re.fullmatch(r"/images/[0-9a-f]{64}\.webp", shown["image"])
            assert re.fullmatch(r"(Question|Suggestion): \w+", shown["alt"])


def test_07_the_same_pair_looks_the_same_whoever_found_it() -> None:
    """A pair credited to one contender, then to the control alone: byte for byte the same but for the id."""
    contenders = make_contenders(make_catalogue(items=4, with_images=False), count=1)
    deck = Deck()
    before = deck.deal(1)["deals"][0]
    Credit.objects.all().delete()
    Credit.objects.bulk_create(Credit(pair=pair, contender=contenders[-1]) for pair in Pair.objects.all())
    after = Deck(client=deck.client).post(
        "/play/deals/",
        {"catalogue": "demo", "round": deck.round, "held": [], "count": 1},
        sitting=deck.sitting,
    )
    assert after.json()["deals"] == [before]


def test_07_sizes_depend_on_the_items_not_on_the_contender() -> None:
    """Equal words for all items: then all deals have the same length, up to the digits of the place."""
    make_contenders(make_catalogue(items=200, categories=["bag"], with_images=False), count=9)
    lengths = defaultdict(list)
    for _ in range(8):
        for deal in Deck().deal(9)["deals"]:
            text = json.dumps({**deal, "side": ""})
            for credit in Deal.objects.get(pk=deal["id"]).pair.credits.all():
                lengths[credit.contender_id].append(len(text))
    assert len(lengths) == 10
    assert len({statistics.mean(sizes) for sizes in lengths.values()}) == 1


def test_07_ids_and_order_do_not_follow_the_pairs() -> None:
    """Ids are random: the same pair dealt to two players has ids that share nothing."""
    make_contenders(make_catalogue(items=4, with_images=False), count=1, with_control=False)
    ids = [deal["id"] for _ in range(10) for deal in Deck().deal(2)["deals"]]
    assert len(set(ids)) == 20
    assert len({one[:8] for one in ids}) == 20


def test_errors_are_as_silent_as_answers() -> None:
    make_contenders(make_catalogue(items=20, with_images=False), count=3)
    deck = Deck()
    deal = deck.deal(1)["deals"][0]["id"]
    deck.vote(deal)
    for response in (
        deck.vote(deal, "nope"),
        deck.vote("0" * 32),
        deck.post("/play/undo/", {"deal": "0" * 32}),
        deck.client.get(f"/play/rounds/{deck.round}/"),
    ):
        assert not any(contender.title in response.content.decode() for contender in Contender.objects.all())
