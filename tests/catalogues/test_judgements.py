"""Tables of judgements: what is read, what is merged, and what is refused by line."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.catalogues.judgements import JudgementsRejected, find_views, read_judgements

COUNTED = "split,ref,a,b,votes_a,votes_b\ntrain,x,y,z,3,1\ntest,y,x,z,0,2\n"


def write(tmp_path, text, name="judgements.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_counts_are_read_and_other_columns_left_alone(tmp_path):
    read = read_judgements(write(tmp_path, COUNTED))
    assert read.names == ("x", "y", "z")
    assert read.triplets.tolist() == [[0, 1, 2], [1, 0, 2]]
    assert read.votes.tolist() == [[3, 1], [0, 2]]
    assert read.answers is None


def test_lines_of_json_say_the_same(tmp_path):
    rows = [
        {"ref": "x", "a": "y", "b": "z", "votes_a": 3, "votes_b": 1},
        {"ref": "y", "a": "x", "b": "z", "votes_a": 0, "votes_b": 2},
    ]
    path = write(tmp_path, "\n".join(map(json.dumps, rows)), "judgements.jsonl")
    ours, theirs = read_judgements(path), read_judgements(write(tmp_path, COUNTED))
    assert (ours.names, ours.votes.tolist()) == (theirs.names, theirs.votes.tolist())
    assert ours.sha256 != theirs.sha256


def test_one_question_in_both_orders_is_one_question(tmp_path):
    text = "ref,a,b,votes_a,votes_b\nx,y,z,3,1\nx,z,y,2,5\nx,y,w,0,0\n"
    read = read_judgements(write(tmp_path, text))
    assert read.votes.tolist() == [[8, 3]]  # and what nobody answered is no question


def test_single_answers_are_counted_and_kept(tmp_path):
    text = "ref,a,b,person,choice\nx,y,z,ann,a\nx,z,y,bob,A\nx,y,z,ann,b\ny,x,z,bob,b\n"
    read = read_judgements(write(tmp_path, text))
    assert read.votes.tolist() == [[1, 1], [0, 1]]  # ann's first answer counts
    assert read.answers.questions.tolist() == [0, 0, 1]
    assert read.answers.options.tolist() == [0, 1, 1]
    assert read.answers.people.tolist() == [0, 1, 1]


names = st.sampled_from(["item 1", "item, 2", "päär", '"quoted"'])
rows = st.lists(
    st.tuples(names, names, names, st.integers(0, 9), st.integers(0, 9)).filter(
        lambda row: len(set(row[:3])) == 3
    ),
    max_size=12,
)


@given(rows)
def test_no_vote_is_lost_or_turned(tmp_path_factory, rows):
    text = [json.dumps(dict(zip(("ref", "a", "b", "votes_a", "votes_b"), row, strict=True))) for row in rows]
    path = write(tmp_path_factory.mktemp("votes"), "\n".join(text), "judgements.jsonl")
    expected: dict[tuple[str, str, str], int] = {}
    for ref, a, b, of_a, of_b in rows:
        expected[ref, a, b] = expected.get((ref, a, b), 0) + of_a
        expected[ref, b, a] = expected.get((ref, b, a), 0) + of_b
    if not any(expected.values()):
        with pytest.raises(JudgementsRejected):
            read_judgements(path)
        return
    read = read_judgements(path)
    found = {}
    for places, votes in zip(read.triplets.tolist(), read.votes.tolist(), strict=True):
        ref, a, b = (read.names[place] for place in places)
        found[ref, a, b], found[ref, b, a] = votes
    assert {key: count for key, count in found.items() if count} == {
        key: count for key, count in expected.items() if count
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ref,a,b\nx,y,z\n", "needs the columns ref, a, b and either votes_a, votes_b or person, choice"),
        ("", "needs the columns .* It has: none"),
        ("ref,a,b,votes_a,votes_b\n", "holds no answer"),
        ("ref,a,b,votes_a,votes_b\nx,y,z,0,0\n", "holds no answer"),
        ("ref,a,b,votes_a,votes_b\nx,y,z,1,0\nx,y,y,1,0\n", "line 3: It must name three different items"),
        ("ref,a,b,votes_a,votes_b\nx,y,,1,0\n", "line 2: It must name three different items"),
        ("ref,a,b,votes_a,votes_b\nx,y,z,-1,0\n", "line 2: votes_a is a whole number of people, not “-1”"),
        ("ref,a,b,votes_a,votes_b\nx,y,z,1,1.5\n", "votes_b is a whole number of people, not “1.5”"),
        ("ref,a,b,votes_a,votes_b\nx,y,z,1,99999999\n", "votes_b is a whole number"),
        ("ref,a,b,votes_a,votes_b\nx,y,z,1\n", "votes_b is a whole number of people, not “”"),
        ("ref,a,b,person,choice\nx,y,z,ann,both\n", "line 2: It needs a person, and a choice a or b"),
        ("ref,a,b,person,choice\nx,y,z,,a\n", "line 2: It needs a person"),
    ],
)
def test_what_cannot_be_read_is_told_by_line(tmp_path, text, told):
    with pytest.raises(JudgementsRejected, match=told):
        read_judgements(write(tmp_path, text))


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(JudgementsRejected, match="cannot be read: No such file"):
        read_judgements(tmp_path / "gone.csv")


def test_names_mean_items_of_that_key():
    views = find_views(["b", "a.jpg"], ["a.jpg", "b", "c"])
    assert (views.places.tolist(), views.lights) == ([[1], [0]], ("",))


def test_names_mean_all_views_of_a_thing():
    keys = ["noon/chrome.jpg", "noon/teflon.jpg", "dusk/teflon.jpg", "dusk/chrome.jpg", "night/chrome.jpg"]
    views = find_views(["teflon", "chrome.jpg"], keys)
    assert views.lights == ("dusk", "noon")
    assert views.places.tolist() == [[2, 1], [3, 0]]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (["noon/teflon.jpg"], "1 of 2 judged items are not in the catalogue: chrome"),
        ([], "2 of 2 judged items"),
        (["noon/teflon.jpg", "dusk/chrome.jpg"], "lie in different folders"),
        (["teflon.jpg", "teflon.png", "chrome.png"], "“teflon” may mean teflon.jpg, teflon.png"),
    ],
)
def test_names_that_mean_no_one_item_are_told(keys, told):
    with pytest.raises(JudgementsRejected, match=told):
        find_views(["teflon", "chrome"], keys)


@given(st.lists(st.text("ab/.", min_size=1, max_size=6), unique=True, min_size=1))
def test_whole_keys_always_mean_themselves(keys):
    assert np.array_equal(find_views(keys, keys).places[:, 0], np.arange(len(keys)))


@pytest.mark.parametrize("keys", [["teflon.jpg", "chrome.jpg"], ["noon/teflon.jpg", "noon/chrome.jpg"]])
def test_two_names_for_one_item_are_refused(keys):
    with pytest.raises(JudgementsRejected, match=r"“teflon” and “teflon.jpg” are one item"):
        find_views(["chrome", "teflon", "teflon.jpg"], keys)
