"""What the page of a finished training shows of its encoder: masks, what is alike, how far to believe it."""

import re
from html import unescape
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from search.models import Attribute, Catalogue, Item, Label
from tests.trainings import make_card, make_lessons, make_trained, make_training

pytestmark = pytest.mark.django_db
SECTIONS = {"masks", "alike", "reliability"}


@pytest.fixture
def catalogue(db) -> Catalogue:
    return make_lessons()


def page_of(client, catalogue: Catalogue, kind: str, **card: Any) -> str:
    """The page of a training of this kind whose card is so, as text."""
    training = make_trained(make_training(catalogue, kind=kind), **card)
    answer = client.get(f"/operations/trainings/{training.pk}/")
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def sections(page: str) -> set[str]:
    return SECTIONS & set(re.findall(r'<section aria-labelledby="([\w-]+)"', page))


def lines(page: str) -> list[list[tuple[str, str, bool]]]:
    """(alt, values, same) of every picture of every line."""
    rows = re.findall('<ol class="alike">.*?</ol>', page, re.DOTALL)
    return [[describe(picture) for picture in re.findall("<li.*?</li>", row, re.DOTALL)] for row in rows]


def describe(picture: str) -> tuple[str, str, bool]:
    alt = re.search('alt="(.*?)"', picture)[1]
    words = re.sub(r"<[^>]+>", "", picture).strip()
    return alt, words.removeprefix("Same: "), words.startswith("Same: ")


@pytest.mark.parametrize(
    ("kind", "shown"), [("csn", {"masks", "alike"}), ("aspects", {"alike", "reliability"})]
)
def test_each_kind_shows_what_its_card_holds(operator, catalogue, kind, shown):
    page = page_of(operator, catalogue, kind, **make_card(catalogue, kind))
    assert sections(page) == shown
    assert ("Predicted attributes" in page) == (kind == "aspects")


@pytest.mark.parametrize("kind", ["csn", "aspects", "transfer"])
def test_a_card_of_old_shows_nothing_of_it(operator, catalogue, kind):
    assert sections(page_of(operator, catalogue, kind)) == set()


def test_masks_are_told_in_figures_too(operator, catalogue):
    page = page_of(operator, catalogue, "csn", **make_card(catalogue, "csn"))
    rows = re.findall(r"<tr>.*?</tr>", page[page.index("Table of masks") :], re.DOTALL)[1:]
    cells = [re.sub(r"<[^>]+>", " ", row).split() for row in rows]
    assert cells == [["kind", "11", "16", "–", "23", "%"], ["colour", "11", "32", "23", "%", "–"]]
    assert len(re.findall('<svg class="mask-chart"', page)) == 2, "for wide and for narrow screens"


def test_the_nearest_stand_beside_their_query_with_the_aspects_values(operator, catalogue):
    page = page_of(operator, catalogue, "csn", **make_card(catalogue, "csn"))
    by_kind, by_colour = lines(page)[0], lines(page)[3]
    assert by_kind[:4] == [
        ("Query: shirt", "shirt", False),
        ("Nearest 1: boot", "boot", False),
        ("Nearest 2: bag", "bag", False),
        ("Nearest 3: shirt", "shirt", True),
    ]
    assert [values for _, values, _ in by_colour] == ["black", "black", "red", "red", "green", "green"]
    assert [same for _, _, same in by_colour] == [False, True, False, False, False, False]
    pictures = re.findall("<img.*?>", page, re.DOTALL)
    assert pictures and all('loading="lazy"' in picture and 'width="24"' in picture for picture in pictures)
    first = catalogue.items.first()
    assert f'src="/images/{first.image_sha256}.webp"' in pictures[0]


def test_what_a_network_predicted_does_not_count_as_the_same(operator, catalogue):
    Label.objects.update(source=Label.Source.PREDICTED)
    page = page_of(operator, catalogue, "csn", **make_card(catalogue, "csn"))
    assert {(values, same) for line in lines(page) for _, values, same in line} == {("", False)}


def test_only_pictures_of_the_catalogue_are_shown(operator, catalogue):
    images = [item.image_sha256 for item in catalogue.items.all()[:3]]
    alike = [
        {"aspect": "kind", "images": [["../../secret", *images], [images[0], "ab" * 32, images[1]], []]},
        {"aspect": "colour", "images": [["ab" * 32, "cd" * 32]]},
    ]
    page = page_of(operator, catalogue, "csn", alike=alike)
    assert [[alt for alt, _, _ in line] for line in lines(page)] == [["Query: shirt", "Nearest 2: boot"]]
    assert "secret" not in page and ">colour</h3>" not in page


