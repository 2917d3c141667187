"""The leaderboard's page over a million and over ten million votes, in two PostgreSQL databases.

The databases are filled for the run (`benchmarks.crowd`) and dropped after it. A uvicorn process answers from
each; they are asked in turns, over connections that stay open. A page's time is the median from the request
sent to the answer's last byte, so HTTP and the loopback count with what happens in the server. Nothing is
cached between requests. The recount of the first million must agree with the counts.
"""

import contextlib
import http.client
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.databases import temporary_postgresql
from benchmarks.rows import Row
from benchmarks.servers import run, uvicorn

VOTES = {"1m": 1_000_000, "10m": 10_000_000}
PAGES = {"page": "/leaderboard/", "fragment": "/leaderboard/board/", "one metric": "/leaderboard/?metric=l2"}
TURNS = 100
WARM_UP = 10
LIMIT_MS = 50.0


def measure() -> list[Row]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        begin = time.monotonic()
        sites = {name: stack.enter_context(_open_site(name, votes, folder)) for name, votes in VOTES.items()}
        filled_s = round(time.monotonic() - begin)
        milliseconds = {name: _ask_in_turns(sites, path) for name, path in PAGES.items()}
    page = milliseconds["page"]
    notes = {"median_ms": milliseconds, "seconds_to_fill_both": filled_s, "turns": TURNS}
    small, large = 1000 / page["1m"], 1000 / page["10m"]
    limit = 1000 / LIMIT_MS
    return [
        Row(
            "leaderboard-1m", small, limit, small / limit, 1.0, "pages/s",
            {"against": f"{LIMIT_MS:.0f} ms a page", **notes},
        ),
        Row(
            "leaderboard-10m", large, small, large / small, 0.9, "pages/s",
            {"against": "the same over 1,000,000 votes", **notes},
        ),
    ]  # fmt: skip


@contextlib.contextmanager
def _open_site(name: str, votes: int, folder: Path) -> Iterator[http.client.HTTPConnection]:
    """A connection to a web process with so many votes."""
    with temporary_postgresql(f"board_{name}") as address:
        environment = {
            "DOPEORNOPE_HOME": str(folder),
            "DOPEORNOPE_DATABASE": address,
            "DOPEORNOPE_SECRET_KEY": secrets.token_urlsafe(48),
        }
        run("manage.py", "collectstatic", "--noinput", environment=environment)
        checked = ["--recount"] if votes == min(VOTES.values()) else []
        run("-m", "benchmarks.crowd", str(votes), *checked, environment=environment)
        log = folder / f"{name}.log"
        with uvicorn("dopeornope.asgi:application", environment=environment, log=log) as port:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            with contextlib.closing(connection):
                yield connection


def _ask_in_turns(sites: dict[str, http.client.HTTPConnection], path: str) -> dict[str, float]:
    """Median milliseconds per site; in every other turn the sites are asked in the opposite order."""
    seconds: dict[str, list[float]] = {name: [] for name in sites}
    for turn in range(WARM_UP + TURNS):
        for name in list(sites) if turn % 2 else list(sites)[::-1]:
            begin = time.perf_counter()
            sites[name].request("GET", path)
            response = sites[name].getresponse()
            body = response.read()
            taken = time.perf_counter() - begin
            assert response.status == 200 and b"data-revision" in body, body
            if turn >= WARM_UP:
                seconds[name].append(taken)
    return {name: round(1000 * statistics.median(taken), 2) for name, taken in seconds.items()}
