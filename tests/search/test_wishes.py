"""What the search page's addresses say, and what they are refused for."""

import uuid

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from search.engine.regions import LEAST_CROP, crop_region
from search.forms.wishes import SHORTEST, Asked, find_shortest, read_asked, read_leniently, round_area
from search.selectors.searches import Area, SearchRefused

percent = st.integers(0, 100)
# What QueryDict and the page's own fields can hold: any words of a catalogue; none has the character zero.
words = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), min_size=1, max_size=12
)


@st.composite
def areas(draw):
    left, top = draw(st.integers(0, 100 - SHORTEST)), draw(st.integers(0, 100 - SHORTEST))
    area = left, top, draw(st.integers(SHORTEST, 100 - left)), draw(st.integers(SHORTEST, 100 - top))
    return None if area == (0, 0, 100, 100) else area


asked = st.builds(
    Asked,
    photo=st.none() | st.uuids(),
    item=st.none() | st.integers(0, 10**6),
    area=st.none() | areas(),
    weights=st.none() | st.dictionaries(words, percent, max_size=4),
    filters=st.dictionaries(words, st.lists(words, min_size=1, max_size=3), max_size=3),
    engine=st.sampled_from(["", "thimble-siamese:l2"]),
    page=st.integers(1, 10),
    everything=st.booleans(),
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(asked)
def test_an_address_says_all_that_was_asked(one):
    assert read_asked(QueryDict(one.query())) == one


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_proposal_is_rounded_into_the_photo_and_can_be_cropped(left, top, width, height):
    rounded = round_area(Area(left, top, min(width, 1 - left), min(height, 1 - top)))
    assert rounded[2] >= SHORTEST and rounded[3] >= SHORTEST
    assert rounded[0] >= 0 and rounded[0] + rounded[2] <= 100
    assert rounded[1] >= 0 and rounded[1] + rounded[3] <= 100


@given(st.integers(24, 640), st.integers(24, 640), st.data())
def test_what_the_page_lets_crop_is_searched_with(width, height, data):
    across, down = find_shortest(width, height)
    left, top = data.draw(st.integers(0, 100 - across)), data.draw(st.integers(0, 100 - down))
    wide, high = data.draw(st.integers(across, 100 - left)), data.draw(st.integers(down, 100 - top))
    picture = Image.new("L", (width, height))
    box = {"left": left / 100, "top": top / 100, "width": wide / 100, "height": high / 100}
    assert min(crop_region(picture, **box).size) >= LEAST_CROP
    assert find_shortest(640, 640) == (SHORTEST, SHORTEST), "of the usual photo"


def test_weights_count_only_where_the_person_says_that_they_are_theirs():
    assert read_asked(QueryDict("photo=&w-colour=80")).weights is None
    assert read_asked(QueryDict("own=1&w-colour=80&w-shape=")).weights == {"colour": 80}


def test_the_button_that_goes_back_to_the_pages_own_weights_wins_over_the_check_box():
    for words in ("own=1&own=0", "own=0&own=1"):
        assert read_asked(QueryDict(f"{words}&w-colour=80")).weights is None


def test_a_proposals_button_wins_over_the_fields_and_the_whole_photo_is_no_crop():
    assert read_asked(QueryDict("left=1&top=2&width=30&height=40&region=5,6,70,80")).area == (5, 6, 70, 80)
    assert read_asked(QueryDict("left=1&top=2&width=30&height=40&region=0,0,100,100")).area is None
    assert read_asked(QueryDict("left=&top=&width=&height=")).area is None


def test_a_filter_is_taken_away_and_the_list_begins_anew():
    one = Asked(item=3, filters={"colour": ["red", "blue"]}, page=4)
    assert one.without_filter("colour", "red") == Asked(item=3, filters={"colour": ["blue"]})
    assert one.without_filter("colour", "red").without_filter("colour", "blue") == Asked(item=3)


@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        ("left=10&top=10&width=0&height=20", "bad-area", "at least 4 percent"),
        ("left=10&top=10&width=20", "bad-area", "four numbers"),
        ("left=50&top=10&width=60&height=20", "bad-area", "beyond the photo"),
        ("left=1e1&top=10&width=60&height=20", "bad-area", "whole number"),
        ("left=-1&top=10&width=60&height=20", "bad-area", "whole number"),
        ("region=1,2,3", "bad-area", "four numbers"),
        ("own=1&w-colour=101", "bad-weight", "0 to 100"),
        ("own=1&w-colour=much", "bad-weight", "weight of colour"),
        ("item=first", "no-such-item", "whole number"),
        ("page=0", "bad-page", "from 1 on"),
        ("page=99999999999999999999", "bad-page", "from 1 on"),
        ("photo=mine", "no-such-photo", "no such photo"),
    ],
)
def test_what_says_nothing_is_refused_in_words(address, code, words):
    with pytest.raises(SearchRefused) as refused:
        read_asked(QueryDict(address))
    assert refused.value.code == code
    assert words in str(refused.value)


def test_of_a_refused_address_what_is_searched_with_stays():
    photo = uuid.uuid4()
    assert read_leniently(QueryDict(f"photo={photo}&left=10&top=10&width=0&height=0")) == Asked(photo=photo)
    assert read_leniently(QueryDict("photo=mine")) == Asked()