def test_how_far_it_can_be_believed_is_told_in_words_and_as_a_table(operator, catalogue):
    page = page_of(operator, catalogue, "aspects", **make_card(catalogue, "aspects"))
    told = re.sub(r"\s+", " ", page)
    assert "calibration error 3 %" in told  # (12 x .2 + 60 x .05 + 228 x .02) / 300
    assert "Temperature 1.43: it was too sure of itself" in told
    assert "Temperature 0.80: it was too unsure of itself" in told
    assert len(re.findall('<svg class="reliability-chart"', page)) == 2
    rows = re.findall(r"<tr>.*?</tr>", page[page.index("accuracy by confidence") :], re.DOTALL)
    cells = [re.sub(r"<[^>]+>", " ", row).split() for row in rows]
    assert ["colour", "70", "%", "75", "%", "60"] in cells and len(cells) == 1 + 5


def test_an_aspect_that_nobody_could_judge_says_so(operator, catalogue):
    page = page_of(operator, catalogue, "aspects", calibration=[{"aspect": "kind", "bins": []}])
    assert "No held-out item has a value of it." in page
    assert "reliability-chart" not in page


def test_temperatures_that_cannot_be_read_hide_no_diagram(operator, catalogue):
    card = {**make_card(catalogue, "aspects"), "temperatures": [1.0, "warm"]}
    page = page_of(operator, catalogue, "aspects", **card)
    assert "reliability-chart" in page and "Temperature" not in page


def test_it_says_how_many_attributes_the_encoder_itself_predicted(operator, catalogue):
    training = make_trained(make_training(catalogue, kind="aspects"))
    colours = list(Attribute.objects.filter(aspect__name="colour")[:2])
    Label.objects.all().delete()
    mine = f"pupil {training.encoder_version}"
    for item, who in zip(catalogue.items.all()[:4], (mine, mine, mine, "pupil of-old"), strict=True):
        for colour in colours:
            Label.objects.create(item=item, attribute=colour, source=Label.Source.PREDICTED, predicted_by=who)
    address = f"/operations/trainings/{training.pk}/"
    page = re.sub(r"\s+", " ", operator.get(address).content.decode())
    assert "6 on 3 of 24 items, where nobody had given a value" in page
    Label.objects.all().delete()
    assert "none on 24 items" in operator.get(address).content.decode()


def test_names_are_text_here_too(operator, catalogue):
    Catalogue.objects.update(title="x")
    Attribute.objects.filter(value="shirt").update(value='<i>"shirt')
    card = make_card(catalogue, "csn") | {"aspects": [{"name": "<b>kind"}, {"name": 'x" <b>'}]}
    training = make_trained(make_training(catalogue, kind="csn"), **card)
    page = operator.get(f"/operations/trainings/{training.pk}/").content.decode()
    assert "mask-chart" in page and "&lt;b&gt;kind" in page
    assert "<b>" not in page and "<i>" not in page and 'x" <' not in page


scraps = st.none() | st.booleans() | st.integers(-3, 10**6) | st.floats(allow_nan=True) | st.text(max_size=5)
anything = st.recursive(
    scraps,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "aspect", "images", "bins", "count", "confidence", "accuracy", "versions"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KEYS = ["masks", "alike", "calibration", "temperatures", "aspects", "lineage", "held_out_measures"]


@how(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(kind=st.sampled_from(["csn", "aspects"]), wrong=st.dictionaries(st.sampled_from(KEYS), anything))
def test_whatever_a_card_holds_the_page_is_shown(operator, catalogue, kind, wrong):
    page = page_of(operator, catalogue, kind, **make_card(catalogue, kind) | wrong)
    assert 'aria-labelledby="outcome"' in page
    assert Item.objects.count() == 24


def test_the_page_says_which_lifestyle_photos_were_left_out(operator, catalogue):
    told = "3 of 9 lifestyle photos are left out (1 without any region, 2 whose regions are unlike the item)."
    assert told in page_of(operator, catalogue, "siamese", sight={"left_out": 3, "told": told})
