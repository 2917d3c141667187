"""One process of a test's own, with all that descend from it: started, ended and killed."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

STOP_LIMIT_S = 60


class Process:
    """Everything it prints goes to ``log``, after what an earlier one left there."""

    def __init__(self, command: Sequence[str], *, log: Path, **how: Any) -> None:
        with log.open("ab") as file:
            self._process = subprocess.Popen(command, stdout=file, stderr=file, **how)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        for pid in _find_family(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is flushed, nobody is told."""
        self.send(signal.SIGKILL)
        self._process.wait()

    def wait(self) -> None:
        """Until it has ended; one that does not is killed, and fails the test."""
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


def _find_family(pid: int) -> list[int]:
    """A process and all that descend from it; several have sessions of their own, so groups do not help."""
    family = [pid]
    for member in family:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            family += map(int, Path(f"/proc/{member}/task/{member}/children").read_text().split())
    return family
