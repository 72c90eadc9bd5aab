"""No test reaches beyond this machine: sockets connect to loopback and Unix sockets, no name but localhost resolves.

`tests/conftest.py` imports the fixture.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest


class WorldReached(RuntimeError):
    """A test tried to talk to something that is not on this machine."""


def is_local(host: object) -> bool:
    """Whether a host as sockets take it (name, address, bytes, None) is this machine."""
    if host is None:
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return text in {"", "localhost"} or text.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _check(family: int, address: object) -> None:
    if family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple) and not is_local(address[0]):
        raise WorldReached(f"tests stay on this machine, not {address[0]!r}")


@pytest.fixture(scope="session", autouse=True)
def stay_home() -> Iterator[None]:
    """Guard every socket of the test session."""
    real = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto, socket.getaddrinfo

    def connect(self: socket.socket, address: Any) -> None:
        _check(self.family, address)
        real[0](self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        _check(self.family, address)
        return real[1](self, address)

    def sendto(self: socket.socket, data: Any, *rest: Any) -> int:
        _check(self.family, rest[-1])
        return real[2](self, data, *rest)

    def getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        if not is_local(host):
            raise WorldReached(f"tests stay on this machine, not {host!r}")
        return real[3](host, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket.socket, "connect_ex", connect_ex)
        patch.setattr(socket.socket, "sendto", sendto)
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield
