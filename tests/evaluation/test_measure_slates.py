"""Agreement about whole slates: by hand, from a project and back through its files, on the analyst's page."""

import json
import random

import pytest
from django.core.management import CommandError, call_command

from evaluation.models import AnnotationKind
from evaluation.selectors.annotation import find_next
from evaluation.services.annotation import Drawn, create_project, draw_random, read_questions
from search import artifacts
from search.models import EmbeddingSpace
from tests.evaluation.annotating import make_player, pick
from tests.evaluation.judging import keep_one_encoder, key, make_line
from tests.factories import NOW
from tests.operators import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def one_encoder(monkeypatch):
    keep_one_encoder(monkeypatch)


@pytest.fixture
def catalogue():
    return make_line()


def measure(tmp_path, **options):
    file = tmp_path / "file.json"
    call_command("measure_agreement", json=file, **options)
    return json.loads(file.read_text())


def write(tmp_path, rows, columns="ref,slate,pick,person,source,turn"):
    path = tmp_path / "slates.csv"
    path.write_text("\n".join([columns, *rows]))
    return path


def row(ref, slate, picked, person, source="random", turn=1):
    shown = "|".join(key(place) for place in slate)
    return f"{key(ref)},{shown},{'' if picked is None else key(picked)},{person},{source},{turn}"


# Item 0 beside four others, the nearest first: ann picks it every time, bob in three of four.
SLATES = [(1, 5, 9, 12), (2, 6, 10, 13), (3, 7, 11, 14), (4, 8, 15, 20)]


def test_four_slates_of_four_by_hand(catalogue, tmp_path, capsys):
    rows = [row(ref, slate, slate[0], "ann") for ref, slate in enumerate_refs()]
    rows += [row(ref, slate, slate[ref == 39], "bob") for ref, slate in enumerate_refs()]
    rows += [row(36, SLATES[0], None, "cy"), row(36, SLATES[0], 1, "ann", turn=2)]
    rows += [row(37, SLATES[1], 6, "ann", turn=2), row(36, SLATES[0], 1, "bob", turn=2)]
    table = measure(tmp_path, judgements=write(tmp_path, rows), catalogue="demo", space="line", noisy=0)
    [part] = table["parts"]
    assert (part["slate"], part["shown"], part["sources"]) == (4, "random", ["random"])
    assert (part["questions"], part["decided"], part["answers"], part["unsure"]) == (4, 3, 8, 1)
    assert (part["chance"], part["human_human"]) == (0.25, 0.75)
    assert part["people"]["ac1"] == pytest.approx(2 / 3)
    assert part["people"]["alpha"] == pytest.approx(1 - (1 / 4) / (24 / 31))
    assert part["people"]["by_people"]["estimate"] == 0.75
    [line] = part["rows"]
    # The nearest to 36 … 39 on the line is the last of each slate, which nobody picked.
    assert (line["user"], line["agreement"], line["person"]) == ("exact", 0, 0)
    assert part["again"]["estimate"] == pytest.approx(2 / 3)
    persons = {one["person"]: (one["answers"], one["repeats"], one["same"]) for one in part["persons"]}
    assert persons == {"ann": (4, 2, 1), "bob": (4, 1, 1), "cy": (1, 0, 0)}
    printed = " ".join(capsys.readouterr().out.split())
    assert "two people agree 75%" in printed and "by chance 25%" in printed and "cy" in printed


def enumerate_refs():
    return enumerate(SLATES, start=36)


def test_users_are_held_against_what_people_picked(catalogue, tmp_path):
    """Two people pick the nearest of three slates; about the fourth they differ."""
    rows = [row(0, slate, slate[0], who) for slate in SLATES[:3] for who in ("ann", "bob")]
    rows += [row(0, SLATES[3], 4, "ann"), row(0, SLATES[3], 20, "bob")]
    [part] = measure(tmp_path, judgements=write(tmp_path, rows), catalogue="demo")["parts"]
    users = {(one["space"], one["user"]): one for one in part["rows"]}
    exact, noisy = users["line", "exact"], users["line", "noisy:0.79"]
    assert (exact["agreement"], exact["ac1"], exact["alpha"]) == (1, 1, 1)
    assert exact["person"] == exact["by_people"]["estimate"] == 7 / 8
    assert 0.25 < noisy["agreement"] < 1 and noisy["stand_in"] is None
    nothing = users["line/none", "exact"]  # picks by lot
    assert (nothing["agreement"], nothing["ac1"]) == pytest.approx((0.25, 0))
    assert ("line/none", "noisy:0.79") not in users


def make_mixed(catalogue):
    """Slates of four drawn evenly and from two policies, and pairs from a file, in one project."""
    even = draw_random(catalogue=catalogue, count=12, options=4, seed=1)
    chosen = draw_random(catalogue=catalogue, count=6, options=4, seed=2)
    pairs = draw_random(catalogue=catalogue, count=4, options=2, seed=3)
    return create_project(
        slug="mixed",
        title="Mixed",
        catalogue=catalogue,
        questions=[
            *even,
            *(
                Drawn(one.target, one.options, ("nearest", "rule")[place % 2])
                for place, one in enumerate(chosen)
            ),
            *(Drawn(one.target, one.options, "imported") for one in pairs),
        ],
        overlap=2,
        repeat_every=5,
        seed=0,
        now=NOW,
    )


