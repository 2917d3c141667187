"""Child processes that are kept running, and all stopped together."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from dopeornope import tether

# A child that lives this long has recovered: its next crash is restarted at once again.
RECOVERED_AFTER_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 30.0
LOOK_SECONDS = 0.5

log = logging.getLogger(__name__)


def catch_stop() -> threading.Event:
    """An event that Ctrl-C and TERM set from now on, instead of ending this process."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return stopped


@dataclass
class Child:
    """One process to keep running; everything it prints goes to ``log``."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_fds: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    crashes: int = 0
    due: float = 0.0


class Supervisor:
    """Starts the children in groups of their own: a Ctrl-C in the terminal reaches only this process."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = children

    def start(self) -> None:
        for child in self.children:
            self._start(child)

    def mend(self) -> list[str]:
        """Restart what ended, after a pause that doubles with each crash; the names of the newly ended.

        What cannot be started now (no memory for one process more, no space for its log) is tried again.
        """
        now = time.monotonic()
        ended = []
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                child.process = None
                child.crashes = 0 if now - child.started > RECOVERED_AFTER_SECONDS else child.crashes + 1
                child.due = now + _pause_after(child.crashes)
                ended.append(child.name)
            if child.process is None and now >= child.due:
                try:
                    self._start(child)
                except OSError as error:
                    child.crashes += 1
                    child.due = now + _pause_after(child.crashes)
                    log.warning("%s cannot be started (%s) and is tried again", child.name, error)
        return ended

    def stop(self, *, grace_seconds: float) -> None:
        """Ask every child to end, and after so many seconds make it."""
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + grace_seconds
        for child in self.children:
            if child.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.0, deadline - time.monotonic()))
        # The groups outlive their leaders: whatever a child started goes with it.
        self._signal(signal.SIGKILL)
        for child in self.children:
            if child.process is not None:
                child.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        for child in self.children:
            if child.process is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.process.pid, number)

    def _start(self, child: Child) -> None:
        child.log.parent.mkdir(parents=True, exist_ok=True)
        child.started = time.monotonic()
        with child.log.open("ab") as file:
            child.process = subprocess.Popen(
                [sys.executable, tether.__file__, str(os.getpid()), *child.command],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={**os.environ, **child.environment},
                pass_fds=child.pass_fds,
                start_new_session=True,
            )


def _pause_after(crashes: int) -> float:
    """Seconds: none after the first end of a child that had lived, then 1, 2, 4 and so on."""
    # The exponent is bounded too: after a night of crashes a power of two is no float any more.
    return min(LONGEST_PAUSE_SECONDS, 2.0 ** min(crashes - 1, 16)) if crashes else 0.0
