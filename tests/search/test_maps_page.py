"""Maps for analysts: their list, the picture's payload, and the list that says the same in words."""

import base64
import csv
import gzip
import io
import re

import numpy as np
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from search import artifacts
from search.models import BuildState, Job, Layout
from search.selectors.map_points import SIDE, find_inside, make_grid, read_area
from tests.factories import make_catalogue
from tests.operators import sign_in
from tests.search.mapped import make_map
from tests.search.spaces import make_space

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hints")]


@pytest.fixture
def catalogue():
    return make_catalogue(items=60)


@pytest.fixture
def layout(catalogue):
    return make_map(catalogue)


@pytest.fixture
def analyst(db):
    return sign_in("analyst")


def points_of(answer) -> tuple[np.ndarray, np.ndarray]:
    """Places and positions, read as the browser reads them."""
    body = gzip.decompress(answer.content)
    count = int.from_bytes(body[:4], "little")
    places = np.frombuffer(body, "<u2", 2 * count, 4).reshape(count, 2)
    steps = np.frombuffer(body, "<u4", count, 4 + 4 * count)
    return places, np.cumsum(steps.astype(np.int64) + 1) - 1


def listed(answer) -> list[str]:
    return re.findall(r"<p>\w+ (demo-\d+)</p>", answer.content.decode())


def test_the_points_are_the_map_and_a_browser_that_has_them_is_told_so(analyst, layout):
    answer = analyst.get(f"/maps/{layout.pk}/points.bin")
    places, positions = points_of(answer)
    assert positions.tolist() == list(range(60))
    opened = artifacts.open_layout(layout)
    assert np.array_equal(places, make_grid(opened))
    one, other = (np.linalg.norm(x[0].astype(float) - x[1:], axis=1) for x in (places, opened.places))
    assert one.argsort()[:9].tolist() == other.argsort()[:9].tolist(), "who is near stays near"
    again = analyst.get(f"/maps/{layout.pk}/points.bin", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_items_that_have_no_vector_keep_their_numbers(analyst):
    layout = make_map(make_catalogue(items=30, slug="gaps"), rows=20)
    items = np.delete(np.arange(30), [0, 7, 8, 9, 11, 15, 20, 21, 22, 29])
    layout.sha256 = artifacts.write_layout(
        layout, items, np.random.default_rng(1).random((20, 2), np.float32)
    )
    layout.save()
    _, positions = points_of(analyst.get(f"/maps/{layout.pk}/points.bin"))
    assert positions.tolist() == items.tolist()


def test_colours_say_the_value_of_each_item(analyst, layout, catalogue):
    answer = analyst.get(f"/maps/{layout.pk}/colours/?by=kind").json()
    codes = np.frombuffer(base64.b64decode(answer["codes"]), np.uint8)
    names = [one["name"] for one in answer["values"]]
    told = [names[code] for code in codes]
    known = catalogue.items.order_by("position").values_list("category__value", flat=True)
    assert told == list(known)
    assert {one["name"]: one["count"] for one in answer["values"]} == dict.fromkeys(names, 20)
    assert analyst.get(f"/maps/{layout.pk}/colours/?by=weight").status_code == 400


def test_beyond_eleven_values_all_others_share_a_colour(analyst):
    names = [f"kind {number:02}" for number in range(15)]
    layout = make_map(make_catalogue(items=45, categories=names, slug="many"))
    answer = analyst.get(f"/maps/{layout.pk}/colours/?by=kind").json()
    assert len(answer["values"]) == 11
    assert answer["others"] == 4 * 3
    assert max(base64.b64decode(answer["codes"])) == 11


def test_items_are_found_by_key_and_category_and_told_by_number(analyst, layout):
    found = analyst.get(f"/maps/{layout.pk}/items/?q=DEMO-00012").json()
    assert [one["key"] for one in found["items"]] == ["demo-00012"]
    assert found["items"][0]["page"] == "/search/demo/items/12/"
    boots = analyst.get(f"/maps/{layout.pk}/items/?q=boot").json()
    assert boots["count"] == 20
    asked = analyst.get(f"/maps/{layout.pk}/items/?at=3,5,99,{10**30}").json()["items"]
    assert [one["position"] for one in asked] == [3, 5]
    assert analyst.get(f"/maps/{layout.pk}/items/?at=x").status_code == 400


@pytest.mark.parametrize("asked", ["items/?q=%00", "list/?q=a%00", "list/?by=%00&value=a", "colours/?by=%00"])
def test_a_character_that_no_word_has_is_refused(analyst, layout, asked):
    answer = analyst.get(f"/maps/{layout.pk}/{asked}")
    assert answer.status_code == 400 and "a character that no word has" in answer.content.decode()


def test_the_list_has_every_item_of_the_map_page_by_page(analyst, layout):
    first, second = (analyst.get(f"/maps/{layout.pk}/list/?page={page}") for page in (1, 2))
    assert len(listed(first)) == 48
    assert listed(first) + listed(second) == [f"demo-{number:05}" for number in range(60)]
    assert "60 items" in first.content.decode()
    assert listed(analyst.get(f"/maps/{layout.pk}/list/?page=99")) == listed(second)
    assert analyst.get(f"/maps/{layout.pk}/list/?page=x").status_code == 400


def test_a_part_of_the_map_is_a_list_and_a_table(analyst, layout):
    half = f"0,0,{SIDE // 2},0,{SIDE // 2},{SIDE},0,{SIDE}"
    grid = make_grid(artifacts.open_layout(layout))
    left = [f"demo-{row:05}" for row in range(60) if grid[row, 0] < SIDE // 2]
    answer = analyst.get(f"/maps/{layout.pk}/list/?area={half}")
    assert listed(answer) == left
    address = re.search(r'href="([^"]+csv[^"]+)"', answer.content.decode())[1].replace("&amp;", "&")
    table = b"".join(analyst.get(address).streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["key"] for row in rows] == left
    assert set(rows[0]) == {"position", "key", "category", "x", "y"}
    boots = analyst.get(f"/maps/{layout.pk}/list/?area={half}&q=boot")
    assert listed(boots) == [key for key in left if int(key[-5:]) % 3 == 1]
    assert listed(analyst.get(f"/maps/{layout.pk}/list/?by=kind&value=boot&area={half}")) == listed(boots)


def test_the_list_tells_what_is_near_what_on_the_map(analyst, layout):
    places = artifacts.open_layout(layout).places
    near = np.linalg.norm(places - places[7], axis=1).argsort()[:5]
    answer = analyst.get(f"/maps/{layout.pk}/list/?near=7")
    assert listed(answer)[:5] == [f"demo-{row:05}" for row in near]
    assert "the nearest on the map first" in answer.content.decode()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("area=1,2", "from 3 to 200 corners"),
        ("area=1,2,3,4,5", "from 3 to 200 corners"),
        ("area=" + ",".join("1" * 402), "from 3 to 200 corners"),
        ("area=a,b,c,d,e,f", "whole numbers"),
        ("area=0,0,1,1,70000,3", "outside the map"),
        ("near=1000", "no item of that number"),
        ("near=x", "no item of that number"),
        ("by=kind&value=tent", "No item has"),
        ("by=weight&value=tent", "There is no aspect"),
    ],
)
def test_what_cannot_be_listed_is_refused_with_the_reason(analyst, layout, asked, words):
    answer = analyst.get(f"/maps/{layout.pk}/list/?{asked}")
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert analyst.get(f"/maps/{layout.pk}/list.csv?{asked}").status_code == 409


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=3, max_size=12))
def test_who_lies_inside_a_shape_does_not_hang_on_where_it_begins(corners):
    grid = np.array([(x, y) for x in range(0, 41, 5) for y in range(0, 41, 5)], np.uint16)
    inside = find_inside(grid, corners)
    assert np.array_equal(inside, find_inside(grid, corners[3:] + corners[:3]))
    assert not inside[(grid > 40).any(axis=1)].any()


