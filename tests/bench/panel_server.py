"""An SMM panel on loopback for the bench: a process of its own that answers every order after a fixed time.

    python -m tests.bench.panel_server [--latency 0.2]

It says its port in one line, and ends when its standard input does. It speaks API v2 as far as the shop asks for it
(add, status, balance); `GET /books` tells what it has been asked, and in how many questions. Questions are answered at
once, orders are never done: the next look finds them in progress.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
from itertools import count
from typing import Any
from urllib.parse import parse_qs

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"


class Panel:
    """`orders`: how often each (service, link, quantity) was ordered."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._numbers = count(1)
        self._orders: dict[str, int] = {}
        self._at_once = self._most = self._questions = self._largest = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one connection."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            sizes = [line.partition(":")[2] for line in head.lower().splitlines() if line.startswith("content-length")]
            form = parse_qs((await reader.readexactly(int(sizes[0]))).decode()) if sizes else {}
            asked = {name: values[0] for name, values in form.items()}
            body = json.dumps(self._books() if head.startswith("GET /books") else await self._said(asked)).encode()
            writer.write(_HEAD % (len(body), body))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # whoever asked is gone
        finally:
            writer.close()

    async def _said(self, asked: dict[str, str]) -> dict[str, Any]:
        if asked.get("action") == "balance":
            return {"balance": "100000.0", "currency": "USD"}
        if asked.get("action") == "status":
            ids = asked.get("orders", asked.get("order", "")).split(",")
            self._questions, self._largest = self._questions + 1, max(self._largest, len(ids))
            row = {"charge": "0.1", "start_count": "0", "status": "In progress", "remains": "0", "currency": "USD"}
            return dict.fromkeys(ids, row)
        if asked.get("action") != "add":
            return {"error": "Incorrect request"}
        self._at_once += 1
        self._most = max(self._most, self._at_once)
        try:
            await asyncio.sleep(self._latency)
        finally:
            self._at_once -= 1
        what = "|".join(asked.get(name, "") for name in ("service", "link", "quantity"))
        self._orders[what] = self._orders.get(what, 0) + 1
        return {"order": next(self._numbers)}

    def _books(self) -> dict[str, Any]:
        return {
            "orders": sum(self._orders.values()),
            "different": len(self._orders),
            "most_at_once": self._most,
            "questions": self._questions,
            "largest_question": self._largest,
        }


async def serve(latency: float) -> None:
    """Until standard input ends."""
    server = await asyncio.start_server(Panel(latency).answer, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - said to whoever started us
    over, loop = asyncio.Event(), asyncio.get_running_loop()

    def wait_for_the_end() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    await over.wait()
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.2)
    asyncio.run(serve(parser.parse_args().latency))
