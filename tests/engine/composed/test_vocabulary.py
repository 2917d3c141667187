"""Attributes are found in free text by their longest exact phrase, however it is typed."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.composed.tokens import tokenise
from search.engine.composed.vocabulary import Attribute, Comparative, Vocabulary, phrases_of
from tests.engine.composed.wardrobe_words import ATTRIBUTES, VOCABULARY

DRESS = (Attribute("kind", "dress"), Attribute("length", "knee"), Attribute("sleeve", "short"))


def find(text, vocabulary=VOCABULARY):
    return [match.meanings for match in vocabulary.match(tokenise(text))]


@given(st.sampled_from(ATTRIBUTES), st.data(), st.sampled_from([str.lower, str.upper, str.title]))
def test_every_phrase_of_an_attribute_is_found_whole_however_it_is_typed(attribute, data, case):
    phrase = case(data.draw(st.sampled_from(phrases_of(attribute))))
    phrase = phrase.replace("-", data.draw(st.sampled_from("- ")))
    [match] = VOCABULARY.match(tokenise(phrase))
    assert attribute in match.meanings
    assert (match.first, match.last) == (0, len(tokenise(phrase)))


@pytest.mark.parametrize(
    ("text", "attribute"),
    [
        ("patent leather", ("material", "patent leather")),
        ("dark blue", ("colour", "navy")),
        ("without any sleeves", ("sleeve", "sleeveless")),
        ("V-Necks", ("neckline", "v-neck")),
        ("polka-dotted polka dot", ("pattern", "dots")),
    ],
)
def test_the_longest_phrase_wins_and_plurals_and_hyphens_do_not_matter(text, attribute):
    assert (Attribute(*attribute),) in find(text)


def test_a_phrase_does_not_reach_over_the_end_of_a_clause():
    vocabulary = Vocabulary([Attribute("colour", "navy blue"), Attribute("colour", "blue")], spoken={})
    assert find("navy blue", vocabulary) == [(Attribute("colour", "navy blue"),)]
    assert find("navy, blue", vocabulary) == [(Attribute("colour", "blue"),)]


def test_a_phrase_of_several_attributes_means_each_of_them():
    shared = [Attribute("toe", "square"), Attribute("neckline", "square")]
    assert find("square", Vocabulary(shared, spoken={})) == [tuple(shared)]


def test_a_catalogue_with_words_of_its_own_needs_no_list():
    vocabulary = Vocabulary([Attribute("era", "Art Déco")])
    assert find("ART DÉCO, please", vocabulary) == [(Attribute("era", "Art Déco"),)]
    assert find("longer and darker", vocabulary) == []


def test_comparatives_move_along_the_scale_that_has_the_items_own_value():
    longer, shorter = Comparative("length", True), Comparative("length", False)
    assert VOCABULARY.moved(DRESS, longer) == tuple(
        Attribute("length", value) for value in ("midi", "calf", "maxi")
    )
    assert Attribute("length", "mini") in VOCABULARY.moved(DRESS, shorter)
    boot = (Attribute("kind", "boot"), Attribute("length", "calf"))
    assert VOCABULARY.moved(boot, longer) == (Attribute("length", "knee"),)
    assert VOCABULARY.moved([Attribute("length", "maxi")], longer) == ()
    assert VOCABULARY.moved([Attribute("kind", "hat")], longer) == ()


@given(st.text(max_size=80))
def test_words_stand_where_they_are_said_to(text):
    tokens = tokenise(text)
    assert all(text[token.start : token.end].strip() for token in tokens)
    assert all(one.end <= other.start for one, other in pairwise(tokens))
