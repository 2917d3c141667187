"""Tables of slates: what is read, what is a repeat, and what is refused by line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.catalogues.judgements import JudgementsRejected
from search.catalogues.slate_judgements import (
    IMPORTED,
    SlateAnswer,
    SlatePick,
    SlateQuestion,
    gather_slates,
    holds_slates,
    read_slate_judgements,
)

HEAD = "ref,slate,pick,person"


def write(tmp_path, text, name="slates.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def read(path):
    return read_slate_judgements(path)[0]


def test_a_slate_is_one_question_in_whatever_order_it_was_shown(tmp_path):
    said = read(write(tmp_path, f"{HEAD}\nr,a|b|c|d,c,ann\nr,d|c|b|a,a,bob\nr,a|b|c,,ann\n"))
    assert said.names == ("a", "b", "c", "d", "r") and said.people == ("ann", "bob")
    assert said.questions == (
        SlateQuestion(4, (0, 1, 2, 3), IMPORTED),
        SlateQuestion(4, (0, 1, 2), IMPORTED),
    )
    assert said.answers == (SlateAnswer(0, 0, 2), SlateAnswer(0, 1, 0), SlateAnswer(1, 0, None))
    assert said.repeats == ()


def test_the_first_turn_counts_and_others_are_repeats_wherever_they_stand(tmp_path):
    said = read(write(tmp_path, f"{HEAD},turn\nr,a|b,b,ann,2\nr,a|b,a,ann,1\nr,a|b,b,ann,\n"))
    assert said.answers == (SlateAnswer(0, 0, 0),)
    assert said.repeats == (SlateAnswer(0, 0, 1), SlateAnswer(0, 0, 1))


def test_the_same_slate_from_another_source_is_another_question(tmp_path):
    said = read(write(tmp_path, f"{HEAD},source\nr,a|b,a,ann,random\nr,a|b,a,ann,nearest\nr,a|b,a,ann,\n"))
    assert [question.source for question in said.questions] == ["random", "nearest", IMPORTED]


def test_lines_of_json_say_the_same_with_slates_as_lists(tmp_path):
    rows = [
        {"ref": "r", "slate": ["a, b", "c"], "pick": "c", "person": "ann"},
        {"ref": "r", "slate": ["c", "a, b"], "pick": None, "person": "bob"},
    ]
    lines = read(write(tmp_path, "\n".join(map(json.dumps, rows)), "slates.jsonl"))
    table = read(write(tmp_path, f'{HEAD}\nr,"a, b|c",c,ann\nr,"c|a, b",,bob\n'))
    assert lines == table


def test_tables_of_pairs_and_of_slates_are_told_apart(tmp_path):
    assert holds_slates(write(tmp_path, "REF,Slate,pick,person\n"))
    assert not holds_slates(write(tmp_path, "ref,a,b,votes_a,votes_b\n"))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("r,a,a,ann", "line 2: .*two different ones"),
        ("r,a|a,a,ann", "two different ones"),
        ("r,r|a,a,ann", "two different ones"),
        ("r,a|,a,ann", "two different ones"),
        (",a|b,a,ann", "two different ones"),
        ("r,a|b,c,ann", "“c” is not on the slate"),
        ("r,a|b,a,", "needs a person"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_line(tmp_path, row, told):
    with pytest.raises(JudgementsRejected, match=told):
        read(write(tmp_path, f"{HEAD}\n{row}\n"))


@pytest.mark.parametrize("turn", ["x", "-1", "1.5", "9" * 40])
def test_a_turn_is_a_whole_number(tmp_path, turn):
    with pytest.raises(JudgementsRejected, match="turn is a whole number"):
        read(write(tmp_path, f"{HEAD},turn\nr,a|b,a,ann,{turn}\n"))


def test_a_table_without_answers_is_refused(tmp_path):
    with pytest.raises(JudgementsRejected, match="holds no answer"):
        read(write(tmp_path, f"{HEAD}\n"))
    with pytest.raises(JudgementsRejected, match="cannot be read"):
        holds_slates(tmp_path / "none.csv")


picks = st.lists(
    st.builds(
        lambda shown, count, of, person: SlatePick(
            shown[0],
            tuple(shown[1:count]),
            None if of is None else shown[1:count][of % (count - 1)],
            person,
            "random",
        ),
        st.permutations("abcdef"),
        st.integers(3, 6),
        st.none() | st.integers(0, 9),
        st.sampled_from(["ann", "bob"]),
    ),
    min_size=1,
    max_size=12,
)


@given(picks)
def test_what_is_gathered_names_what_was_picked(given_picks):
    said = gather_slates(given_picks)
    assert len(said.answers) + len(said.repeats) == len(given_picks)
    told = {
        (said.names[question.ref], frozenset(said.names[place] for place in question.options)): number
        for number, question in enumerate(said.questions)
    }
    first = {}
    for pick in given_picks:
        first.setdefault((told[pick.ref, frozenset(pick.slate)], pick.person), pick.pick)
    for answer in said.answers:
        options = said.questions[answer.question].options
        picked = None if answer.option is None else said.names[options[answer.option]]
        assert first[answer.question, said.people[answer.person]] == picked
