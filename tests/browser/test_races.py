"""Two people race each other in two browsers: live, through a cut line, on a phone, without JavaScript."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from evaluation.models import RaceSeat
from search.models import Item
from tests.browser.screens import check
from tests.browser.site import Site

pytestmark = pytest.mark.usefixtures("ground")

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
GAME, RACE = re.compile(r"/find/games/[^/]+/$"), re.compile(r"/find/races/[^/]+/$")
# Keeps the page's sockets at hand, so that a test can cut the line.
KEEP_SOCKETS = """() => {
    window.sockets = [];
    const Real = WebSocket;
    window.WebSocket = class extends Real {
        constructor(...how) { super(...how); window.sockets.push(this); }
    };
}"""


class Racer:
    """What a player of a race does on its pages, in words."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name
        page.set_default_timeout(10_000)

    def open(self, k: int = 4) -> str:
        """Open a room; the link to it."""
        self.page.goto("/find/races/")
        self.page.locator(f"[name=k][value='{k}']").check()
        self.page.get_by_label("Your name in the race").fill(self.name)
        self.page.get_by_role("button", name="Open a room").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Waiting for the start")
        return self.page.get_by_label("The link to this room").input_value()

    def join(self, link: str) -> None:
        self.page.goto(link)
        self.page.get_by_label("Your name in the race").fill(self.name)
        self.page.get_by_role("button", name="Come in").click()

    def start(self) -> None:
        self.page.get_by_role("button", name="Start for everybody").click()

    def expect_slate(self, number: int) -> None:
        expect(self.page).to_have_url(GAME)
        expect(self.page.locator(".find-facts")).to_contain_text(f"Slate {number} of at most 50")

    def expect_progress(self, name: str, slates: int) -> None:
        """The strip above the slate says how far somebody is."""
        row = self.page.locator(".race-runner").filter(has=self.page.get_by_text(name, exact=True))
        expect(row.locator(".figures")).to_contain_text(re.compile(rf"^{slates}\D"))

    def pick(self, place: int = 0) -> None:
        self.page.locator(".find-slate [name=pick]").nth(place).click()

    def play(self, number: int = 1) -> int:
        """Go on from this slate to the end; how many slates it took."""
        while (place := self._find_target()) is None:
            self.pick()
            number += 1
            self.expect_slate(number)
        self.pick(place)
        expect(self.page).to_have_url(RACE)
        return number

    def _find_target(self) -> int | None:
        seat = RaceSeat.objects.select_related("race__puzzle__target").get(game=self.page.url.split("/")[-2])
        target = seat.race.puzzle.target
        assert target is not None
        alike = set(Item.objects.filter(image_sha256=target.image_sha256).values_list("pk", flat=True))
        picks = self.page.locator(".find-slate [name=pick]").all()
        tiles = [int(str(pick.get_attribute("value"))) for pick in picks]
        return next((place for place, item in enumerate(tiles) if item in alike), None)


@pytest.fixture
def other(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """A second browser, a phone: another player, without the first one's cookies."""
    context = browser.new_context(base_url=site.url, has_touch=True, is_mobile=True, viewport=PHONE)
    yield context
    context.close()


def begin(page: Page, other: BrowserContext) -> tuple[Racer, Racer]:
    """Two in a race that has just been started."""
    ada, bob = Racer(page, "Ada"), Racer(other.new_page(), "Bob")
    bob.join(ada.open())
    expect(page.locator(".race-runners")).to_contain_text("Bob")
    ada.start()
    for racer in (ada, bob):
        racer.expect_slate(1)
    return ada, bob


def test_two_browsers_race_and_see_how_far_the_other_is(
    page: Page, other: BrowserContext, site: Site
) -> None:
    page.set_viewport_size(DESK)
    ada, bob = begin(page, other)
    ada.pick()
    ada.expect_slate(2)
    bob.expect_progress("Ada", 2)
    ada.expect_progress("Bob", 1)
    seen = bob.page.locator(".race-strip").inner_html()
    assert "<img" not in seen and "/images/" not in seen
    slates = ada.play(2)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"You found it in {slates} slates")
    expect(bob.page.locator(".race-runner.found")).to_contain_text("Ada")
    bob.page.locator(".find-more > summary").click()
    bob.page.get_by_role("button", name="Give up").click()
    for racer in (ada, bob):
        expect(racer.page.get_by_role("heading", level=1)).to_have_text("Ada won")
        expect(racer.page.locator(".race-places li").nth(1)).to_contain_text("gave up")


