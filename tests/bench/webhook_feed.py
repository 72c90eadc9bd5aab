"""Updates posted to a bot's webhook, as Telegram does: several at once, each again until it is answered 200."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

PAUSE = 0.5


class Feed:
    """Posts what `take` gives (None: nothing is due) over `connections` kept alive. `wake` says that something is."""

    def __init__(self, asked: bytes, take: Callable[[], bytes | None]) -> None:
        """`asked`: the body of setWebhook."""
        if asked.startswith(b"{"):
            told = {name: str(value) for name, value in json.loads(asked).items()}
        else:
            told = {name: values[0] for name, values in parse_qs(asked.decode()).items()}
        address = urlsplit(told["url"])
        self._host, self._port = address.hostname or "", address.port or 80
        self._head = (
            f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {told.get('secret_token', '')}\r\nContent-Length: "
        ).encode()
        self._take = take
        self._idle: list[asyncio.Future[None]] = []
        self._tasks = [asyncio.ensure_future(self._post_all()) for _ in range(int(told.get("max_connections", 40)))]

    def wake(self) -> None:
        """One more is due: one connection that idles posts it, and the next if there is another."""
        while self._idle:
            idle = self._idle.pop()
            if not idle.done():
                idle.set_result(None)
                return

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _post_all(self) -> None:
        writer: asyncio.StreamWriter | None = None
        reader = asyncio.StreamReader()
        while True:
            body = self._take()
            if body is None:
                waits: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._idle.append(waits)
                await waits
                continue
            self.wake()
            while True:
                try:
                    if writer is None:
                        reader, writer = await asyncio.open_connection(self._host, self._port)
                    writer.write(self._head + b"%d\r\n\r\n%b" % (len(body), body))
                    if await self._accepted(reader):
                        break
                except (OSError, EOFError):
                    writer = None
                await asyncio.sleep(PAUSE)

    @staticmethod
    async def _accepted(reader: asyncio.StreamReader) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].split(b"\r\n")[0]
        await reader.readexactly(int(length or 0))
        return head.split(b" ")[1] == b"200"
