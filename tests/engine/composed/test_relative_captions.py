"""Captions made up from the difference of two items: true of the target, varied, in people's manner."""

import json
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.composed.relative_captions import Style, describe_change, differences
from search.engine.composed.requests import read_request
from search.engine.composed.tokens import tokenise
from search.engine.composed.vocabulary import Attribute
from tests.engine.composed.wardrobe_words import VOCABULARY, make_items
from tests.requirements import data_folder

ITEMS = make_items(240)
PAIRS = [(a, b) for a, b in combinations(ITEMS, 2) if 1 <= len(differences(a, b)) <= 4]
CHARTED = Style(unlisted=0)


def describe(pair, seed, style=CHARTED):
    return describe_change(*pair, VOCABULARY, np.random.default_rng(seed), style)


@given(st.sampled_from(PAIRS), st.integers(0, 10_000))
def test_what_a_caption_asks_for_is_true_of_the_target(pair, seed):
    reference, target = pair
    caption = describe(pair, seed)
    reading = read_request(caption, VOCABULARY)
    change = reading.of(reference, VOCABULARY)
    assert not reading.says_nothing, caption
    assert not reading.unknown, caption
    assert {it.aspect for it in change.wanted} == {it.aspect for it in change.wanted if it in target}, caption
    assert not set(change.unwanted) & set(target), caption


@given(st.sampled_from(PAIRS), st.integers(0, 10_000))
def test_a_caption_speaks_of_nothing_that_both_items_have(pair, seed):
    reference, target = pair
    change = read_request(describe(pair, seed), VOCABULARY).of(reference, VOCABULARY)
    differing = {it.aspect for both in differences(reference, target) for it in both if it is not None}
    assert {it.aspect for it in change.wanted + change.unwanted} <= differing


def test_the_same_seed_says_the_same_and_others_vary():
    assert describe(PAIRS[3], 7) == describe(PAIRS[3], 7)
    assert len({describe(PAIRS[3], seed) for seed in range(40)}) > 12


def test_changes_are_left_unsaid_negated_and_compared_in_the_shares_that_were_asked_for():
    pair = next(pair for pair in PAIRS if len(differences(*pair)) == 3)
    everything = Style(unsaid=0, negated=0, compared=0, unlisted=0)
    counts = Counter(
        len(read_request(describe(pair, seed, everything), VOCABULARY).mentions) for seed in range(30)
    )
    assert set(counts) == {3}
    assert not any(" not " in f" {describe(pair, seed, everything)}" for seed in range(30))
    terse = Style(unsaid=1)
    assert all(len(describe(pair, seed, terse).split()) <= 9 for seed in range(30))


def test_words_that_no_vocabulary_lists_occur_where_they_are_allowed():
    said = [
        read_request(describe(pair, 1, Style(unlisted=1)), VOCABULARY).unknown_words for pair in PAIRS[:200]
    ]
    assert any(said)


def test_items_alike_have_no_change_to_describe():
    with pytest.raises(ValueError, match="no change"):
        describe((ITEMS[0], ITEMS[0]), 0)


def test_an_attribute_that_is_lost_is_said_to_be_unwanted():
    reference = (Attribute("kind", "cardigan"), Attribute("closure", "zip"))
    change = read_request(describe((reference, reference[:1]), 0), VOCABULARY).of(reference, VOCABULARY)
    assert change.unwanted == (Attribute("closure", "zip"),)


@pytest.mark.data
def test_captions_are_as_long_as_fashioniqs_and_in_its_words():
    folder = data_folder() / "fashioniq" / "captions"
    theirs = [
        caption
        for path in sorted(folder.glob("cap.*.train.json"))
        for row in json.loads(path.read_text())
        for caption in row["captions"]
    ]
    ours = [describe(pair, seed, Style()) for seed, pair in enumerate(PAIRS[:2000])]
    lengths = [[len(tokenise(text)) for text in texts] for texts in (theirs, ours)]
    assert abs(np.mean(lengths[0]) - np.mean(lengths[1])) < 1.5
    assert abs(np.quantile(lengths[0], 0.9) - np.quantile(lengths[1], 0.9)) <= 2
    known = {token.word for text in theirs for token in tokenise(text)}
    words = [token.word for text in ours for token in tokenise(text)]
    assert np.mean([word in known for word in words]) > 0.95


@pytest.mark.data
def test_most_of_what_people_wrote_for_fashioniq_speaks_of_a_known_attribute():
    folder = data_folder() / "fashioniq" / "captions"
    rows = json.loads((folder / "cap.dress.val.json").read_text())
    readings = [
        read_request(caption[:400], VOCABULARY) for row in rows for caption in row["captions"] if caption
    ]
    assert np.mean([not reading.says_nothing for reading in readings]) > 0.6
