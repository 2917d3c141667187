"""Under which names the embedded game answers."""

import ipaddress
import socket

from dopeornope.addresses import in_address, list_hosts


def test_alone_on_this_machine_only_local_names_count():
    assert list_hosts("127.0.0.1") == ["localhost", "127.0.0.1"]


def test_a_given_address_is_shown_first_and_local_names_go_on_working():
    assert list_hosts("192.168.1.4") == ["192.168.1.4", "localhost", "127.0.0.1", "::1"]


def test_everywhere_shows_an_address_that_a_phone_can_open():
    hosts = list_hosts("0.0.0.0")
    assert {"localhost", "127.0.0.1", socket.gethostname()} <= set(hosts)
    first = hosts[0]
    assert first == "localhost" or not ipaddress.IPv4Address(first).is_loopback


def test_ipv6_stands_in_brackets():
    assert in_address("::1") == "[::1]"
    assert in_address("example.org") == "example.org"
