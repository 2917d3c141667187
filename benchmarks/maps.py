"""Opening a map of 100,000 items in chromium: from going there to the first picture of all its points.

Each opening is a new browser context, so nothing is cached; the web process has opened the map before, and
once it is timed from a web process that has not. One process, SQLite, everything on this machine, WebGL2 by
chromium's own software where there is no GPU. The other is the limit of two seconds that the page is held to.
"""

import json
import os
import secrets
import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.rows import Row
from benchmarks.servers import run, uvicorn

ITEMS = 100_000
OPENINGS = 7
LIMIT_S = 2.0
FLOOR = 1.0
MARKED = "() => performance.getEntriesByName('map-picture')[0]?.startTime"


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "DOPEORNOPE_HOME": folder,
            "DOPEORNOPE_DATABASE": "sqlite",
            "DOPEORNOPE_SECRET_KEY": secrets.token_urlsafe(48),
        }
        site = json.loads(run("-m", "benchmarks.mapped_site", str(ITEMS), environment=environment))
        log = Path(folder) / "web.log"
        with (
            uvicorn("dopeornope.asgi:application", environment=environment, log=log) as port,
            sync_playwright() as playwright,
        ):
            chrome = os.environ.get("CHROME") or shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=chrome, args=["--no-sandbox"])
            openings = [_open(browser, port, site) for _ in range(OPENINGS + 1)]
            browser.close()
    first, *later = [seconds for seconds, _ in openings]
    median = statistics.median(later)
    notes = {
        "against": f"the limit of {LIMIT_S:g} s",
        "items": ITEMS,
        "seconds": {"median": round(median, 3), "worst": round(max(later), 3), "cold": round(first, 3)},
        "painted_with": openings[0][1],
    }
    return [Row("map-open", 1 / median, 1 / LIMIT_S, LIMIT_S / median, FLOOR, "openings/s", notes)]


def _open(browser: Browser, port: int, site: dict[str, str]) -> tuple[float, str]:
    """Seconds from going to the page to its first picture, and what it was painted with."""
    address = f"http://127.0.0.1:{port}"
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": site["cookie"], "value": site["session"], "url": address}])
    page = context.new_page()
    page.goto(address + site["path"])
    page.wait_for_selector("item-map[data-painted]", state="attached")
    seconds = page.evaluate(MARKED) / 1000
    painted = page.locator("item-map").get_attribute("data-painted") or ""
    context.close()
    return seconds, painted
