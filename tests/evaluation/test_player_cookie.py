"""What a browser sends as a player's cookie or a sitting's token."""

import tracemalloc
import uuid

import pytest

from evaluation.views.player_cookie import (
    StaleSitting,
    check_sitting,
    read_cookie,
    sign_cookie,
    sign_sitting,
)

SITE = "https://example.org"


def test_what_we_signed_is_read_again():
    key = uuid.uuid4()
    assert read_cookie(sign_cookie(key)) == key
    assert check_sitting(token=sign_sitting(key), cookie=sign_cookie(key), origin=SITE, site=SITE) == key


def test_long_values_are_refused_and_leave_nothing_in_memory():
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(200):
            made_up = f"{number}:".ljust(60_000, "x")
            assert read_cookie(made_up) is None
            with pytest.raises(StaleSitting):
                check_sitting(token=made_up, cookie="", origin=None, site=SITE)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1_000_000
