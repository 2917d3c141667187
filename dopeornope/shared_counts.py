"""Where the web processes of one host keep what they count, so that each can answer for all of them.

`prometheus_client` decides when it is imported whether it counts in such a folder, so a web process calls
`count_together` before it imports anything that counts. Every other process counts in its own memory.
"""

import contextlib
import os
import shutil
import socket
import time
from pathlib import Path

from search.processes import is_alive

GONE_AFTER_SECONDS = 7 * 86_400


def count_together(home: Path) -> None:
    """Make this process one of those that count together."""
    folder = shared_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    # Imported now: it looks for the folder when it is imported.
    from prometheus_client import values

    # A web process never forks, so its number need not be asked for with every count.
    number = os.getpid()
    values.ValueClass = values.MultiProcessValue(lambda: number)


def forget_counts(home: Path) -> None:
    """Begin at zero, unless somebody counts; for whoever starts web processes, before the first of them.

    Where nobody does it, counts go on from where they stood: a later process takes over the file of an
    earlier one with the same number, and totals never fall. What other hosts counted goes once they have
    counted nothing for a week: every container is a host, and leaves its files behind.
    """
    folder = shared_folder(home)
    if not any(map(is_alive, list_counting(folder))):
        for file in folder.glob("*.db"):
            file.unlink(missing_ok=True)
    for other in set(folder.parent.glob("*")) - {folder}:
        with contextlib.suppress(FileNotFoundError):  # that host begins at zero at this moment
            newest = max((file.stat().st_mtime for file in other.glob("*.db")), default=0.0)
            if newest < time.time() - GONE_AFTER_SECONDS:
                shutil.rmtree(other, ignore_errors=True)


def list_counting(folder: Path) -> set[int]:
    """The numbers of all processes that ever counted here."""
    return {int(file.stem.rpartition("_")[2]) for file in folder.glob("*.db")}


def shared_folder(home: Path) -> Path:
    """One folder per host name: containers that share HOME number their processes alike."""
    return home / "metrics" / socket.gethostname()
