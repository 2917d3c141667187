"""A map in the browser: moved in by mouse, keys and fingers, searched, chosen from, and read as a list."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from django.conf import settings as live_settings
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from search.models import Catalogue, Layout
from tests.browser.screens import check
from tests.browser.site import Site
from tests.factories import make_catalogue
from tests.search.mapped import make_map

# In rows of eight, the first item at the upper left.
PLACES = np.array([(number % 8, number // 8) for number in range(64)], np.float32)
NO_WEBGL = """() => {
    const really = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
        return KINDS.includes(kind) ? null : really.call(this, kind, ...rest);
    };
}"""
# How many pixels of the map are painted at all.
PAINTED = """async (canvas) => {
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [canvas.width, canvas.height];
    const context = copy.getContext("2d");
    canvas.closest("item-map").sight.changed();
    await new Promise((done) => requestAnimationFrame(done));
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, copy.width, copy.height);
    return data.filter((part, at) => at % 4 === 3 && part > 0).length;
}"""


@pytest.fixture(scope="module")
def layout(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live_settings, "ARTIFACTS_FOLDER", tmp_path_factory.mktemp("mapped"))
        catalogue: Catalogue = make_catalogue(items=64, categories=4, slug="mapped")
        yield make_map(catalogue, places=PLACES)
        catalogue.items.all().delete()
        catalogue.delete()


@pytest.fixture
def opened(page: Page, layout: Layout, operator: User) -> Page:
    page.set_viewport_size({"width": 1000, "height": 900})
    page.goto(f"/maps/{layout.pk}/")
    expect(page.locator("item-map[data-painted]")).to_be_attached()
    expect(page.locator("item-map")).to_have_attribute("data-by", "kind")
    return page


def near(page: Page) -> float:
    """How much nearer than the whole map it is seen."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return float(page.locator("item-map").get_attribute("data-near") or "0")


def centre(page: Page) -> list[float]:
    seen: list[float] = page.evaluate(
        "() => { const { x, y } = document.querySelector('item-map').sight; return [x, y]; }"
    )
    return seen


def place_of(page: Page, row: int) -> tuple[float, float]:
    """Where an item is on the screen."""
    box = page.locator(".map-stage").bounding_box()
    assert box
    x, y = page.evaluate(
        """(row) => { const { sight, points } = document.querySelector('item-map');
           return sight.toScreen(points.places[2 * row], points.places[2 * row + 1]); }""",
        row,
    )
    return box["x"] + x, box["y"] + y


def test_the_map_is_drawn_with_a_legend_of_colours_shapes_and_words(opened: Page) -> None:
    assert opened.locator("item-map").get_attribute("data-painted") in ("webgl2", "2d")
    assert opened.locator(".map-stage canvas").evaluate(PAINTED) > 64
    entries = opened.locator(".map-legend li")
    expect(entries).to_have_text([re.compile(rf"{name}\s*16") for name in ("bag", "boot", "shirt", "skirt")])
    shapes = entries.locator("path").evaluate_all("(paths) => paths.map((path) => path.getAttribute('d'))")
    assert len(set(shapes)) == 4
    boots = opened.get_by_role("button", name=re.compile("boot"))
    boots.click()
    expect(boots).to_have_attribute("aria-pressed", "true")
    boots.click()
    expect(boots).to_have_attribute("aria-pressed", "false")


def test_pictures_stand_where_there_is_room_for_them(opened: Page) -> None:
    expect(opened.locator(".map-pictures img").first).to_be_visible()
    some = opened.locator(".map-pictures img").count()
    assert 1 <= some <= 60


def test_it_is_moved_and_neared_by_buttons_keys_wheel_and_dragging(opened: Page) -> None:
    stage = opened.locator(".map-stage")
    opened.get_by_role("button", name="Nearer").click()
    assert near(opened) == pytest.approx(1.5625, rel=0.01)
    opened.get_by_role("button", name="Further").click()
    assert near(opened) == pytest.approx(1, rel=0.01)
    stage.focus()
    for key in ("+", "+", "ArrowRight", "ArrowDown"):
        opened.keyboard.press(key)
    assert near(opened) > 2
    x, y = centre(opened)
    assert x > 32768 < y
    opened.keyboard.press("Home")
    assert near(opened) == pytest.approx(1, rel=0.01)
    assert centre(opened) == [32767.5, 32767.5]
    at = place_of(opened, 9)
    opened.mouse.move(*at)
    opened.mouse.wheel(0, -300)
    assert near(opened) > 1.2
    assert place_of(opened, 9) == pytest.approx(at, abs=2), "what is under the pointer stays there"
    before = centre(opened)
    opened.mouse.down()
    opened.mouse.move(at[0] + 90, at[1] + 40, steps=4)
    opened.mouse.up()
    after = centre(opened)
    assert after[0] < before[0]
    assert after[1] < before[1]


