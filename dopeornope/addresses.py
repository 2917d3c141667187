"""Under which addresses the embedded game is reached: by this machine, and by a phone beside it."""

import contextlib
import socket

# Hosts that mean every address of this machine, and one of these addresses.
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
LOCAL = ("localhost", "127.0.0.1", "::1")
# Documentation addresses (RFC 5737, RFC 3849): asked for a route, never sent anything.
_ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def list_hosts(host: str) -> list[str]:
    """Names and addresses that mean this machine when it listens on ``host``, the one to show first."""
    if host in EVERYWHERE:
        return [*_outward_address(host), *LOCAL, socket.gethostname()]
    return ["localhost", host] if host in LOCAL else [host, *LOCAL]


def in_address(host: str) -> str:
    """As an address bar and the Host header write it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def show_address(host: str, port: int) -> str:
    """What to type into an address bar for a site that listens on ``host``."""
    return f"http://{in_address(list_hosts(host)[0])}:{port}"


def _outward_address(host: str) -> list[str]:
    """The address, of the kind of ``host``, from which this machine reaches its network; none without one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        # Connecting a datagram socket chooses the route and sends nothing.
        probe.connect((_ELSEWHERE[family], 9))
        return [probe.getsockname()[0]]
    return []
