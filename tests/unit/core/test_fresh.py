"""Fresh connections under httpx: one for each request, and a failure says whether anything was sent."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from pathlib import Path

import httpx
import pytest

from tests.support.raw_http import OK, Behaviour, certificate, says, served
from viralcore.core.fresh import FreshConnections


def client(
    *, tls: ssl.SSLContext | None = None, at_once: int = 4, most: int = 1000, **bounds: float
) -> httpx.AsyncClient:
    limits = {"connect": 2.0, "read": 2.0, "write": 2.0, "pool": 2.0} | bounds
    transport = FreshConnections(tls or ssl.create_default_context(), at_once=at_once, most=most)
    return httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(**limits), trust_env=False)


async def test_each_request_has_a_connection_and_promises_to_be_the_only_one() -> None:
    async with served(says(OK)) as server, client() as http:
        for _ in range(3):
            answer = await http.post(server.url, data={"key": "k", "link": "https://x.com/a b"})
            assert (answer.status_code, answer.text) == (200, "ok")
    assert server.opened == 3
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /bot1/getMe HTTP/1.1\r\n")
    assert head.lower().count(b"connection: close") == 1
    assert b"keep-alive" not in head.lower()
    assert body == b"key=k&link=https%3A%2F%2Fx.com%2Fa+b"


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", b"3\r\nay!\r\n0\r\n\r\n"], b"okay!"),
        ([b"HTTP/1.1 200 OK\r\nConte", b"nt-Length: 4\r\n\r\nok", b"ay"], b"okay"),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", OK], b"ok"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], b""),
        (
            [
                b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
                % (len(gzip.compress(b"small", mtime=0)), gzip.compress(b"small", mtime=0))
            ],
            b"small",
        ),
    ],
)
async def test_an_answer_is_whole_however_it_comes(pieces: list[bytes], expected: bytes) -> None:
    async with served(says(*pieces, between=0.01)) as server, client() as http:
        assert (await http.post(server.url, content=b"{}")).content == expected


def hangs_up_after(*pieces: bytes) -> Behaviour:
    async def behave(writer: asyncio.StreamWriter, _: int) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.close()

    return behave


async def test_an_answer_may_end_with_its_connection_if_it_says_no_length() -> None:
    async with served(hangs_up_after(b"HTTP/1.1 200 OK\r\n\r\nall ", b"of it")) as server, client() as http:
        assert (await http.post(server.url, content=b"{}")).text == "all of it"


@pytest.mark.parametrize(
    "pieces", [[], [b"HTTP/1.1 200"], [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"], [b"what?\r\n\r\n"]]
)
async def test_a_cut_off_answer_proves_nothing(pieces: list[bytes]) -> None:
    """It was sent, and may have been done: never an error that would let it be sent again."""
    async with served(hangs_up_after(*pieces)) as server, client() as http:
        with pytest.raises(httpx.TransportError) as caught:
            await http.post(server.url, content=b"{}")
    assert not isinstance(caught.value, httpx.ConnectError | httpx.ConnectTimeout)
    assert len(server.asked) == 1


async def test_silence_after_sending_is_a_read_timeout() -> None:
    async with served(says(b"HTTP/1.1 200 OK\r\n", b"", between=5.0)) as server, client(read=0.2) as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.post(server.url, content=b"{}")
    assert len(server.asked) == 1


async def test_nobody_there_proves_that_nothing_was_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with client() as http:
            with pytest.raises(httpx.ConnectError):
                await http.post(f"http://127.0.0.1:{taken.getsockname()[1]}/", content=b"{}")


async def test_a_connection_that_does_not_come_in_time_proves_it_too() -> None:
    """A TLS handshake that nobody answers: the request itself was never on the wire."""

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server, client(connect=0.2) as http:
        with pytest.raises(httpx.ConnectTimeout):
            await http.post(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", content=b"{}")


async def test_places_are_bounded_and_come_back() -> None:
    async with served(says(b"", OK, between=0.3)) as server, client(at_once=1, pool=0.05) as http:
        first = asyncio.create_task(http.post(server.url, content=b"1"))
        await asyncio.sleep(0.1)
        with pytest.raises(httpx.PoolTimeout):
            await http.post(server.url, content=b"2")
        assert (await first).text == "ok"
        assert len(server.asked) == 1


async def test_no_more_is_read_than_is_wanted() -> None:
    endless = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"64\r\n" + b"x" * 100 + b"\r\n"] * 50]
    async with served(says(*endless)) as server, client(most=1000) as http:
        assert 1000 < len((await http.post(server.url, content=b"{}")).content) < 5000 + 1


async def test_tls_speaks_only_to_whom_it_trusts(tmp_path: Path) -> None:
    file = certificate(tmp_path)
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(file)
    async with served(says(OK), tls=theirs) as server:
        async with client(tls=ssl.create_default_context(cafile=str(file))) as http:
            assert (await http.post(server.url, content=b"{}")).text == "ok"
        async with client() as http:
            with pytest.raises(httpx.ConnectError):
                await http.post(server.url, content=b"{}")
        assert len(server.asked) == 1


async def test_a_line_break_cannot_be_smuggled_into_a_header() -> None:
    async with served(says(OK)) as server, client() as http:
        with pytest.raises((httpx.LocalProtocolError, ValueError)):
            await http.post(server.url, content=b"{}", headers={"X-Note": "a\r\nX-Other: b"})
    assert server.asked == []
