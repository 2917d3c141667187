"""`train judgements`: a simulated user that learned from people, by command, and then plays."""

import io
import json
import re

import pytest
from django.core.management import CommandError, call_command

from search.models import EmbeddingSpace
from tests.evaluation.test_measure_agreement import one_encoder  # noqa: F401
from tests.evaluation.test_measure_judgements import catalogue, path  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def train(*words):
    out = io.StringIO()
    call_command("train", "judgements", *map(str, words), stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_what_people_said_becomes_a_user_that_plays_and_agrees_with_them(catalogue, path, tmp_path):  # noqa: F811
    said = train("--catalogue", "demo", "--name", "people", "--judgements", path)
    assert re.search(r"people is ready: it learned from 1,4\d\d questions about 40 items", said)
    table = tmp_path / "table.json"
    call_command(
        *("measure_agreement", "--catalogue", "demo", "--judgements", str(path), "--space", "all"),
        *("--json", str(table)),
        stdout=io.StringIO(),
        stderr=io.StringIO(),
    )
    rows = {row["space"]: row["agreement"] for row in json.loads(table.read_text())["rows"]}
    assert rows["people"] > rows["whole"]
    call_command(
        *("simulate_navigation", "--catalogue", "demo", "--space", "whole", "--policies", "information"),
        *("--user", "other:people", "--episodes", "3", "--json", str(table)),
        stdout=io.StringIO(),
        stderr=io.StringIO(),
    )
    assert json.loads(table.read_text())["user"] == "other:people"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--catalogue", "demo", "--name", "people"], "Give --judgements"),
        (["--catalogue", "demo", "--name", "people", "--judgements", "FILE", "--seed", "-1"], "seed from 0"),
        (["--catalogue", "demo", "--name", "people", "--judgements", "gone.csv"], "gone.csv"),
        (
            ["--catalogue", "demo", "--name", "people", "--judgements", "FILE", "--space", "whole"],
            "leave out --space",
        ),
        (
            ["--catalogue", "demo", "--name", "people", "--judgements", "FILE", "--set", "a=b"],
            "leave out --set",
        ),
        (["--catalogue", "demo", "--judgements", "FILE"], "Give --catalogue and --name"),
    ],
)
def test_what_cannot_be_learned_is_refused_and_nothing_is_made(catalogue, path, words, message):  # noqa: F811
    before = EmbeddingSpace.objects.count()
    with pytest.raises(CommandError, match=message):
        train(*(path if word == "FILE" else word for word in words))
    assert EmbeddingSpace.objects.count() == before
