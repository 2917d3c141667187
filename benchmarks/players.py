"""Many people at once, for minutes, against service mode as `manage.py serve` starts it.

    python -m benchmarks.players [--players 200] [--minutes 10] [--json FILE]

Every player opens the deck, then judges pair after pair over one kept connection: asks for six pairs when
none is left, fetches both pictures of each, looks at them for two seconds on average (exponentially
distributed) and sends the vote. One in ten also keeps a leaderboard open. Afterwards every acknowledged vote
must be stored, and every count equal to a recount. PostgreSQL is that of DOPEORNOPE_TEST_DATABASE; Redis is a
private one, as the broker and for open pages.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import websockets

from benchmarks.databases import temporary_postgresql
from benchmarks.servers import ROOT, run
from tests.faults.ports import free_port
from tests.faults.stores import Redis

LOOKING_S = 2.0
HAND = 6
ROUND = 20
WATCHERS = 10  # one player in so many keeps a leaderboard open
START_LIMIT_S = 120


class Failed(Exception):
    """An answer that a player did not expect."""


@dataclass
class Log:
    """What all players were answered."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    acknowledged: int = 0
    frames: int = 0

    def describe(self) -> dict[str, dict[str, float]]:
        """Per kind of request: how many, and percentiles in milliseconds."""
        return {
            kind: {
                "requests": len(seconds),
                "p50_ms": round(1000 * sorted(seconds)[len(seconds) // 2], 1),
                "p99_ms": round(1000 * sorted(seconds)[int(0.99 * len(seconds))], 1),
                "worst_ms": round(1000 * max(seconds), 1),
            }
            for kind, seconds in self.seconds.items()
        }


class Player:
    """One browser with one kept connection."""

    def __init__(self, port: int, log: Log, seed: int) -> None:
        self._port, self._log, self._random = port, log, random.Random(seed)
        self._cookie = self._sitting = ""
        self._seen: set[str] = set()
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def play(self, until: float) -> None:
        # People do not all come in the same moment.
        await asyncio.sleep(self._random.random() * LOOKING_S * 5)
        try:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
            page = (await self._ask("page", "GET", "/play/bench/")).decode()
            found = re.search(r'data-sitting="([^"]+)"', page)
            if found is None:
                raise Failed("the page carries no sitting")
            self._sitting = found[1]
            while time.monotonic() < until:
                await self._play_round(until)
            self._writer.close()
        except (Failed, OSError, asyncio.IncompleteReadError, ValueError) as error:
            self._log.errors.append(f"{type(error).__name__}: {error}")

    async def _play_round(self, until: float) -> None:
        round_id, judged = None, 0
        while judged < ROUND and time.monotonic() < until:
            asked = {"catalogue": "bench", "round": round_id, "held": [], "count": HAND}
            dealt = json.loads(await self._ask("deals", "POST", "/play/deals/", asked))
            round_id = dealt["round"]
            for deal in dealt["deals"]:
                for picture in (deal["question"]["image"], deal["candidate"]["image"]):
                    if picture not in self._seen:
                        self._seen.add(picture)
                        await self._ask("picture", "GET", picture)
                await asyncio.sleep(self._random.expovariate(1 / LOOKING_S))
                answer = self._random.choice(("dope", "nope", "nope"))
                vote = {"deal": deal["id"], "answer": answer, "dwell_ms": 1500, "modality": "drag"}
                told = json.loads(await self._ask("vote", "POST", "/play/votes/", {"votes": [vote]}))
                if told["results"][0]["status"] != 200:
                    raise Failed(str(told))
                self._log.acknowledged += 1
                judged = told["judged"]

    async def _ask(self, kind: str, method: str, path: str, body: object = None) -> bytes:
        content = b"" if body is None else json.dumps(body).encode()
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            f"Content-Length: {len(content)}",
        ]
        lines += ["Content-Type: application/json"] if content else []
        lines += [f"X-Sitting: {self._sitting}"] if content else []
        lines += [f"Cookie: {self._cookie}"] if self._cookie else []
        if self._reader.at_eof():  # the server closed it while the player was looking, as browsers know it
            self._writer.close()
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        begin = time.perf_counter()
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin1")
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        answer = await self._reader.readexactly(int(length[1]) if length else 0)
        self._log.seconds[kind].append(time.perf_counter() - begin)
        if " 200 " not in head.partition("\r\n")[0]:
            raise Failed(f"{method} {kind}: {head.partition(chr(13))[0]}")
        cookie = re.search(r"set-cookie: (player=[^;]+)", head, re.IGNORECASE)
        if cookie:
            self._cookie = cookie[1]
        return answer


async def watch(port: int, log: Log, until: float) -> None:
    """An open leaderboard, told of new revisions."""
    address = f"ws://127.0.0.1:{port}/ws/live/?topics=leaderboard"
    async with websockets.connect(address, origin=f"http://127.0.0.1:{port}") as page:
        while (left := until - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(page.recv(), left)
                log.frames += 1


async def play_together(port: int, players: int, seconds: float) -> Log:
    log, until = Log(), time.monotonic() + seconds
    people = [Player(port, log, seed).play(until) for seed in range(players)]
    pages = [watch(port, log, until) for _ in range(players // WATCHERS)]
    await asyncio.gather(*people, *pages)
    return log


@contextlib.contextmanager
def serve(environment: Mapping[str, str], port: int, web: int) -> Iterator[None]:
    """`manage.py serve`, until its web processes answer; asked to end afterwards."""
    command = [sys.executable, "manage.py", "serve", "--port", str(port), "--web", str(web)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment})
    try:
        deadline = time.monotonic() + START_LIMIT_S
        ask = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{port}/health/ready', timeout=5)"
        while subprocess.run([sys.executable, "-c", ask], capture_output=True, check=False).returncode:
            if time.monotonic() > deadline or process.poll() is not None:
                sys.exit("Service mode did not start; its logs tell why.")
            time.sleep(0.5)  # until it is ready
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--players", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--web", type=int, default=2, help="web processes")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory() as home, temporary_postgresql("players") as database, Redis() as redis:
        environment = {
            "DOPEORNOPE_MODE": "service",
            "DOPEORNOPE_HOME": home,
            "DOPEORNOPE_DATABASE": database,
            "DOPEORNOPE_BROKER": redis.address.removesuffix("/0") + "/1",
            "DOPEORNOPE_CHANNEL_LAYER": redis.address.removesuffix("/0") + "/2",
            "DOPEORNOPE_SECRET_KEY": secrets.token_urlsafe(48),
            "DOPEORNOPE_HOSTS": "127.0.0.1",
            # All players have one address here.
            "DOPEORNOPE_PLAYERS_PER_NETWORK": str(4 * options.players),
        }
        run("-m", "benchmarks.stock_site", "0", "--pictures", environment=environment)
        with serve(environment, port, options.web):
            log = asyncio.run(play_together(port, options.players, 60 * options.minutes))
        with contextlib.closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM evaluation_vote")
            [stored] = cursor.fetchone()
        recount = run("manage.py", "recount_leaderboard", environment=environment).strip()
    report: dict[str, Any] = {
        "players": options.players,
        "minutes": options.minutes,
        "web_processes": options.web,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "votes_acknowledged": log.acknowledged,
        "votes_stored": stored,
        "votes_per_second": round(log.acknowledged / (60 * options.minutes), 1),
        "errors": len(log.errors),
        "first_errors": log.errors[:5],
        "frames_to_open_leaderboards": log.frames,
        "recount": recount,
        "answers": log.describe(),
    }
    print(json.dumps(report, indent=1))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    if log.errors or stored != log.acknowledged:
        sys.exit("Errors, or votes that were acknowledged and are not stored.")


if __name__ == "__main__":
    main()
