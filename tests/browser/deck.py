"""What a player does on the play page, in words."""

import json

from playwright.sync_api import Locator, Page, expect

from evaluation.models import Vote

TOP = ".pair[data-depth='0']"
VOTES = "**/play/votes/"
READY = ".pair[data-depth='0'][data-ready]"


class Deck:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.progress = page.get_by_role("progressbar", name="Pairs judged in this round")
        self.note = page.locator(".deck-note [role=status]")

    def open(self) -> "Deck":
        self.page.goto("/play/")
        self.wait()
        return self

    def wait(self) -> None:
        expect(self.page.locator(READY)).to_be_visible()

    def button(self, name: str) -> Locator:
        return self.page.locator(f".deck-actions [data-act={name}]")

    def pictures(self) -> list[str | None]:
        """The addresses of the two pictures on top."""
        return [image.get_attribute("src") for image in self.page.locator(f"{TOP} figure img").all()]

    def key(self, key: str) -> None:
        self.wait()
        self.page.keyboard.press(key)

    def answer_and_undo(self) -> None:
        """Answer and take it back at once: no time passes in which the vote could leave."""
        waiting = self.page.evaluate(
            """() => {
                const key = new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true });
                document.body.dispatchEvent(key);
                const waiting = document.querySelector("swipe-deck").outbox.size;
                document.querySelector(".deck-actions [data-act=undo]").click();
                return waiting;
            }"""
        )
        assert waiting == 1

    def drag(self, share: float, *, back: bool = False) -> None:
        """Drag the top card by a share of its width, rest, let go; `back`: return before that."""
        self.wait()
        box = self.page.locator(TOP).bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        mouse = self.page.mouse
        mouse.move(x, y)
        mouse.down()
        mouse.move(x + share * box["width"], y, steps=6)
        if back:
            mouse.move(x, y, steps=6)
        self.page.wait_for_timeout(150)  # the rest: without it this would be a flick
        mouse.up()

    def expect_judged(self, count: int) -> None:
        expect(self.progress).to_have_attribute("aria-valuenow", str(count))

    def expect_sent(self) -> None:
        """No vote waits on this page any more."""
        self.page.wait_for_function("() => document.querySelector('swipe-deck').outbox.size === 0")

    def expect_offline_page(self) -> None:
        """The service worker has arrived: cutting the network now interrupts nothing but the game."""
        self.page.evaluate("async () => { await navigator.serviceWorker.ready }")

    def stock_up(self) -> None:
        """Judge one pair and wait until the game can go on without a network."""
        self.key("ArrowRight")
        self.expect_sent()
        self.expect_offline_page()
        self.page.wait_for_function("() => document.querySelectorAll('.pair').length >= 3")


def sent_votes(page: Page) -> list[dict[str, object]]:
    """Collects every vote this page sends from now on."""
    sent: list[dict[str, object]] = []

    def note(request: object) -> None:
        if request.url.endswith("/play/votes/"):  # type: ignore[attr-defined]
            sent.extend(json.loads(request.post_data)["votes"])  # type: ignore[attr-defined]

    page.on("request", note)
    return sent


def stored(votes: list[dict[str, object]]) -> dict[str, str]:
    """Those of these votes that the server has: answer by deal."""
    return dict(
        Vote.objects.filter(deal__in=[vote["deal"] for vote in votes]).values_list("deal_id", "answer")
    )
