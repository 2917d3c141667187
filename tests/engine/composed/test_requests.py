"""A request in words: what is wanted, what is not, and what nobody understood."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.composed.requests import MOST_CHARACTERS, RequestRejected, read_request
from search.engine.composed.vocabulary import Attribute
from tests.engine.composed.wardrobe_words import VOCABULARY

WHITE_DRESS = tuple(
    Attribute(*pair)
    for pair in [
        ("kind", "dress"), ("colour", "white"), ("pattern", "plain"), ("length", "knee"), ("sleeve", "short"),
    ]
)  # fmt: skip


def read(text):
    return read_request(text, VOCABULARY)


def sides(text, item=WHITE_DRESS):
    change = read(text).of(item, VOCABULARY)
    return [str(it) for it in change.wanted], [str(it) for it in change.unwanted]


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("the same, but black", ["colour: black"], []),
        ("Black with long-sleeves!", ["colour: black", "sleeve: long"], []),
        ("not white", [], ["colour: white"]),
        ("it isn't plain, it is floral", ["pattern: floral"], ["pattern: plain"]),
        ("no floral or striped pattern", [], ["pattern: floral", "pattern: horizontal stripes"]),
        ("not white but black", ["colour: black"], ["colour: white"]),
        ("instead of white, black", ["colour: black"], ["colour: white"]),
        ("black instead of white", ["colour: black"], ["colour: white"]),
        ("replace white with red", ["colour: red"], ["colour: white"]),
        ("without belt and buttons", [], ["closure: belt", "closure: buttons"]),
        ("no sleeves and a collar", ["sleeve: sleeveless", "neckline: shirt collar"], []),
        ("less floral", [], ["pattern: floral"]),
        ("not sleeveless", [], ["sleeve: sleeveless"]),
        ("longer", ["length: midi", "length: calf", "length: maxi"], []),
        ("not longer", ["length: mini", "length: mid-thigh", "length: thigh"], []),
        ("shorter sleeves", ["sleeve: sleeveless"], []),
    ],
)
def test_what_is_wanted_and_what_is_not(text, wanted, unwanted):
    assert sides(text) == (wanted, unwanted)


def test_what_is_not_spoken_of_is_kept():
    change = read("black, not knee-length").of(WHITE_DRESS, VOCABULARY)
    assert [str(it) for it in change.kept] == ["kind: dress", "pattern: plain", "sleeve: short"]


def test_a_word_of_two_aspects_is_of_the_one_that_the_item_has():
    shared = VOCABULARY
    text = "square"
    boot = (Attribute("kind", "boot"), Attribute("toe", "round"))
    assert {str(it) for it in read("square toe").of(boot, shared).wanted} == {"toe: square"}
    assert read(text).says_nothing  # "square" alone is no phrase of clothes
    assert sides("medium", (Attribute("size", "small"),))[0] == ["size: medium"]


def test_a_contradiction_is_found_and_changes_nothing():
    reading = read("red but not red")
    assert reading.contradictions == (Attribute("colour", "red"),)
    assert sides("red but not red") == ([], [])


def test_unknown_words_are_told_where_they_stand():
    reading = read("a black one with puffy sleeves and WHATSITS")
    assert reading.unknown_words == ("puffy", "WHATSITS")


@pytest.mark.parametrize(
    "text", ["el mismo pero negro", "das gleiche in schwarz", "同じもので黒", "тот же чёрный"]
)
def test_in_another_language_nothing_is_guessed(text):
    reading = read(text)
    assert reading.says_nothing
    assert reading.unknown_words


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"), ("  \n ", "empty"), ("?!…", "empty"),
        ("a" * (MOST_CHARACTERS + 1), "too-long"), ("x " * 200, "too-long"),
        ("<b>black</b>", "markup"), ("black &lt;", "markup"), ("</script", "markup"),
        ("bla\x00ck", "control-characters"), ("bl\x1back", "control-characters"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_request_is_refused_with_its_reason(text, code):
    with pytest.raises(RequestRejected) as refused:
        read(text)
    assert refused.value.code == code
    assert str(refused.value).endswith(".")


def test_a_sign_for_less_is_no_markup():
    assert not read("sleeves < 3, but black").says_nothing


SAID = "red blue not no without longer sleeves long short , . but and dress puffy isn't v-neck"
WORDS = st.sampled_from(SAID.split())


@given(st.lists(WORDS, min_size=1, max_size=25).map(" ".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused_and_spans_are_in_order(text):
    try:
        reading = read(text)
    except RequestRejected:
        return
    spans = sorted([(m.start, m.end) for m in reading.mentions] + list(reading.unknown))
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    change = reading.of(WHITE_DRESS, VOCABULARY)
    assert not set(change.wanted) & set(change.unwanted)
    assert not set(change.kept) & (set(change.wanted) | set(change.unwanted))