def answer_all(project, player, seed):
    """Mostly the nearest on the line, now and then another or "cannot tell"."""
    draws = random.Random(seed)
    while asked := find_next(project, player):
        options, target = asked.question.options, asked.question.target
        nearest = min(range(len(options)), key=lambda place: abs(options[place] - target))
        if draws.random() < 0.1:
            pick(project, player, None, kind=AnnotationKind.UNSURE)
        else:
            pick(project, player, nearest if draws.random() < 0.8 else draws.randrange(len(options)))


@pytest.fixture
def answered(catalogue):
    project = make_mixed(catalogue)
    for seed in (1, 2):
        answer_all(project, make_player(), seed)
    return project


def test_a_project_and_its_files_are_measured_alike(answered, tmp_path):
    """Out as CSV and as JSONL, in again, and measured: the same figures as of the project itself."""
    ours = measure(tmp_path, project="mixed", space="line")
    assert [(part["slate"], part["shown"]) for part in ours["parts"]] == [
        (2, "imported"),
        (4, "random"),
        (4, "policies"),
    ]
    assert ours["parts"][2]["sources"] == ["nearest", "rule"]
    assert sum(one["repeats"] for part in ours["parts"] for one in part["persons"]) > 2
    assert sum(part["unsure"] for part in ours["parts"]) > 0
    assert all(part["rows"][0]["space"] == "line" for part in ours["parts"])
    analyst = sign_in("analyst")
    for ending in ("csv", "jsonl"):
        path = tmp_path / f"slates.{ending}"
        path.write_bytes(analyst.get(f"/annotate/mixed/slates.{ending}").content)
        theirs = measure(tmp_path, judgements=path, catalogue="demo", space="line")
        assert theirs["parts"] == ours["parts"]
        assert (theirs["project"], ours["project"]) == (None, "mixed")


def test_what_a_project_answered_can_be_asked_again_in_another(answered, tmp_path):
    path = tmp_path / "slates.jsonl"
    path.write_bytes(sign_in("analyst").get("/annotate/mixed/slates.jsonl").content)
    asked = read_questions(catalogue=answered.catalogue, path=path, gold=False)
    stored = {(one.target, frozenset(one.options), one.source) for one in answered.questions.all()}
    assert {(one.target, frozenset(one.options), one.source) for one in asked} == stored
    known = read_questions(catalogue=answered.catalogue, path=path, gold=True)
    assert 0 < len(known) < len(asked) and all(one.gold is not None for one in known)


def test_a_project_goes_by_its_number_too_and_measures_pairs_as_slates_of_two(answered, tmp_path):
    by_name, by_number = (
        measure(tmp_path, project=name, space="line", noisy=0) for name in ("mixed", str(answered.pk))
    )
    assert by_name == by_number
    assert by_name["parts"][0]["chance"] == 0.5
    assert {one["user"] for part in by_name["parts"] for one in part["rows"]} == {"exact"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"project": "gone"}, "no project “gone”"),
        ({"project": "99999999999999999999"}, "no project"),
        ({"project": "mixed"}, "Nobody has answered"),
        ({"project": "mixed", "noisy": 1.5}, "share from 0"),
        ({"judgements": "slates.csv"}, "Name with --catalogue"),
    ],
)
def test_what_cannot_be_measured_is_told(catalogue, tmp_path, options, told):
    make_mixed(catalogue)
    with pytest.raises(CommandError, match=told):
        measure(tmp_path, **options)


def test_where_all_cannot_tell_nothing_is_compared(catalogue, tmp_path):
    path = write(tmp_path, [row(0, SLATES[0], None, "ann")])
    with pytest.raises(CommandError, match="Nobody picked anything"):
        measure(tmp_path, judgements=path, catalogue="demo")
    path = write(tmp_path, [row(0, SLATES[0], 1, "ann")])
    [part] = measure(tmp_path, judgements=path, catalogue="demo", space="line", noisy=0)["parts"]
    assert part["people"] is None and part["human_human"] is None
    assert (part["rows"][0]["agreement"], part["rows"][0]["person"]) == (1, None)


def test_analysts_see_the_figures_of_the_command(answered, tmp_path):
    table = measure(tmp_path, project="mixed", space="line")
    analyst = sign_in("analyst")
    listed = analyst.get("/annotate/").content.decode()
    assert "/annotate/mixed/agreement/" in listed and "Go on" not in listed
    page = " ".join(analyst.get("/annotate/mixed/agreement/?space=line").content.decode().split())
    for heading in ("drawn evenly", "chosen by policies", "from a file"):
        assert heading in page
    for part in table["parts"]:
        assert f"{part['human_human'] * 100:.0f} %" in page
        assert f"{part['rows'][0]['by_people']['estimate'] * 100:.0f} %" in page
    assert "noisy:0.79" in page and "line/none" in page and "Asked again" in page
    gone = analyst.get("/annotate/mixed/agreement/?space=gone").content.decode()
    assert "choose another one" in gone and "Asked again" in gone  # people need no space to agree
    lost = EmbeddingSpace.objects.get(encoder="line")
    (artifacts.space_folder(lost) / "items.safetensors").unlink()
    lost_page = analyst.get("/annotate/mixed/agreement/?space=line").content.decode()
    assert "build the contenders again" in lost_page and "Asked again" in lost_page
    assert sign_in("annotator").get("/annotate/mixed/agreement/").status_code == 403


def test_a_project_nobody_answered_says_so(catalogue):
    make_mixed(catalogue)
    page = sign_in("operator").get("/annotate/mixed/agreement/").content.decode()
    assert "Nobody has answered" in page
