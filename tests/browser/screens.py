"""Looks at a screen as people of all kinds do: phone and desk, both themes, by rules of accessibility."""

from collections.abc import Callable

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

EVERYTHING = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# All that a theme can change.
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
SIZES = [(360, 740), (1440, 900)]
# Two frames: subtrees of container queries take the new theme one frame late.
# Drawn, and every transition that this began at its end.
SETTLED = """async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    await frame();
    await frame();
    const ends = (animation) => animation.effect.getComputedTiming().iterations !== Infinity;
    await Promise.allSettled(document.getAnimations().filter(ends).map((animation) => animation.finished));
}"""
# What sticks out of the page, where the page is wider than the screen.
TOO_WIDE = """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
    [...document.querySelectorAll("main *")]
    .filter((element) => element.getBoundingClientRect().right > window.innerWidth)
    .map((element) => element.outerHTML.slice(0, 80))"""


def check(page: Page, prepare: Callable[[], None] = lambda: None) -> None:
    """Axe in both themes and both sizes; the page is loaded once."""
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for scheme, options in (("light", EVERYTHING), ("dark", CONTRAST)):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            prepare()
            page.evaluate(SETTLED)
            result = Axe().run(page, options=options)
            assert result.violations_count == 0, f"{page.url} {width} {scheme}\n{result.generate_report()}"
        wide = page.evaluate(TOO_WIDE)
        assert wide == [], f"{wide} {page.url} is wider than a screen of {width} px"
