"""One of fifty people: looks at what the shop shows, means to buy and boost, and is careless, impatient and curious."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Awaitable
from decimal import Decimal
from random import Random
from typing import Any

import httpx

from tests.chaos.record import Record, Sent
from tests.chaos.world import Message, Refused, World, buttons, copies, invoice_of, labelled

PATIENCE = 9.0
THINK = (0.3, 1.8)
COMMANDS_A_MINUTE, UNANSWERED = 6, 3
FORGERY = "a forgery"
_REORDER = re.compile(r"oagain\|([0-9]+)$")
PLANS = ("t1", "t2", "t3")
NONSENSE = (
    "hello?",
    "9.5",
    "-3",
    "/buy t3 abc",
    "/buy nothing 10",
    "/buy t1 3",
    "/nonsense",
    "<b>bold</b> & co",
    "0x12",
    "0x" + "ab" * 20,
    "https://example.com/a",
    "https://x.com/no_status",
    "\u202eolleh",
    "🙂" * 40,
)
PAYMENTS = {
    "exact": 46,
    "exact, pasted": 14,
    "short": 7,
    "a little short": 5,
    "over": 6,
    "twice": 6,
    "slow": 6,
    "worthless": 3,
    "failed": 3,
    "not at all": 4,
}


class Shopper:
    """`others`: everybody's record of transfers, to paste somebody else's."""

    def __init__(self, world: World, record: Record, user: int, random: Random) -> None:
        self._world = world
        self._record = record
        self.id = user
        self._random = random
        self._commands: deque[float] = deque()
        self._paid: set[str] = set()
        self._links = 0
        self._waiting: list[tuple[str, str]] = []

    async def stock_up(self) -> None:
        """Before the storm: one plan, bought and paid as the screen says."""
        wanted = f"/buy {self._random.choice(PLANS)} {self._random.randint(10, 24)}"
        self._record.may_open[self.id] += 1
        await self._until(self._world.say(self.id, wanted), "Crypto")
        for label, then in (("Crypto", "USDT"), ("USDT", "BSC"), ("BSC", "I have paid")):
            home = self._home()
            button = labelled(home, label) if home is not None else None
            if home is not None and button is not None:
                await self._until(self._world.press(self.id, home["message_id"], button["text"]), then)
        home = self._home()
        if home is not None and len(copies(home)) == 2:
            asked = copies(home)[0]
            self._paid.add(asked)
            await self._send(home, "exact", "USDT", Decimal(asked), Decimal(asked))

    async def first_order(self) -> None:
        """Before the storm: one order, so that parts fall due while it lasts."""
        self._links += 1
        link = f"https://x.com/guest{self.id}/status/{self.id}{self._links:04d}"
        await self._until(self._world.say(self.id, link), "Confirm")
        home = self._home()
        if home is not None and labelled(home, "Confirm"):
            await self._until(self._world.press(self.id, home["message_id"], "✅ Confirm"), "Submit another link")

    async def _until(self, act: Awaitable[object], label: str) -> None:
        """Do it, and wait for a screen with that button."""
        deadline = time.monotonic() + 30
        since = self._world.heard[self.id]
        await act
        while time.monotonic() < deadline:
            await self._world.changed(self.id, since, 5)
            home, since = self._home(), self._world.heard[self.id]
            if home is not None and labelled(home, label):
                return

    async def live(self, until: float) -> None:
        await asyncio.sleep(self._random.uniform(0, 2))
        while time.monotonic() < until:
            try:
                await self._step()
            except (Refused, httpx.HTTPError) as trouble:
                self._note(f"could not: {type(trouble).__name__} {trouble}"[:200])
            await asyncio.sleep(self._random.uniform(*THINK))

    def _note(self, words: str) -> None:
        self._record.note(self.id, words)

    # --- what to do next -------------------------------------------------------------------------------------------

    async def _step(self) -> None:
        home = self._home()
        if home is None:
            await self._say("/start", free=True)
        elif labelled(home, "I agree"):
            await self._tap(home, "I agree")
        elif "Send exactly" in home["text"] and copies(home)[0] not in self._paid:
            await self._pay(home)
        elif self._waiting and self._random.random() < 0.8:
            await self._say(self._waiting.pop()[1])
        elif labelled(home, "Confirm"):
            await self._confirm(home)
        elif labelled(home, "Crypto"):
            await self._invoice(home)
        elif labelled(home, "USDT") or labelled(home, "BSC"):
            await self._coin(home)
        else:
            await self._idle(home)

    def _home(self) -> Message | None:
        shown = [one for one in self._world.said(self.id) if buttons(one)]
        screens = [one for one in shown if not one["text"].startswith(("🚚", "🗓", "📤"))]
        return next(reversed(screens or shown), None)

    async def _invoice(self, home: Message) -> None:
        wallet = labelled(home, "Wallet")
        rich = wallet is not None and "$0.00" not in wallet["text"]
        way = self._random.choices(["Crypto", "Wallet", "Cancel"], [70, 45 if rich else 4, 6])[0]
        await self._tap(home, way)

    async def _coin(self, home: Message) -> None:
        if labelled(home, "BSC"):
            await self._tap(home, "BSC")
            return
        offered = [coin for coin in ("USDT", "BNB") if labelled(home, coin)]
        await self._tap(home, self._random.choice(offered))

    async def _confirm(self, home: Message) -> None:
        how = self._random.choices(["once", "twice", "cancel", "look away"], [70, 15, 7, 8])[0]
        if how == "once":
            await self._tap(home, "Confirm")
        elif how == "twice":
            button = labelled(home, "Confirm")
            if button is not None:
                self._note("presses Confirm twice at once")
                since = self._world.heard[self.id]
                press = self._world.press(self.id, home["message_id"], button["data"])
                again = self._world.press(self.id, home["message_id"], button["data"])
                await asyncio.gather(press, again)
                await self._world.changed(self.id, since, PATIENCE)
        elif how == "cancel":
            await self._tap(home, "Cancel")
        else:
            await self._say("/menu", free=True)

    async def _idle(self, home: Message) -> None:
        rich = any("is paid" in one["text"] or "Paid. Thank you" in one["text"] for one in self._world.said(self.id))
        doing = self._random.choices(
            ["buy", "boost", "look", "wander", "nonsense", "paste", "steal", "old", "forge", "edit", "cancel"],
            [12 if rich else 60, 50 if rich else 5, 6, 8, 5, 5, 5, 4, 4, 2, 4 if rich else 0],
        )[0]
        await {
            "buy": self._buy,
            "boost": self._boost,
            "look": self._look,
            "wander": self._wander,
            "nonsense": self._nonsense,
            "paste": self._paste_again,
            "steal": self._steal,
            "old": self._old,
            "forge": self._forge,
            "edit": self._edit,
            "cancel": self._cancel_order,
        }[doing](home)

    # --- lines -----------------------------------------------------------------------------------------------------

    async def _say(self, words: str, *, free: bool = False) -> None:
        """Never so much that the throttle would refuse it: what it refuses is not accepted, and could not be told from
        what was lost."""
        now = self._world.now()
        while self._commands and self._commands[0] < now - 75:
            self._commands.popleft()
        if not free and (len(self._commands) >= COMMANDS_A_MINUTE or self._unanswered() >= UNANSWERED):
            await asyncio.sleep(1)
            return
        if not free:
            self._commands.append(now)
        if words.startswith("/buy"):
            self._record.may_open[self.id] += 1
        self._note(f"writes {words[:120]!r}")
        since = self._world.heard[self.id]
        await self._world.say(self.id, words)
        await self._world.changed(self.id, since, PATIENCE)

    def _unanswered(self) -> int:
        said = [one["message_id"] for one in self._world.said(self.id)]
        newest = max(said, default=0)
        return sum(1 for one in self._record.typed.get(self.id, []) if one > newest)

    async def _buy(self, _: Message) -> None:
        await self._say(f"/buy {self._random.choice(PLANS)} {self._random.randint(10, 24)}")

    async def _boost(self, _: Message) -> None:
        links = []
        for _number in range(self._random.choices([1, 2, 3], [70, 20, 10])[0]):
            self._links += 1
            links.append(f"https://x.com/guest{self.id}/status/{self.id}{self._links:04d}")
        await self._say(" ".join(links))

    async def _look(self, _: Message) -> None:
        await self._say(self._random.choice(["/balance", "/orders", "/history"]))

    async def _nonsense(self, _: Message) -> None:
        await self._say(self._random.choice(NONSENSE))

    async def _paste_again(self, _: Message) -> None:
        """Our own hash, in another spelling."""
        mine = self._record.of(self.id)
        if mine:
            await self._paste(self._random.choice(mine))

    async def _steal(self, _: Message) -> None:
        """Somebody else's hash."""
        others = [one for one in self._record.sent if one.payer != self.id]
        if others:
            await self._paste(self._random.choice(others[-12:]))

    async def _paste(self, one: Sent) -> None:
        digits = one.hash[2:]
        spelt = self._random.choice(
            [one.hash, digits, "0x" + digits.upper(), f"  {digits} ", f"https://bscscan.com/tx/{one.hash}?a=b"]
        )
        self._record.pasted.add((self.id, one.hash))
        self._record.count("pastes")
        await self._say(spelt)

    async def _edit(self, _: Message) -> None:
        typed = self._record.typed.get(self.id)
        if typed:
            self._note("edits an old line")
            await self._world.say(self.id, "/buy t3 500", edit=typed[-1])

    # --- presses ---------------------------------------------------------------------------------------------------

    async def _tap(self, message: Message, label: str) -> None:
        button = labelled(message, label)
        if button is not None:
            await self._press(message, button["data"], button["text"])

    async def _press(self, message: Message, data: str, words: str) -> None:
        self._note(f"presses {words!r} ({data[:40]}) on {message['message_id']}")
        if "buy|" in data:
            self._record.may_open[self.id] += 1
        if (reorder := _REORDER.search(data)) is not None:
            self._record.may_reorder[int(reorder.group(1))] += 1
        since = self._world.heard[self.id]
        forged = words == FORGERY
        await self._world.press(self.id, message["message_id"], data if forged else words)
        await self._world.changed(self.id, since, PATIENCE)

    async def _wander(self, home: Message) -> None:
        one = self._random.choice(buttons(home))
        await self._press(home, one["data"], one["text"])

    async def _old(self, _: Message) -> None:
        """A button of a screen that may be long gone."""
        shown = [one for one in self._world.said(self.id) if buttons(one)]
        message = self._random.choice(shown)
        one = self._random.choice(buttons(message))
        await self._press(message, one["data"], one["text"])

    async def _forge(self, home: Message) -> None:
        """Data that no button of ours carries: somebody else's invoice, order, card."""
        nonce = next(iter(buttons(home)))["data"][1:9]
        number = self._random.randint(1, 60)
        code = self._random.choice(
            (
                *(f"wallet|{number}", f"icancel|{number}", f"go|invoice:{number}", f"go|order:{number}"),
                *(f"dok|{number}", f"ocancel|{number}", f"ph_no|{number}|1", "go|admin", "session", "garbage"),
            )
        )
        await self._press(home, f"A{nonce}{code}", FORGERY)

    async def _cancel_order(self, home: Message) -> None:
        await self._say("/orders")
        shown = self._home()
        orders = [] if shown is None else [one for one in buttons(shown) if "go|order:" in one["data"]]
        if shown is not None and orders:
            one = self._random.choice(orders)
            await self._press(shown, one["data"], one["text"])
            after = self._home()
            if after is not None:
                await self._tap(after, "Cancel this order")

    async def resume(self, order: int) -> None:
        """What they paused on their way through the screens goes on."""
        await self._say(f"/start o_{order}")
        shown = self._home()
        if shown is not None:
            await self._tap(shown, "Resume")

    # --- coins -----------------------------------------------------------------------------------------------------

    async def _pay(self, home: Message) -> None:
        asked = copies(home)[0]
        self._paid.add(asked)
        self._record.count("payments")
        kind = self._random.choices(list(PAYMENTS), list(PAYMENTS.values()))[0]
        if kind == "not at all":
            await self._tap(home, self._random.choice(["Cancel", "Back", "Home"]))
            return
        asset = "BNB" if f"{asked} BNB" in home["text"] else "USDT"
        amount = Decimal(asked)
        if kind == "short":
            amount = (amount * Decimal("0.94")).quantize(Decimal("0.000001"))
        elif kind == "a little short":
            amount = (amount * Decimal("0.998")).quantize(Decimal("0.000001"))
        elif kind == "over":
            amount = (amount * Decimal("1.04")).quantize(Decimal("0.000001"))
        first = await self._send(home, kind, asset, amount, Decimal(asked))
        if kind == "twice":
            await self._send(home, kind, asset, amount, Decimal(asked))
        if kind in {"exact, pasted", "short", "a little short", "over", "worthless", "failed"}:
            self._record.pasted.add((self.id, first.hash))
            if self._random.random() < 0.5:
                await self._tap(home, "I have paid")
            self._waiting.append((first.hash, first.hash))
        elif kind == "slow":
            await asyncio.sleep(self._random.uniform(0.5, 3))
            await self._world.call("POST", f"/chains/bsc/transfers/{first.hash}", final=True)
            first.held = False

    async def _send(self, home: Message, kind: str, asset: str, amount: Decimal, asked: Decimal) -> Sent:
        more: dict[str, Any] = {}
        if kind == "slow":
            more["final"] = False
        if kind == "failed":
            more["failed"] = True
        if kind == "worthless":
            asset, more["contract"] = "USDT", "0x" + "fa" * 20
        found = await self._world.transfer(asset, f"{amount:f}", **more)
        counts = kind not in {"failed", "worthless"}
        one = Sent(found, self.id, asset, amount, kind, invoice_of(home), asked, counts, held=kind == "slow")
        self._record.sent.append(one)
        self._record.count("transfers")
        self._note(f"sends {amount:f} {asset} ({kind}) for invoice {one.invoice}: {found}")
        return one
