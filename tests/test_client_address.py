"""Whose address counts: the peer's, or what as many proxies as the operator counted say."""

import asyncio
from typing import Any

import pytest

from dopeornope.client_address import ClientAddress

PEER = ("192.0.2.9", 4711)
FOR = "x-forwarded-for"


def see(*headers: tuple[str, str], kind: str = "http", scheme: str = "http") -> dict[str, Any]:
    """The scope that the application behind is given."""
    seen: list[dict[str, Any]] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        seen.append(scope)

    encoded = [(name.encode(), value.encode("latin1")) for name, value in headers]
    scope = {"type": kind, "scheme": scheme, "client": PEER, "headers": encoded}
    asyncio.run(ClientAddress(application)(scope, None, None))
    return seen[0]


def address(*headers: tuple[str, str]) -> str:
    return see(*headers)["client"][0]


@pytest.mark.parametrize("name", [FOR, "x_forwarded_for", "X-Forwarded-For", "forwarded", "x-real-ip"])
def test_13_without_a_proxy_no_header_says_who_asks(settings, name):
    settings.TRUSTED_PROXIES = 0
    assert address((name, "203.0.113.7")) == PEER[0]
    assert see(("x-forwarded-proto", "https"))["scheme"] == "http"


@pytest.mark.parametrize(
    ("proxies", "headers", "expected"),
    [
        (1, ["203.0.113.7"], "203.0.113.7"),
        (1, ["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
        (1, ["1.1.1.1", "203.0.113.7"], "203.0.113.7"),
        (2, ["1.1.1.1, 203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        (2, ["1.1.1.1", " 203.0.113.7 ,10.0.0.2"], "203.0.113.7"),
        (2, ["203.0.113.7"], PEER[0]),
        (3, ["203.0.113.7, 10.0.0.2"], PEER[0]),
        (1, [], PEER[0]),
        (1, [""], PEER[0]),
        (1, ["203.0.113.7,"], PEER[0]),
        (1, ["unknown"], PEER[0]),
        (1, ["203.0.113.7; rm -rf"], PEER[0]),
        (1, ["999.1.1.1"], PEER[0]),
        (1, ["ÿ" * 5000], PEER[0]),
        (1, ["203.0.113.7:8080"], "203.0.113.7"),
        (1, ["2001:db8::7"], "2001:db8::7"),
        (1, ["[2001:DB8:0::7]:443"], "2001:db8::7"),
        (1, ["[2001:db8::7]"], "2001:db8::7"),
        (1, ["::ffff:203.0.113.7"], "203.0.113.7"),
        (1, ["[2001:db8::7"], PEER[0]),
    ],
)
def test_13_as_many_entries_from_the_right_as_there_are_proxies(settings, proxies, headers, expected):
    settings.TRUSTED_PROXIES = proxies
    assert address(*((FOR, line) for line in headers)) == expected


def test_13_a_name_with_underscores_is_another_header(settings):
    settings.TRUSTED_PROXIES = 1
    assert address(("x_forwarded_for", "1.1.1.1"), (FOR, "203.0.113.7")) == "203.0.113.7"
    assert address((FOR, "203.0.113.7"), ("x_forwarded_for", "1.1.1.1")) == "203.0.113.7"
    assert address(("x_forwarded_for", "1.1.1.1")) == PEER[0]


@pytest.mark.parametrize(
    ("proxies", "given", "scheme"),
    [
        (1, "https", "https"),
        (1, "HTTPS", "https"),
        (1, "http", "http"),
        (1, "gopher", "http"),
        (2, "https", "https"),
        (1, "https, http", "http"),
        (2, "https, http", "https"),
    ],
)
def test_a_proxy_says_whether_tls_ended_there(settings, proxies, given, scheme):
    settings.TRUSTED_PROXIES = proxies
    assert see(("x-forwarded-proto", given))["scheme"] == scheme
    assert see(("x-forwarded-proto", given), kind="websocket", scheme="ws")["scheme"] == (
        "wss" if scheme == "https" else "ws"
    )
