"""The navigation game played through in a browser: by keyboard, touch and mouse, and without JavaScript."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, ViewportSize, expect

from evaluation.models import Move, NavigationGame
from tests.browser.screens import check
from tests.browser.site import Site

MOVES = "**/find/games/*/moves/"
PHONE: ViewportSize = {"width": 390, "height": 844}

pytestmark = pytest.mark.usefixtures("ground")


class Game:
    """What a player does on the page of a game, in words."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def begin(self, *, mode: str = "target", k: int = 4) -> "Game":
        self.page.goto("/find/")
        self.page.locator(f"[name=mode][value={mode}]").check()
        self.page.locator(f"[name=k][value='{k}']").check()
        self.page.get_by_role("button", name="Start looking").click()
        expect(self.page).to_have_url(re.compile(r"/find/games/[^/]+/$"))
        self.row = NavigationGame.objects.select_related("puzzle").get(pk=self.page.url.split("/")[-2])
        self.expect_slate(1)
        return self

    def expect_slate(self, number: int) -> None:
        expect(self.page.locator(".find-facts")).to_contain_text(f"Slate {number} of at most 50")

    @property
    def tiles(self) -> list[int]:
        picks = self.page.locator(".find-slate [name=pick]").all()
        return [int(str(pick.get_attribute("value"))) for pick in picks]

    def place_of_target(self) -> int | None:
        """Where on the slate an item stands that looks like the target."""
        target = self.row.puzzle.target
        assert target is not None
        alike = set(
            type(target).objects.filter(image_sha256=target.image_sha256).values_list("pk", flat=True)
        )
        return next((place for place, item in enumerate(self.tiles) if item in alike), None)

    def expect_found(self) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("Found in")
        self.row.refresh_from_db()
        assert self.row.outcome == "found"

    def modalities(self) -> set[str]:
        return set(Move.objects.filter(slate__game=self.row).values_list("modality", flat=True))


def test_played_through_by_keyboard(page: Page, site: Site) -> None:
    game = Game(page).begin()
    page.keyboard.press("0")
    game.expect_slate(2)
    page.keyboard.press("u")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    place = game.place_of_target()
    if place is None:
        second = game.tiles[1]
        page.keyboard.press("Enter")
        game.expect_slate(3)
        assert Move.objects.filter(slate__game=game.row).latest("pk").item_id == second
    number = 3
    while (place := game.place_of_target()) is None:
        page.keyboard.press("1")
        number += 1
        game.expect_slate(number)
    page.keyboard.press(str(place + 1))
    game.expect_found()
    assert game.modalities() == {"key"}


def test_played_through_by_touch_on_a_phone(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.url, has_touch=True, is_mobile=True, viewport=PHONE)
    game = Game(context.new_page()).begin()
    number = 1
    while (place := game.place_of_target()) is None:
        game.page.locator(".find-slate [name=pick]").first.tap()
        number += 1
        game.expect_slate(number)
    game.page.locator(".find-slate [name=pick]").nth(place).tap()
    game.expect_found()
    assert game.modalities() == {"touch"}
    context.close()


