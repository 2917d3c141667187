"""Posting to where people say: to public addresses alone, as they were looked up, and not for long."""

import threading
from ipaddress import ip_address

import pytest

from search.services.posting import NotAnswered, NotPosted, check_address, is_public, post
from tests.search.receiving import HERE, Request, post_here, receive

PRIVATE = [
    *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1"),
    *("192.0.0.8", "192.168.1.1", "198.18.0.1", "203.0.113.7", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1"),
    *("fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1"),
    *("64:ff9b::7f00:1", "64:ff9b:1::a9fe:a9fe", "2002:7f00:1::", "2001:0:7f00:1::"),
]


def answer(status: int, **headers: str):
    def send(request: Request) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()

    return send


@pytest.mark.parametrize("address", PRIVATE)
def test_26_no_address_that_is_not_the_internets_is_posted_to(address):
    assert not is_public(ip_address(address))
    for found in ([address], ["93.184.215.14", address], [address, "2606:2800::1"]):
        with pytest.raises(NotPosted, match="not a public address"):
            post(
                "https://hooks.example/",
                headers={},
                body=b"",
                within_s=1,
                look_up=lambda host, port, found=found: [ip_address(one) for one in found],
            )


@pytest.mark.parametrize("address", ["93.184.215.14", "::ffff:93.184.215.14", "2606:2800:220:1::1"])
def test_addresses_of_the_internet_are_public(address):
    assert is_public(ip_address(address))


def test_26_what_a_name_leads_to_later_is_not_asked():
    """The second answer would lead elsewhere (DNS rebinding): there is no second question."""
    asked = []
    with receive(answer(204)) as receiver:

        def look_up(host, port):
            asked.append(host)
            return [HERE] if len(asked) == 1 else [ip_address("192.0.2.1")]

        assert post_here(receiver.url, look_up=look_up) == 204
    assert asked == ["hooks.example"]


def test_the_receiver_is_spoken_to_by_its_name():
    with receive(answer(204)) as receiver:
        assert post_here(receiver.url, headers={"X-One": "1"}, body="é".encode()) == 204
        ((path, headers, body),) = receiver.received
    assert (path, headers["X-One"], body) == ("/in?from=us", "1", "é".encode())
    assert headers["Host"] == receiver.url.removeprefix("https://").partition("/")[0]
    assert receiver.names == ["hooks.example"]


def test_26_a_redirect_is_an_answer_and_leads_nowhere():
    with receive(answer(302, Location="http://169.254.169.254/latest/meta-data/")) as receiver:
        assert post_here(receiver.url) == 302
        assert len(receiver.received) == 1


def test_a_certificate_of_another_name_or_of_nobody_is_refused():
    with receive(answer(204)) as receiver:
        elsewhere = receiver.url.replace("hooks.example", "other.example")
        with pytest.raises(NotPosted, match="certificate verify failed"):
            post_here(elsewhere)
        with pytest.raises(NotPosted, match="certificate verify failed"):
            post(
                receiver.url,
                headers={},
                body=b"",
                within_s=20,
                look_up=lambda host, port: [HERE],
                permits=lambda address: True,
            )
        assert receiver.received == []


def hang(request: Request) -> None:
    request.server.gone.wait()


def trickle(request: Request) -> None:
    """A byte at a time, for ever: each comes soon enough after the one before."""
    while not request.server.gone.wait(0.01):
        request.wfile.write(b"H")


def keep_waiting(request: Request) -> None:
    while not request.server.gone.wait(0.01):
        request.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize("behave", [hang, trickle, keep_waiting])
def test_a_receiver_that_hangs_is_left_when_the_time_is_over(behave):
    with receive(behave) as receiver, pytest.raises(NotPosted, match="did not answer within"):
        post_here(receiver.url, within_s=0.5)


def test_after_a_look_up_that_took_too_long_nothing_is_posted():
    late = threading.Event()
    with receive(answer(204)) as receiver:

        def look_up(host, port):
            late.wait(0.2)
            return [HERE]

        with pytest.raises(NotAnswered, match="did not answer within"):
            post_here(receiver.url, look_up=look_up, within_s=0.1)
        assert receiver.received == []


def test_the_body_of_an_answer_is_not_waited_for():
    with receive(answer(200, **{"Content-Length": str(10**15)})) as receiver:
        assert post_here(receiver.url) == 200


def test_who_is_not_there_or_speaks_something_else_is_told_of():
    def talk(request: Request) -> None:
        request.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")

    with receive(talk) as receiver, pytest.raises(NotPosted, match="could not be asked"):
        post_here(receiver.url)
    with pytest.raises(NotPosted, match="could not be asked"):
        post_here(receiver.url)

    def fail(host, port):
        raise OSError("no such name")

    with pytest.raises(NotPosted, match="leads nowhere"):
        post_here(receiver.url, look_up=fail)


def test_the_second_address_is_tried_where_the_first_does_not_answer():
    with receive(answer(204)) as receiver:
        found = [ip_address("127.0.0.2"), HERE]  # nobody listens at the first
        assert post_here(receiver.url, look_up=lambda host, port: found, permits=lambda one: True) == 204


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://hooks.example/", "begin with https"),
        ("ftp://hooks.example/", "begin with https"),
        ("hooks.example", "begin with https"),
        ("https://", "no address"),
        ("https://hooks.example:99999/", "no address"),
        ("https://[::1/", "no address"),
        ("https://hooks.example/a b", "no address"),
        ("https://hooks.example/\r\nX-More: 1", "no address"),
        ("https://user:word@hooks.example/", "Leave out"),
        ("https://hooks.example/#part", "Leave out"),
        ("https://localhost/", "not a public address"),
        ("https://site.localhost./", "not a public address"),
        ("https://database/", "not a public address"),
        ("https://2130706433/", "not a public address"),
        ("https://127.1/", "not a public address"),
        ("https://0x7f.1/", "not a public address"),
        ("https://10.0.0.0x1./", "not a public address"),
        ("https://a,b.example/", "not a public address"),
        ("https://[2606:2800::1%251]/", "no address"),
        ("https://127.0.0.1:8000/", "not a public address"),
        ("https://[::ffff:10.0.0.1]/", "not a public address"),
        ("https://metadata.google.internal/", "not a public address"),
    ],
)
def test_addresses_that_can_be_refused_at_once_are(address, reason):
    with pytest.raises(NotPosted, match=reason):
        check_address(address)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://hooks.example:8443/a?b=c%20d", "https://hooks.example:8443/a?b=c%20d"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("HTTPS://BÜCHER.Example.:443", "https://xn--bcher-kva.example/"),
        ("https://hooks.example?b=c", "https://hooks.example/?b=c"),
        ("https://hooks.example/Straße?q=ü", "https://hooks.example/Stra%C3%9Fe?q=%C3%BC"),
        ("https://[2606:2800::1]:8443/", "https://[2606:2800::1]:8443/"),
    ],
)
def test_a_good_address_is_kept_as_requests_and_certificates_write_it(address, kept):
    assert check_address(address) == kept
    assert check_address(kept) == kept
