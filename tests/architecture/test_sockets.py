"""The guard that keeps tests on this machine is on, and bites."""

from __future__ import annotations

import socket

import httpx
import pytest

from tests.support.sockets import WorldReached, is_local


@pytest.mark.parametrize("address", ["93.184.215.14", "10.0.0.1", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_no_way_out(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as outward, pytest.raises(WorldReached):
        outward.connect((address, 443))
    with socket.socket(family, socket.SOCK_DGRAM) as outward, pytest.raises(WorldReached):
        outward.sendto(b"x", (address, 53))


def test_no_names() -> None:
    with pytest.raises(WorldReached):
        socket.getaddrinfo("api.telegram.org", 443)


async def test_not_through_a_client_either() -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises((WorldReached, httpx.ConnectError)):
            await client.get("https://api.telegram.org")


def test_home_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
    assert is_local("localhost")
    assert is_local("::1")
    assert not is_local("localhost.example.com")
