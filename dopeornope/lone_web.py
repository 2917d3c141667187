"""One web process for as long as something is measured, as `play` starts it, on a port that is free."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dopeornope import listening, starting
from dopeornope.children import web_child
from dopeornope.supervisor import Supervisor

HOST = "127.0.0.1"
# It is measured, not protected: all its visitors come from this machine, straight and from one address,
# whatever names, proxies and limits the operator's site has.
MEASURED = {
    "DOPEORNOPE_PLAYERS_PER_NETWORK": "1000000",
    "DOPEORNOPE_HOSTS": HOST,
    "DOPEORNOPE_TLS": "0",
    "DOPEORNOPE_TRUSTED_PROXIES": "0",
}
STARTS_WITHIN_S = 60
FINISH_SECONDS = 3
GRACE_SECONDS = 5.0
LOOKS_EVERY_S = 0.1
_GROUP, _USER, _SYSTEM = 2, 11, 12  # of /proc/PID/stat, after the name: proc(5)


@dataclass(frozen=True)
class LoneWeb:
    """Where it answers, and the number of the group that it and its decoders are."""

    port: int
    group: int

    def count_processor_s(self) -> float:
        """What its processes have taken of the cores so far, in seconds; other load does not lengthen it."""
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                fields = path.read_text().rpartition(")")[2].split()
                if int(fields[_GROUP]) == self.group:
                    ticks += int(fields[_USER]) + int(fields[_SYSTEM])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serve_alone(environment: Mapping[str, str] | None = None) -> Iterator[LoneWeb]:
    """The web process, once it answers. Raises ``CannotStart``."""
    starting.collect_static()
    with listening.listen(HOST, 0, command="play") as listener:
        port = int(listener.getsockname()[1])
        child = web_child("measured-web", listener, host=HOST, finish_seconds=FINISH_SECONDS)
        child.environment = {**child.environment, **MEASURED, **(environment or {})}
        supervisor = Supervisor([child])
        supervisor.start()
        try:
            deadline = time.monotonic() + STARTS_WITHIN_S
            while not listening.answers(HOST, port):
                if supervisor.mend() or time.monotonic() > deadline:
                    raise starting.CannotStart(f"The web process did not start; {child.log} says why.")
                time.sleep(LOOKS_EVERY_S)  # between two looks
            assert child.process is not None
            yield LoneWeb(port, child.process.pid)
        finally:
            supervisor.stop(grace_seconds=GRACE_SECONDS)
