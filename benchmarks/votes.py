"""Deal and vote over HTTP, 16 connections at once, against one row stored by a minimal Django view.

Ours is the product as it is run: one web process on SQLite (`make play`), two on PostgreSQL (`make serve`).
Every visitor has a sitting, asks for ten pairs at a time and sends each vote as a request of its own; a unit
is a vote that was acknowledged, so dealing comes on top. The other is `benchmarks.minimal_site` under
gunicorn with two workers, sync and with threads: a unit is a row stored. Both keep what they acknowledged
through a power cut (synchronous FULL), both are asked by the same client, in turns.
"""

import contextlib
import itertools
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.databases import temporary_postgresql
from benchmarks.load import Load, Visitor, post, run_for
from benchmarks.rows import Row, compare, take_turns
from benchmarks.servers import ROOT, run
from tests.faults.ports import free_port

COOKIE = "player"
CONNECTIONS = 16
SECONDS = 5.0
REPEATS = 5
ROUNDS_PER_SITTING = 2
ROUND_SIZE = 20
SITTINGS = 3000
FLOOR = 1.0
OTHERS = {"gunicorn, sync": (), "gunicorn, threads": ("--threads", "8")}


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        rows = [_measure("vote-sqlite", Path(folder), "sqlite", processes=1)]
    with tempfile.TemporaryDirectory() as folder, temporary_postgresql("votes") as address:
        rows.append(_measure("vote-postgres", Path(folder), address, processes=2))
    return rows


def _measure(name: str, folder: Path, database: str, *, processes: int) -> Row:
    environment = {
        "DOPEORNOPE_HOME": str(folder),
        "DOPEORNOPE_DATABASE": database,
        "DOPEORNOPE_SECRET_KEY": secrets.token_urlsafe(48),
        # All visitors have one address, and nobody looks at the pictures.
        "DOPEORNOPE_VOTES_PER_MINUTE": "1000000",
        "DOPEORNOPE_PLAYERS_PER_NETWORK": "1000000",
        "BENCH_SQLITE": str(folder / "minimal.sqlite3"),
    }
    stocked = run("-m", "benchmarks.stock_site", str(SITTINGS), environment=environment)
    run("-c", "from benchmarks import minimal_site; minimal_site.make_table()", environment=environment)
    sittings = itertools.cycle(json.loads(stocked))
    loads: dict[str, Load] = {name: Load() for name in ("ours", *OTHERS)}
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(_serve(_ours, environment, folder / "ours.log", processes))
        runs = {"ours": _play(port, sittings, loads["ours"])}
        for other, options in OTHERS.items():
            log = folder / "other.log"
            port = stack.enter_context(_serve(_minimal(options), environment, log))
            runs[other] = _insert(port, loads[other])
        rates = take_turns(runs, repeats=REPEATS)
    notes = {
        "connections": CONNECTIONS,
        "web_processes": processes,
        "p50_ms": {one: round(load.percentile(0.5), 1) for one, load in loads.items()},
        "p99_ms": {one: round(load.percentile(0.99), 1) for one, load in loads.items()},
        "statuses": {one: load.statuses for one, load in loads.items()},
    }
    return compare(name, rates, floor=FLOOR, unit="votes/s", notes=notes)


def _play(port: int, sittings: Iterator[tuple[str, str]], load: Load) -> Callable[[], int]:
    def take() -> int:
        votes: list[int] = [0]
        run_for(
            SECONDS,
            port=port,
            connections=CONNECTIONS,
            visitor=lambda _: _player(port, sittings, votes),
            load=load,
        )
        return votes[0]

    return take


def _player(port: int, sittings: Iterator[tuple[str, str]], votes: list[int]) -> Visitor:
    """Plays a few rounds with one sitting, then goes on as somebody else."""
    while True:
        sitting, cookie = next(sittings)
        headers = f"X-Sitting: {sitting}\r\n"
        for _ in range(ROUNDS_PER_SITTING):
            round_id = None
            for _ in range(ROUND_SIZE // 10):
                body = {"catalogue": "bench", "round": round_id, "held": [], "count": 10}
                status, answer = yield post("/play/deals/", _dump(body), port=port, headers=headers)
                assert status == 200, answer
                dealt = json.loads(answer)
                round_id = dealt["round"]
                for turn, deal in enumerate(dealt["deals"]):
                    said = {"answer": "nope" if turn % 3 else "dope", "dwell_ms": 900, "modality": "key"}
                    path = f"/play/votes/{deal['id']}/"
                    status, answer = yield post(path, _dump(said), port=port, headers=headers)
                    assert status == 200, answer
                    votes[0] += 1
                    # As a browser does from the first vote on.
                    headers = f"X-Sitting: {sitting}\r\nCookie: {COOKIE}={cookie}\r\n"


def _insert(port: int, load: Load) -> Callable[[], int]:
    body = _dump({"deal": "0" * 32, "answer": "dope", "dwell_ms": 900})

    def visitor(_: int) -> Visitor:
        while True:
            status, answer = yield post("/vote/", body, port=port)
            assert status == 200, answer

    def take() -> int:
        before = len(load.seconds)
        run_for(SECONDS, port=port, connections=CONNECTIONS, visitor=visitor, load=load)
        return len(load.seconds) - before

    return take


def _dump(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


@contextlib.contextmanager
def _serve(
    command: Callable[[int], Sequence[str]], environment: Mapping[str, str], log: Path, processes: int = 1
) -> Iterator[int]:
    """Processes with a socket each on one port, as in service mode; the sockets are there before they are."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        for _ in range(processes):
            listener = socket.create_server(("127.0.0.1", port), backlog=2048, reuse_port=True)
            stack.enter_context(listener)
            arguments = command(listener.fileno())
            stack.enter_context(_process(arguments, environment, log, fds=[listener.fileno()]))
        yield port


def _ours(socket_number: int) -> list[str]:
    return ["-m", "dopeornope.web", str(socket_number), "5"]


def _minimal(options: Sequence[str]) -> Callable[[int], list[str]]:
    def command(socket_number: int) -> list[str]:
        bound = ["--bind", f"fd://{socket_number}"]
        return ["-m", "gunicorn", "--workers", "2", *options, *bound, "benchmarks.minimal_site:application"]

    return command


@contextlib.contextmanager
def _process(
    command: Sequence[str], environment: Mapping[str, str], log: Path, fds: Sequence[int] = ()
) -> Iterator[None]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
            pass_fds=fds,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait()
