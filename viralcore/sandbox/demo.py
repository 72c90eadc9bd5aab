"""`viralcore sandbox --demo`: plays the whole story on the page through the control API, slowly enough to watch."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import httpx

from viralcore.core.clock import monotonic
from viralcore.sandbox.console import Say
from viralcore.sandbox.stage import ADA_ID

ADA = ADA_ID
LINK = "https://x.com/viralcore/status/1790000000000000001"
WITHIN = 45.0
OVER, STOPPED = "The demo is over.", "The demo stopped:"
_AMOUNT, _ADDRESS = re.compile(r"^\d+\.\d+$"), re.compile(r"^0x[0-9a-fA-F]{40}$")

Message = dict[str, Any]


class StuckError(Exception):
    """The story could not go on; the text says where."""


async def play(page: str, say: Say, pause: float, show: Callable[[str], None]) -> bool:
    """Play it once, with `pause` seconds between its steps and a caption `show`n for each on the page. Returns whether
    it ended well; the sandbox stays open afterwards."""
    async with httpx.AsyncClient(base_url=page, timeout=70.0, trust_env=False) as http:
        story = Story(http, say, pause, show)
        try:
            await story.tell(page)
        except (StuckError, httpx.HTTPError) as error:
            show("")
            say.trouble(f"{STOPPED} {error}")
            return False
    show("")
    say.line(f"{OVER} The sandbox is yours; Ctrl-C stops it.")
    return True


class Story:
    """Ada buys ten X Tier 3 posts, boosts one, and watches it being delivered."""

    def __init__(self, http: httpx.AsyncClient, say: Say, pause: float, show: Callable[[str], None]) -> None:
        self._http = http
        self._say = say
        self._pause = pause
        self._show = show

    async def tell(self, page: str) -> None:
        await self._call("POST", "/sandbox/users", id=ADA, first_name="Ada", username="ada")
        await self._caption(f"This is Ada. Watch her chat at {page}/?chat={ADA}", 4)
        await self._buy()
        await self._pay()
        await self._boost()
        await self._deliver()
        await self._close()

    async def _buy(self) -> None:
        await self._caption("She starts the bot and accepts the terms.")
        await self._write("/start")
        await self._press("I agree")
        await self._caption("She looks around: Service Menu, Twitter/X, Engagement, Tier 3, ten posts.")
        for label in ("Service Menu", "Twitter/X", "Engagement", "Tier 3", "10"):
            await self._press(label)

    async def _pay(self) -> None:
        await self._caption("She pays with USDT on BSC: an amount of her own, an address, a QR code.")
        for label in ("Crypto", "USDT", "BSC"):
            await self._press(label)
        screen = await self._find(lambda m: bool(_copies(m, _AMOUNT) and _copies(m, _ADDRESS)), "the payment screen")
        amount, address = _copies(screen, _AMOUNT)[0], _copies(screen, _ADDRESS)[0]
        await self._caption(f"Her wallet sends {amount} USDT. The bot watches the chain and waits until it is final.")
        sent = await self._call("POST", "/sandbox/chains/bsc/transfers", asset="USDT", to=address, amount=amount)
        self._say.line(f"    {sent['hash']}")
        await self._turn(60)
        await self._find(lambda m: "is paid" in m["text"], "the receipt")
        await self._caption("Seen, final, credited: ten Tier 3 posts are hers.")

    async def _boost(self) -> None:
        await self._caption("She pastes a link and confirms what will be delivered.")
        await self._write(LINK)
        await self._press("Confirm")

    async def _deliver(self) -> None:
        for words in ("The first half is due and sent.", "The second half is due and sent."):
            await self._caption(f"The clock is turned by 30 minutes. {words}")
            await self._turn(1800)
            await self._orders()
        await self._caption("The panels work; the clock is turned by 20 minutes more.")
        await self._turn(1200)
        await self._orders()
        await self._team()
        done = await self._find(lambda m: "is complete" in m["text"], "the end of the order")
        self._say.line(f"    the bot says: {_first_line(done['text'])}")

    async def _team(self) -> None:
        """What no group takes waits as cards in the admin group; somebody of the team does them."""
        about = await self._call("GET", "/sandbox")
        group, owner = about["admin_group"], about["owner_id"]
        open_ones = [m for m in await self._messages(group) if _has(m, "Take")]
        if open_ones:
            await self._caption("Comments and reposts are done by hand: the team takes the cards and marks them done.")
        for card in open_ones:
            for label in ("Take", "Done"):
                await self._press_card(group, owner, int(card["message_id"]), label)

    async def _press_card(self, group: int, owner: int, message_id: int, label: str) -> None:
        def fits(message: Message) -> bool:
            return message["message_id"] == message_id and _has(message, label) is not None

        shown = await self._find(fits, f"the button {label} of a card", group)
        body = {"from_id": owner, "message_id": message_id, "button": _has(shown, label)}
        await self._call("POST", f"/sandbox/chats/{group}/press", **body)
        await asyncio.sleep(self._pause)

    async def _close(self) -> None:
        verdict = await self._call("GET", "/sandbox/check")
        if not verdict["balanced"]:
            raise StuckError("the books do not agree: " + "; ".join(verdict["problems"]))
        await self._caption("Delivered. The ledger, the chain and the panels agree to the cent.", 4)

    async def _orders(self) -> None:
        about = await self._call("GET", "/sandbox")
        for panel in about["panels"]:
            for order in await self._call("GET", f"/sandbox/panels/{panel}/orders"):
                words = f"{order['quantity']} of service {order['service']}, {order['status']}"
                self._say.line(f"    {panel} #{order['order']}: {words}")

    async def _turn(self, seconds: int) -> None:
        turned = await self._call("POST", "/sandbox/clock", advance_seconds=seconds)
        if not turned["quiet"]:
            self._say.line("    still busy with: " + ", ".join(turned["pending"]))
        await asyncio.sleep(self._pause)

    async def _write(self, text: str) -> None:
        await self._call("POST", f"/sandbox/chats/{ADA}/messages", from_id=ADA, text=text)
        await asyncio.sleep(self._pause)

    async def _press(self, label: str) -> None:
        screen = await self._find(lambda m: _has(m, label) is not None, f"a button {label!r}")
        body = {"from_id": ADA, "message_id": screen["message_id"], "button": _has(screen, label)}
        await self._call("POST", f"/sandbox/chats/{ADA}/press", **body)
        await asyncio.sleep(self._pause)

    async def _find(self, fits: Callable[[Message], bool], what: str, chat: int = ADA) -> Message:
        """The newest message that fits, waited for."""
        deadline = monotonic() + WITHIN
        while monotonic() < deadline:
            messages = await self._messages(chat)
            for message in reversed(messages):
                if fits(message):
                    return message
            after = messages[-1]["seq"] if messages else 0
            await self._call("GET", f"/sandbox/chats/{chat}/messages?after={after}&wait=5")
        raise StuckError(f"{what} did not come")

    async def _messages(self, chat: int = ADA) -> list[Message]:
        found: list[Message] = await self._call("GET", f"/sandbox/chats/{chat}/messages")
        return found

    async def _caption(self, text: str, pauses: float = 1.0) -> None:
        self._say.caption(text)
        self._show(text)
        await asyncio.sleep(self._pause * pauses)

    async def _call(self, method: str, path: str, **body: Any) -> Any:
        answer = await self._http.request(method, path, json=body if method == "POST" else None)
        if answer.status_code >= 400:
            raise StuckError(f"{path} answered {answer.status_code}: {answer.text[:200]}")
        return answer.json()


def _has(message: Message, label: str) -> str | None:
    """The full label of the button meant by `label`: whole words, the shortest label first (10 before 100)."""
    wanted = re.compile(rf"(?<!\w){re.escape(label)}(?!\w)", re.IGNORECASE)
    fitting = [b["text"] for row in message["buttons"] for b in row if b["data"] and wanted.search(b["text"])]
    return min(fitting, key=len, default=None)


def _copies(message: Message, kind: re.Pattern[str]) -> list[str]:
    return [b["copy"] for row in message["buttons"] for b in row if b["copy"] and kind.match(b["copy"])]


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")
