"""Web processes that live as long as a measurement."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.faults.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT_S = 60


def run(*arguments: str, environment: Mapping[str, str]) -> str:
    """Run Python with these arguments to its end; what it printed. Ends the benchmark where it fails."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


@contextlib.contextmanager
def uvicorn(application: str, *options: str, environment: Mapping[str, str], log: Path) -> Iterator[int]:
    """One uvicorn process with this application; its port, once it answers there."""
    port = free_port()
    bound = ["--port", str(port), "--no-access-log", "--log-level", "warning"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", application, *bound, *options],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for(port, process, log)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=START_LIMIT_S) as probe:
                probe.sendall(b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if probe.recv(1):
                    return
        except OSError:
            time.sleep(0.1)  # until it answers
    sys.exit(f"A server did not start: {log.read_text()}")