def test_a_rectangle_holds_what_lies_in_it():
    grid = np.array([(5, 5), (10, 10), (15, 5), (25, 25)], np.uint16)
    assert find_inside(grid, read_area("0,0,20,0,20,20,0,20")).tolist() == [True, True, True, False]


def test_a_map_of_other_vectors_is_named_as_outdated_and_not_drawn(analyst, layout):
    space = layout.space
    space.sha256 = "1" * 64
    space.save()
    page = analyst.get(f"/maps/{layout.pk}/").content.decode()
    assert "<strong>Outdated.</strong>" in page
    assert "item-map" not in page
    assert "outdated" in analyst.get("/maps/").content.decode()
    for path in ("points.bin", "colours/?by=kind", "items/?at=1", "list/", "list.csv"):
        assert analyst.get(f"/maps/{layout.pk}/{path}").status_code == 409, path


def test_a_damaged_file_is_named_and_the_map_made_again(analyst, layout, hints):
    path = artifacts.layout_path(layout)
    path.write_bytes(path.read_bytes()[:-3])
    page = analyst.get(f"/maps/{layout.pk}/").content.decode()
    assert "is damaged" in page
    assert [job.kind for job in hints] == ["map"]
    layout.refresh_from_db()
    assert layout.state == BuildState.BUILDING
    assert analyst.get(f"/maps/{layout.pk}/points.bin").status_code == 409
    assert len(hints) == 1


def ask(client, space, **how):
    words = {"ground": f"{space.pk}:l2", "method": "tsne", "seed": "3", **how}
    return client.post("/maps/", words)


def test_an_operator_asks_for_a_map_and_sees_it_come(operator, catalogue, hints):
    space = make_space(catalogue, "pupil", rows=60, build=False)
    assert ask(operator, space, perplexity="5").status_code == 302
    job = Job.objects.get(kind="map")
    assert [one.pk for one in hints] == [job.pk]
    layout = Layout.objects.get()
    assert (layout.seed, layout.parameters) == (3, {"perplexity": 5.0})
    page = operator.get("/maps/").content.decode()
    assert job.title.replace("'", "&#x27;") in page
    assert f"/operations/jobs/{job.pk}/cancel/" in page
    assert "is not made yet" in operator.get(f"/maps/{layout.pk}/").content.decode()


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"perplexity": "30"}, "Perplexity is 30; over 60 items it may be from 1 to 19.6"),
        ({"method": "umap", "neighbours": "99"}, "Neighbours is 99"),
        ({"seed": "-1"}, "greater than or equal to 0"),
        ({"ground": "77:l2"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_made_is_said_on_the_form(operator, catalogue, told, words):
    space = make_space(catalogue, "pupil", rows=60, build=False)
    answer = ask(operator, space, **told)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Job.objects.filter(kind="map").exists()


def test_analysts_look_and_ask_for_nothing(analyst, catalogue):
    space = make_space(catalogue, "pupil", rows=60, build=False)
    assert ask(analyst, space).status_code == 403
    assert "Make it" not in analyst.get("/maps/").content.decode()


@pytest.mark.parametrize("path", ["", "points.bin", "colours/", "items/", "list/", "list.csv"])
def test_players_see_no_map(layout, path):
    """It is the answer key to the game: docs/decisions/map.md."""
    assert Client().get(f"/maps/{layout.pk}/{path}").status_code == 302
    assert sign_in("annotator").get(f"/maps/{layout.pk}/{path}").status_code == 403