def test_who_lost_the_line_hears_what_happened_meanwhile(
    page: Page, other: BrowserContext, site: Site
) -> None:
    other.add_init_script(f"({KEEP_SOCKETS})()")
    ada, bob = begin(page, other)
    other.set_offline(True)
    bob.page.evaluate("() => window.sockets.forEach((socket) => socket.close())")
    for number in (2, 3):
        ada.page.keyboard.press("0")
        ada.expect_slate(number)
    bob.expect_progress("Ada", 1)
    other.set_offline(False)
    bob.expect_progress("Ada", 3)
    bob.pick()
    bob.expect_slate(2)
    ada.expect_progress("Bob", 2)
    assert bob.page.evaluate("() => window.sockets.length") > 1


def test_who_closed_the_page_comes_back_through_the_link(
    page: Page, other: BrowserContext, site: Site
) -> None:
    ada, bob = begin(page, other)
    bob.page.locator(".find-actions [value=unsure]").tap()
    bob.expect_slate(2)
    bob.page.close()
    ada.expect_progress("Bob", 2)
    seat = RaceSeat.objects.get(game=page.url.split("/")[-2])
    again = Racer(other.new_page(), "Bob")
    again.page.goto(f"/find/races/{seat.race_id}/")
    again.expect_slate(2)


def test_a_rematch_is_offered_to_the_other_at_once(page: Page, other: BrowserContext, site: Site) -> None:
    ada, bob = begin(page, other)
    for racer in (ada, bob):
        racer.page.locator(".find-more > summary").click()
        racer.page.get_by_role("button", name="Give up").click()
        expect(racer.page).to_have_url(RACE)
    page.get_by_role("button", name="Rematch").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Waiting for the start")
    bob.page.get_by_role("link", name="Come to the rematch").click()
    expect(bob.page.get_by_label("Your name in the race")).to_have_value("Bob")
    bob.page.get_by_role("button", name="Come in").click()
    expect(page.locator(".race-runners")).to_contain_text("Bob")
    bob.start()
    for racer in (ada, bob):
        racer.expect_slate(1)


def test_the_link_can_be_copied(page: Page, context: BrowserContext, site: Site) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    link = Racer(page, "Ada").open()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator(".race-link [role=status]")).to_have_text("Copied.")
    assert page.evaluate("() => navigator.clipboard.readText()") == link


def test_the_result_can_be_copied(
    page: Page, context: BrowserContext, other: BrowserContext, site: Site
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    for racer in begin(page, other):
        racer.page.locator(".find-more > summary").click()
        racer.page.get_by_role("button", name="Give up").click()
        expect(racer.page).to_have_url(RACE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Nobody found it")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status").filter(has_text="Copied.")).to_be_visible()
    text = page.evaluate("() => navigator.clipboard.readText()")
    assert text.startswith("Dope or Nope: race of 2 · not found") and text.endswith("/find/races/")


def test_screens_of_a_race(page: Page, other: BrowserContext, site: Site) -> None:
    page.goto("/find/races/")
    check(page)
    ada = Racer(page, "Ada")
    link = ada.open()
    check(page)
    bob = Racer(other.new_page(), "Bob of the longest nam")
    bob.page.goto(link)
    check(bob.page)
    bob.join(link)
    ada.start()
    ada.expect_slate(1)
    check(page)
    ada.page.locator(".find-more > summary").click()
    ada.page.get_by_role("button", name="Give up").click()
    expect(page).to_have_url(RACE)
    check(page)
    bob.expect_slate(1)
    bob.play()
    expect(page.get_by_role("heading", level=1)).to_contain_text("won")
    check(page)
    page.locator(".race-path > summary").first.click()
    check(page)


@pytest.mark.parametrize(
    ("size", "k"), [((360, 640), 4), ((390, 844), 4), ((1280, 720), 4), ((1440, 900), 8)]
)
def test_a_slate_fits_the_screen_below_the_race(
    page: Page, other: BrowserContext, site: Site, size: tuple[int, int], k: int
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    ada, bob = Racer(page, "Ada"), Racer(other.new_page(), "Bob")
    bob.join(ada.open(k))
    ada.start()
    ada.expect_slate(1)
    for locator in page.locator(".race-strip, .find-slate [name=pick], .find-actions button").all():
        box = locator.bounding_box()
        assert box is not None and box["x"] >= 0 and box["y"] >= 0
        assert box["x"] + box["width"] <= size[0] and box["y"] + box["height"] <= size[1]


def test_without_javascript_pages_are_loaded_again(page: Page, browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=site.url)
    bob, ada = Racer(context.new_page(), "Bob"), Racer(page, "Ada")
    bob.join(ada.open())
    expect(page.locator(".race-runners")).to_contain_text("Bob")
    ada.start()
    ada.expect_slate(1)
    bob.page.get_by_role("link", name="Load this page again").click()
    bob.expect_slate(1)
    slates = bob.play()
    expect(bob.page.get_by_role("heading", level=1)).to_have_text(
        re.compile(rf"You found it in {slates} slates?")
    )
    context.close()
