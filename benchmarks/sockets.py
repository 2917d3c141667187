"""Broadcasts per second to 200 open leaderboards: the hub against plain `group_send`, under the same uvicorn.

The pages are real sockets in another process (`benchmarks.audience`), on the same cores; a broadcast counts
once all 200 have its frame. What is measured is the fan-out: in production the hub tells pages of at most two
revisions a second, since pages only want the newest. Every way is tried with one broadcast under way at a
time and with several, and its best counts. permessage-deflate is off: frames have 45 bytes.
"""

import contextlib
import itertools
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.rows import Row, compare
from benchmarks.servers import run, uvicorn
from tests.faults.stores import Redis

PAGES = 200
SECONDS = 2.0
REPEATS = 3
WAYS = {"ours": "/ws/live/?topics=leaderboard", "memory": "/plain/", "pubsub": "/plain/", "core": "/plain/"}
IN_FLIGHT = (1, 16)
FLOOR = 5.0


def measure() -> list[Row]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = {
            "DOPEORNOPE_HOME": str(folder),
            "DOPEORNOPE_DATABASE": "sqlite",
            "DOPEORNOPE_SECRET_KEY": secrets.token_urlsafe(48),
            "BENCH_REDIS": stack.enter_context(Redis()).address,
        }
        run("manage.py", "migrate", "--verbosity", "0", environment=environment)
        ports = {
            way: stack.enter_context(
                uvicorn(
                    "benchmarks.boards:application",
                    *("--ws-per-message-deflate", "false"),
                    environment={**environment, "BENCH_WAY": way},
                    log=folder / f"{way}.log",
                )
            )
            for way in WAYS
        }
        by_run = _measure_in_turns(ports)
    rates = {way: max((by_run[way, depth] for depth in IN_FLIGHT), key=sum) for way in WAYS}
    notes = {
        "pages": PAGES,
        "in_flight": {way: max(IN_FLIGHT, key=lambda depth: sum(by_run[way, depth])) for way in WAYS},
    }
    return [compare("sockets", rates, floor=FLOOR, unit="broadcasts/s", notes=notes)]


def _measure_in_turns(ports: Mapping[str, int]) -> dict[tuple[str, int], list[float]]:
    """Rates by way and broadcasts under way; later rounds go the opposite way round."""
    runs = list(itertools.product(WAYS, IN_FLIGHT))
    rates: dict[tuple[str, int], list[float]] = {one: [] for one in runs}
    for turn in range(REPEATS):
        for way, depth in runs if turn % 2 == 0 else runs[::-1]:
            audience = [str(ports[way]), WAYS[way], str(PAGES), str(depth), str(SECONDS)]
            rate = run("-m", "benchmarks.audience", *audience, environment={})
            rates[way, depth].append(float(rate))
    return rates
