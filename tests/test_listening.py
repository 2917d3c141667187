"""Sockets of web processes: each process has its own, they share a port, and nobody else can join."""

import contextlib
import select
import socket

import pytest

from dopeornope.listening import listen, listen_together
from dopeornope.starting import CannotStart
from tests.faults.ports import free_port

CONNECTIONS = 64


def test_connections_are_dealt_to_all_processes_alike():
    port = free_port()
    with contextlib.ExitStack() as stack:
        listeners = listen_together("127.0.0.1", port, count=2, command="serve")
        for listener in listeners:
            stack.enter_context(listener).setblocking(False)
        for _ in range(CONNECTIONS):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        accepted = []
        for listener in listeners:
            accepted.append(0)
            while select.select([listener], [], [], 0)[0]:
                stack.enter_context(listener.accept()[0])
                accepted[-1] += 1
    assert sum(accepted) == CONNECTIONS
    # Dealt by chance: that one of two gets fewer than 10 of 64 happens once in ten million runs.
    assert min(accepted) >= 10


def test_another_game_cannot_join_the_port_of_one_that_runs():
    port = free_port()
    with contextlib.ExitStack() as stack:
        for listener in listen_together("127.0.0.1", port, count=2, command="serve"):
            stack.enter_context(listener)
        with pytest.raises(CannotStart, match=f"PORT={port + 1} make serve"):
            listen_together("127.0.0.1", port, count=2, command="serve")
        with pytest.raises(CannotStart, match=f"PORT={port + 1} make play"):
            listen("127.0.0.1", port, command="play")