def test_two_fingers_come_nearer(opened: Page) -> None:
    box = opened.locator(".map-stage").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = opened.context.new_cdp_session(opened)
    for kind, apart in (("touchStart", 40), ("touchMove", 80), ("touchMove", 120)):
        fingers = [{"x": x - apart, "y": y, "id": 1}, {"x": x + apart, "y": y, "id": 2}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert near(opened) > 1.8


def test_an_item_is_found_by_its_name_and_shown(opened: Page) -> None:
    opened.get_by_label("Find an item by name or category").fill("mapped-00037")
    opened.get_by_role("button", name="Find").click()
    expect(opened.locator(".map-item a").first).to_have_text(re.compile("mapped-00037"))
    expect(opened.locator(".map-item a").first).to_have_attribute("href", "/search/mapped/items/37/")
    expect(opened.locator(".map-here")).to_be_visible()
    box = opened.locator(".map-stage").bounding_box()
    assert box
    x, y = place_of(opened, 37)
    assert (x, y) == pytest.approx((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), abs=3)
    opened.get_by_label("Find an item by name or category").fill("no such thing")
    opened.get_by_role("button", name="Find").click()
    expect(opened.locator(".map-note")).to_have_text("Nothing has that in its name or category.")


def test_an_item_is_pressed_on(opened: Page) -> None:
    opened.mouse.click(*place_of(opened, 20))
    expect(opened.locator(".map-item a").first).to_have_text(re.compile("mapped-00020"))


def test_what_is_drawn_around_is_the_list_that_it_leads_to(opened: Page) -> None:
    opened.get_by_role("button", name="Draw around some").click()
    left, top = place_of(opened, 9)
    right, bottom = place_of(opened, 27)  # three by three items
    corners = [
        (left - 15, top - 15),
        (right + 15, top - 15),
        (right + 15, bottom + 15),
        (left - 15, bottom + 15),
    ]
    opened.mouse.move(*corners[0])
    opened.mouse.down()
    for corner in [*corners[1:], corners[0]]:
        opened.mouse.move(*corner, steps=5)
    opened.mouse.up()
    expect(opened.locator(".map-chosen [data-count]")).to_have_text("9")
    opened.get_by_role("link", name="List them").click()
    expect(opened.locator(".found > li")).to_have_count(9)
    expect(opened.locator(".found > li").first).to_contain_text("mapped-00009")
    opened.locator(".found a.tile").first.click()
    expect(opened).to_have_url(re.compile("/search/mapped/items/9/"))


def test_by_keyboard_alone_what_is_in_sight_is_listed(opened: Page) -> None:
    opened.locator(".map-stage").focus()
    for _ in range(3):
        opened.keyboard.press("+")
    near(opened)
    opened.get_by_role("link", name="List what is in sight").press("Enter")
    expect(opened.get_by_role("heading", name="A part of the map")).to_be_visible()
    assert 0 < opened.locator(".found > li").count() < 48


@pytest.mark.parametrize(("missing", "kind"), [('["webgl2"]', "2d"), ('["webgl2", "2d"]', "")])
def test_without_webgl_it_is_drawn_plainly_and_without_a_canvas_there_is_the_list(
    page: Page, layout: Layout, operator: User, missing: str, kind: str
) -> None:
    page.add_init_script(f"({NO_WEBGL.replace('KINDS', missing)})()")
    page.goto(f"/maps/{layout.pk}/")
    if kind:
        expect(page.locator("item-map")).to_have_attribute("data-painted", kind)
        assert page.locator(".map-stage canvas").evaluate(PAINTED) > 64
    else:
        expect(page.locator(".map-note")).to_have_text(re.compile("cannot draw the map"))
        page.get_by_role("link", name="The same as a list").click()
        expect(page.locator(".found > li")).to_have_count(48)


def test_screen_of_the_map(opened: Page) -> None:
    opened.mouse.click(*place_of(opened, 20))
    expect(opened.locator(".map-item")).to_be_visible()
    check(opened)


@pytest.mark.parametrize("path", ["/maps/", "/maps/{}/list/?near=5", "/maps/{}/list/?q=x"])
def test_screens_beside_it(page: Page, layout: Layout, operator: User, path: str) -> None:
    page.goto(path.format(layout.pk))
    check(page)


def test_without_scripts_the_map_is_its_list(
    browser: object, site: Site, layout: Layout, operator: User, context: object
) -> None:
    cookies = context.cookies()  # type: ignore[attr-defined]
    plain = browser.new_context(java_script_enabled=False, base_url=site.url)  # type: ignore[attr-defined]
    plain.add_cookies(cookies)
    page = plain.new_page()
    page.goto(f"/maps/{layout.pk}/")
    expect(page.get_by_text("The picture needs JavaScript")).to_be_visible()
    page.get_by_label("Find an item by name or category").fill("boot")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".found > li")).to_have_count(16)
    plain.close()