def test_in_mind_with_a_mouse_on_a_wide_screen(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    game = Game(page).begin(mode="mind", k=8)
    assert len(game.tiles) == 8
    page.locator(".find-slate [name=pick]").nth(6).click()
    game.expect_slate(2)
    page.locator(".find-slate [name=found]").nth(2).click()
    game.expect_found()
    moves = Move.objects.filter(slate__game=game.row).order_by("pk")
    assert [move.modality for move in moves] == ["mouse", "mouse"]
    assert all(move.dwell_ms is not None for move in moves)


def test_a_key_held_down_and_a_double_click_answer_one_slate(page: Page, site: Site) -> None:
    game = Game(page).begin(mode="mind")
    for slate, press in enumerate(("1", "Enter"), start=1):
        page.locator(".find-slate [name=pick]").first.focus()
        page.keyboard.down(press)
        game.expect_slate(slate + 1)
        page.locator(".find-slate [name=pick]").first.focus()
        page.keyboard.down(press)  # again before it is let go, as a key held down does
        page.keyboard.up(press)
    box = page.locator(".find-slate [name=pick]").first.bounding_box()
    assert box is not None
    place = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator(".find-slate [name=pick]").first.click()
    game.expect_slate(4)
    page.mouse.move(*place)
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    page.keyboard.press("0")  # counts only where no pick is on its way
    game.expect_slate(5)
    moves = Move.objects.filter(slate__game=game.row).order_by("pk")
    assert [move.kind for move in moves] == ["pick", "pick", "pick", "unsure"]


def test_a_double_tap_answers_one_slate(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.url, has_touch=True, is_mobile=True, viewport=PHONE)
    page = context.new_page()
    page.clock.install()
    game = Game(page).begin(mode="mind")
    page.clock.run_for(1000)
    # The page's time stands still between the taps.
    page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
    box = page.locator(".find-slate [name=pick]").first.bounding_box()
    assert box is not None
    place = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.touchscreen.tap(*place)
    game.expect_slate(2)
    page.touchscreen.tap(*place)
    page.keyboard.press("0")  # counts only where no pick is on its way
    game.expect_slate(3)
    page.clock.run_for(1000)
    page.touchscreen.tap(*place)
    game.expect_slate(4)
    moves = Move.objects.filter(slate__game=game.row).order_by("pk")
    assert [move.kind for move in moves] == ["pick", "unsure", "pick"]
    context.close()


def test_a_pick_made_without_a_network_is_sent_later_and_counts_once(
    page: Page, site: Site, tolerated: list[str]
) -> None:
    tolerated += ["ERR_CONNECTION_RESET", "ERR_FAILED"]
    game = Game(page).begin(mode="mind")

    sent: list[Route] = []

    def lose_answer(route: Route) -> None:
        if not sent:
            route.fetch()
        sent.append(route)
        route.abort("connectionreset")

    page.route(MOVES, lose_answer)  # until it is seen that the page waits
    page.keyboard.press("2")
    expect(page.locator(".find-note")).to_contain_text("Waiting for the network")
    page.unroute(MOVES, lose_answer)
    game.expect_slate(2)
    expect(page.locator(".find-note")).not_to_contain_text("Waiting")
    assert Move.objects.filter(slate__game=game.row).count() == 1


def test_an_answered_slate_on_a_second_page_is_refused_and_brought_up_to_date(
    page: Page, context: BrowserContext, site: Site, tolerated: list[str]
) -> None:
    tolerated.append("status of 409")
    game = Game(page).begin(mode="mind")
    other = context.new_page()
    other.goto(page.url)
    page.keyboard.press("1")
    game.expect_slate(2)
    other.locator(".find-slate [name=pick]").nth(2).click()
    expect(other.get_by_role("alert")).to_contain_text("already")
    expect(other.locator(".find-facts")).to_contain_text("Slate 2 of at most 50")


def test_the_result_can_be_copied(page: Page, context: BrowserContext, site: Site) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    game = Game(page).begin(mode="mind")
    page.keyboard.press("1")
    game.expect_slate(2)
    page.locator(".find-slate [name=found]").first.click()
    page.get_by_role("button", name="Share").click()
    expect(page.locator(".find-note")).to_contain_text("Copied")
    text = page.evaluate("() => navigator.clipboard.readText()")
    assert text.startswith("Dope or Nope: find it · 2 slates") and text.strip().endswith("/find/")


@pytest.mark.parametrize(
    ("size", "k"),
    [((360, 640), 4), ((390, 844), 4), ((1280, 720), 4), ((1440, 900), 4), ((1440, 900), 8)],
)
def test_target_slate_and_buttons_fit_the_screen(
    page: Page, site: Site, size: tuple[int, int], k: int
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    Game(page).begin(k=k)
    for locator in page.locator(".find-target, .find-slate [name=pick], .find-actions button").all():
        box = locator.bounding_box()
        assert box is not None and min(box["width"], box["height"]) >= 44
        assert box["x"] >= 0 and box["y"] >= 0
        assert box["x"] + box["width"] <= size[0] and box["y"] + box["height"] <= size[1]


@pytest.mark.parametrize("path", ["/find/", "/find/daily/", "/find/leaderboard/"])
def test_screens_around_the_game(page: Page, site: Site, path: str) -> None:
    page.goto(path)
    check(page)


@pytest.mark.parametrize("mode", ["target", "mind"])
def test_screens_of_a_game_and_of_its_end(page: Page, site: Site, mode: str) -> None:
    game = Game(page).begin(mode=mode)
    page.keyboard.press("0")
    game.expect_slate(2)
    page.locator(".find-more > summary").click()
    check(page)
    page.get_by_role("button", name="Give up").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Given up")
    check(page)


def test_screen_of_the_board_with_figures(page: Page, site: Site) -> None:
    Game(page).begin()
    page.locator(".find-more > summary").click()
    page.get_by_role("button", name="Give up").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Given up")
    page.goto("/find/leaderboard/")
    expect(page.get_by_role("columnheader", name="Left")).to_be_visible()
    check(page)


def test_without_javascript_the_forms_do(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=site.url)
    page = context.new_page()
    game = Game(page).begin(mode="mind")
    page.locator(".find-slate [name=pick]").first.click()
    game.expect_slate(2)
    page.get_by_role("button", name="Undo").click()
    page.locator(".find-slate [name=found]").first.click()
    game.expect_found()
    assert game.modalities() == {"form"}
    context.close()
