"""A port that is kept for somebody."""

from __future__ import annotations

import socket
import sys

import pytest

from viralcore.sandbox.servers import held_port, listen


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a bound port cannot be listened on by somebody else")
def test_nobody_is_given_it_by_chance_and_its_owner_may_listen_again_and_again() -> None:
    with held_port() as holder:
        port = int(holder.getsockname()[1])
        for _ in range(2):
            with listen(port) as owner:
                owner.listen()
        others = [socket.create_server(("127.0.0.1", 0)) for _ in range(300)]
        assert port not in {other.getsockname()[1] for other in others}
        for other in others:
            other.close()
