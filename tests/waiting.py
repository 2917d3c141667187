"""Waiting for what must come to pass."""

import time
from collections.abc import Callable

PATIENCE_S = 90.0


def wait_until(is_so: Callable[[], object], *, describe: Callable[[], str] | None = None) -> None:
    """``describe``: how things stand where it was waited for in vain."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, describe() if describe else "it never came to pass"
        time.sleep(0.005)  # between two looks
