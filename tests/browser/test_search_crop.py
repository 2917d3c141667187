"""The part of a photo that is meant: by mouse, touch, keyboard and numbers."""

from playwright.sync_api import Browser, Page, expect

from tests.browser.searching import (
    PHONE,
    Search,
    closet,  # noqa: F401
)
from tests.browser.site import Site


def test_crop_by_mouse_and_the_back_button(page: Page, site: Site) -> None:
    search = Search(page).take()
    search.expect_area(None, None, None, None)
    search.drag((20, 10), (70, 60))
    left, top, width, height = search.read_area()
    assert abs(left - 20) <= 1 and abs(top - 10) <= 1 and abs(width - 50) <= 2 and abs(height - 50) <= 2
    search.expect_area(left, top, width, height)
    search.drag((45, 35), (55, 45))
    moved = search.read_area()
    assert moved == [left + 10, top + 10, width, height]
    search.expect_area(*moved)
    right, bottom = moved[0] + moved[2], moved[1] + moved[3]
    search.drag((right, bottom), (right + 10, bottom + 20))
    grown = search.read_area()
    assert grown[:2] == moved[:2] and abs(grown[2] - width - 10) <= 1 and abs(grown[3] - height - 20) <= 1
    search.expect_area(*grown)
    page.go_back()
    search.expect_area(*moved)
    page.go_back()
    page.go_back()
    search.expect_area(None, None, None, None)
    expect(page.locator(".crop-frame")).to_be_hidden()
    page.go_forward()
    search.expect_area(left, top, width, height)
    expect(page.locator(".crop-frame")).to_be_visible()


def test_crop_by_keyboard_alone(page: Page, site: Site) -> None:
    search = Search(page).take()
    page.get_by_role("button", name="Crop by hand").focus()
    page.keyboard.press("Enter")
    search.expect_area(15, 15, 70, 70)
    expect(page.locator(".crop-frame")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    search.expect_area(17, 13, 68, 72)
    expect(page.locator(".crop-frame")).to_be_focused()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    search.expect_area(0, 13, 68, 72)
    page.go_back()
    search.expect_area(15, 15, 70, 70)


def test_crop_by_numbers_is_searched_with_once_it_is_a_crop(
    page: Page, site: Site, tolerated: list[str]
) -> None:
    tolerated += ["htmx:afterRequest", "htmx:sendAbort"]  # the next number may come before the answer
    search = Search(page).take()
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    page.locator("summary", has_text="Crop by numbers").click()
    page.get_by_label("Left, %").press_sequentially("20", delay=250)
    search.expect_area(20, 0, 80, 100)
    page.get_by_label("Width, %").press("Control+A")
    page.get_by_label("Width, %").press_sequentially("30", delay=250)
    search.expect_area(20, 0, 30, 100)
    page.get_by_label("Top, %").fill("40")
    page.get_by_label("Height, %").fill("90")
    page.get_by_label("Height, %").press("Enter")
    search.expect_area(20, 40, 30, 60)
    page.get_by_label("Top, %").press("Enter")
    expect(page.locator("#answer.htmx-request")).to_have_count(0)
    search.expect_area(20, 40, 30, 60)
    assert not refused


def test_crop_by_touch_and_a_finger_beside_it_scrolls(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.url, has_touch=True, is_mobile=True, viewport=PHONE)
    page = context.new_page()
    search = Search(page).take()
    page.get_by_role("button", name="Crop by hand").tap()
    search.expect_area(15, 15, 70, 70)
    fingers = context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        sent = {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
        fingers.send("Input.dispatchTouchEvent", sent)

    touch("touchStart", search.at(85, 85))
    for step in range(1, 6):
        touch("touchMove", search.at(85 - 4 * step, 85 - 4 * step))
    touch("touchEnd")
    left, top, width, height = search.read_area()
    assert (left, top) == (15, 15) and abs(width - 50) <= 1 and abs(height - 50) <= 1
    search.expect_area(left, top, width, height)
    context.close()


def test_a_proposal_is_pressed_on_the_photo_or_below_it(page: Page, site: Site) -> None:
    search = Search(page).take()
    parts = page.locator(".crop-choices [data-area]")
    expect(parts.nth(1)).to_have_text("Part 1")
    parts.nth(1).click()
    chosen = search.read_area()
    expect(parts.nth(1)).to_have_attribute("aria-pressed", "true")
    search.expect_area(*chosen)
    parts.first.click()
    search.expect_area(None, None, None, None)
    point = chosen[0] + chosen[2] / 2, chosen[1] + chosen[3] / 2
    page.mouse.click(*search.at(*point))
    expect(page.locator(".crop-frame")).to_be_visible()
    left, top, width, height = search.read_area()
    assert left <= point[0] <= left + width and top <= point[1] <= top + height
    assert width * height <= chosen[2] * chosen[3]
    search.expect_area(left, top, width, height)
