"""What a test may need beyond Python: asked once, skipped visibly with the remedy, demanded in CI."""

import glob
import os
import shutil
import socket
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import pytest

REDIS = os.environ.get("DOPEORNOPE_TEST_REDIS", "redis://127.0.0.1:6379/0")
DEMANDED = os.environ.get("REQUIRE_SERVICES") == "1"


def miss(what: str, remedy: str) -> NoReturn:
    """Skip the running test because ``what`` is missing; under REQUIRE_SERVICES=1 fail it instead."""
    if DEMANDED:
        pytest.fail(f"{what} is missing and REQUIRE_SERVICES=1 demands it: {remedy}")
    pytest.skip(f"{what} is missing: {remedy}")


def answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def find_program(name: str, remedy: str, *folders: str) -> str:
    """The path of a program: in one of these folders (patterns), else in the PATH; or a skip."""
    places = [place for folder in folders for place in sorted(glob.glob(folder), reverse=True)]  # noqa: PTH207
    for path in (*places, None):
        if (found := shutil.which(name, path=path)) is not None:
            return found
    miss(name, remedy)


def shifted_clock(shift: str) -> dict[str, str]:
    """The variables under which a process sees another time of day (``-1h``), or a skip."""
    if not (libraries := glob.glob("/usr/lib/*/faketime/libfaketime.so.1")):  # noqa: PTH207
        miss("libfaketime", "install it (Debian: apt install faketime)")
    return {"LD_PRELOAD": libraries[0], "FAKETIME": shift, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def data_folder() -> Path:
    """The folder with the real photos, or a skip."""
    value = os.environ.get("DOPEORNOPE_DATA", "")
    if not value or not Path(value).is_dir():
        miss("real data", "set DOPEORNOPE_DATA to a folder that holds clothing/, openmoji/ and the others")
    return Path(value)


def postgresql() -> str:
    """The address of a PostgreSQL on which a test may make databases of its own, or a skip."""
    address = os.environ.get("DOPEORNOPE_TEST_DATABASE", "postgresql://postgres@127.0.0.1:5432/postgres")
    parts = urlsplit(address)
    if not answers(parts.hostname or "", parts.port or 5432):
        miss("PostgreSQL", f"start one at {parts.hostname}, or name one in DOPEORNOPE_TEST_DATABASE")
    return address


def rabbitmq() -> str:
    """The address of a RabbitMQ on which a test may make a virtual host of its own, or a skip."""
    address = os.environ.get("DOPEORNOPE_TEST_BROKER", "amqp://guest:guest@127.0.0.1:5672").rstrip("/")
    parts = urlsplit(address)
    if not answers(parts.hostname or "", parts.port or 5672):
        miss("RabbitMQ", f"start one at {parts.hostname}, or name one in DOPEORNOPE_TEST_BROKER")
    return address


def redis() -> str:
    """The address of a Redis that sockets of several processes may share, or a skip."""
    parts = urlsplit(REDIS)
    if not answers(parts.hostname or "", parts.port or 6379):
        miss("Redis", f"start one at {parts.hostname}, or name one in DOPEORNOPE_TEST_REDIS")
    return REDIS
