"""The pool of connections under the transport, against a server that says exactly what a test tells it to."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from tests.support.raw_http import OK, certificate, says, served
from viralcore.bot import connections
from viralcore.bot.connections import (
    AnswerTimedOut,
    Broken,
    Connections,
    ConnectTimedOut,
    NotConnected,
    target,
)


async def ask(pool: Connections, url: str, body: bytes = b"{}", **bounds: Any) -> tuple[int, bytes]:
    limits = {"waiting": 2.0, "connect": 2.0, "silence": 2.0, "whole": 5.0} | bounds
    return await pool.post(target(url, "tests"), body, **limits)


async def test_calls_share_connections_and_say_what_they_are() -> None:
    async with served(says(OK)) as server:
        pool = Connections(8)
        assert [await ask(pool, server.url, b'{"a":1}') for _ in range(3)] == [(200, b"ok")] * 3
        pool.close()
    assert server.opened == 1
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /bot1/getMe HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nUser-Agent: tests\r\n" in head
    assert body == b'{"a":1}'


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", b"3\r\nay!\r\n0\r\n\r\n"], b"okay!"),
        ([b"HTTP/1.1 200 OK\r\nConte", b"nt-Length: 4\r\n\r\nok", b"ay"], b"okay"),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", OK], b"ok"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], b""),
    ],
)
async def test_an_answer_is_whole_however_it_comes(pieces: list[bytes], expected: bytes) -> None:
    async with served(says(*pieces, between=0.01)) as server:
        pool = Connections(8)
        for _ in range(2):
            assert await ask(pool, server.url) == (200, expected)
        pool.close()
    assert server.opened == 1


@pytest.mark.parametrize("silence", [0.0, 1.0])
async def test_a_connection_that_was_closed_while_idle_is_not_used(
    silence: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_LOOKED_AT", -1.0)

    async def behave(writer: asyncio.StreamWriter, n: int) -> None:
        writer.write(OK)
        await writer.drain()
        if n == 1:
            writer.close()

    async with served(behave) as server:
        pool = Connections(8)
        await ask(pool, server.url)
        await asyncio.sleep(silence)
        assert await ask(pool, server.url) == (200, b"ok")
        pool.close()
    assert (server.opened, len(server.asked)) == (2, 2)


async def test_a_connection_the_server_wants_to_end_or_that_is_old_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(says(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))) as server:
        pool = Connections(8)
        for _ in range(2):
            assert await ask(pool, server.url) == (200, b"ok")
    assert server.opened == 2
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.0)
    async with served(says(OK)) as server:
        for _ in range(2):
            assert await ask(pool, server.url) == (200, b"ok")
    assert server.opened == 2


async def test_whoever_gives_up_leaves_no_answer_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    async def behave(writer: asyncio.StreamWriter, n: int) -> None:
        await asyncio.sleep(0.1 if n == 1 else 0.0)
        writer.write(OK if n > 1 else OK.replace(b"ok", b"no"))

    async with served(behave) as server:
        pool = Connections(1)
        first = asyncio.ensure_future(ask(pool, server.url))
        await asyncio.sleep(0.05)
        first.cancel()
        assert await ask(pool, server.url) == (200, b"ok")
        with pytest.raises(asyncio.CancelledError):
            await first
        pool.close()
    assert server.opened == 2


async def test_silence_is_told_from_slowness_and_both_end() -> None:
    pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n", *[b"x"] * 8]
    async with served(says(*pieces, between=0.05)) as server:
        pool = Connections(1)
        assert await ask(pool, server.url, silence=0.2) == (200, b"x" * 8)
        with pytest.raises(AnswerTimedOut):
            await ask(pool, server.url, silence=0.02)
        with pytest.raises(AnswerTimedOut):
            await ask(pool, server.url, silence=0.2, whole=0.15)
        assert await ask(pool, server.url, silence=None, whole=None) == (200, b"x" * 8)
        pool.close()


@pytest.mark.parametrize(
    "pieces", [[b"garbage\r\n\r\n"], [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok"], [b"HTTP/1.1 200 OK\r\n"]]
)
async def test_an_answer_that_is_none_or_not_whole_may_mean_it_arrived(pieces: list[bytes]) -> None:
    async def behave(writer: asyncio.StreamWriter, n: int) -> None:
        await says(*pieces)(writer, n)
        writer.close()

    async with served(behave) as server:
        pool = Connections(1)
        with pytest.raises(Broken):
            await ask(pool, server.url)
        pool.close()
    assert len(server.asked) == 1


async def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_ANSWER", 10)
    async with served(says(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n", b"x" * 20)) as server:
        with pytest.raises(Broken, match="too large"):
            await ask(Connections(1), server.url)


async def test_who_waits_goes_in_order_and_gives_up_in_time() -> None:
    async with served(says(OK, between=0.1)) as server:
        pool, done = Connections(1), []

        async def one(n: int) -> None:
            await ask(pool, server.url)
            done.append(n)

        calls = [asyncio.ensure_future(one(n)) for n in range(3)]
        await asyncio.sleep(0.02)
        with pytest.raises(ConnectTimedOut):
            await ask(pool, server.url, waiting=0.01)
        await asyncio.gather(*calls)
        pool.close()
    assert done == [0, 1, 2]
    assert (server.opened, len(server.asked)) == (1, 3)


async def test_nobody_there_gives_the_place_back() -> None:
    async with served(says(OK)) as server:
        url = server.url
    pool = Connections(1)
    for _ in range(3):
        with pytest.raises(NotConnected):
            await ask(pool, url)


async def test_a_connection_never_goes_to_another_place() -> None:
    async with served(says(OK)) as one, served(says(OK, between=0.05)) as other:
        pool = Connections(2)
        first = asyncio.ensure_future(ask(pool, other.url))
        await asyncio.sleep(0.02)
        for url in (one.url, other.url, one.url):
            await ask(pool, url)
        await first
        await ask(pool, one.url)
        pool.close()
    assert (len(one.asked), len(other.asked)) == (3, 2)


@pytest.mark.parametrize("url", ["http://[bad", "ftp://x/y", "x", "http://x/\r\nX: y", "http://h\u00f6st/\u00e4"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ValueError):
        target(url, "tests")


# --- TLS --------------------------------------------------------------------------------------------------------------


async def test_tls_speaks_only_to_whom_it_trusts(tmp_path: Path) -> None:
    file = certificate(tmp_path)
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(file)
    async with served(says(OK), tls=theirs) as server:
        trusting = Connections(2, tls=ssl.create_default_context(cafile=str(file)))
        for _ in range(2):
            assert await ask(trusting, server.url) == (200, b"ok")
        trusting.close()
        with pytest.raises(NotConnected, match="SSLCertVerificationError"):
            await ask(Connections(2), server.url)
        assert len(server.asked) == 2
