"""Webhooks on their way: signed over the bytes that are sent, and sent again until they are taken or given up.

Flutterwave gives up after three retries, half an hour apart, and so do we when the answer is a refusal. But a bot that
is down or in trouble is a thing this sandbox does on purpose, so it is tried again every few seconds first: killing the
bot loses nothing, unless losing is asked for.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

import httpx

from viralcore.core.clock import monotonic
from viralcore.core.nursery import Nursery
from viralcore.sandbox.worlds.flutterwave_faults import MISSING, ONCE, Faults

ANSWER_WITHIN = 60.0  # what Flutterwave grants
AT_ONCE = 8
LOOK_AGAIN = 0.05
RETRY_AFTER, RETRIES = timedelta(minutes=30), 3
SHORTEST, LONGEST, SOON_RETRIES = 1, 5, 120  # seconds between tries while the bot is down; ten minutes in all
SOON = timedelta(seconds=15)  # what is due this soon is waited for before anybody says that it is quiet
HEADERS = {
    "user-agent": "axios/0.19.2",
    "accept": "application/json, text/plain, */*",
    "accept-encoding": "gzip",
    "content-type": "application/json;charset=utf-8",
}


@dataclass(slots=True)
class Hook:
    """One webhook that has not been taken yet."""

    number: int
    payment: int
    body: bytes
    due: datetime
    unheard: int = 0  # tries that nobody answered
    refused: int = 0
    flying: bool = False


def signature(secret: str, body: bytes) -> str:
    """What ``flutterwave-signature`` says of these bytes."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class Courier:
    """Delivers to `url`. Due in business time; its loop starts with the first webhook and ends with the nursery."""

    def __init__(self, now: Callable[[], datetime], nursery: Nursery, url: str, secret: str, faults: Faults) -> None:
        self._now = now
        self._nursery = nursery
        self._url = url
        self._secret = secret
        self._faults = faults
        self._numbers = count(1)
        self._wake = asyncio.Event()
        self._running = False
        self.waiting: list[Hook] = []
        self.delivered: Counter[int] = Counter()  # by payment
        self.lost: Counter[int] = Counter()

    def send(self, payment: int, body: bytes, due: datetime) -> None:
        """Deliver `body` from `due` on."""
        self.waiting.append(Hook(next(self._numbers), payment, body, due))
        self._wake.set()
        if not self._running:
            self._running = True
            self._nursery.keep("sandbox.flutterwave.webhooks", self._run)

    async def settle(self, seconds: float) -> None:
        """Wait until all that is due has been tried, at most so long (machine time)."""
        deadline = monotonic() + seconds
        while self.pending(self._now(), timedelta(0)) and monotonic() < deadline:
            self._wake.set()
            await asyncio.sleep(LOOK_AGAIN / 5)

    def pending(self, now: datetime, soon: timedelta = SOON) -> int:
        """How many are being delivered, or will be within `soon`."""
        return sum(hook.flying or hook.due <= now + soon for hook in self.waiting)

    def next_due(self, now: datetime) -> datetime | None:
        return min((hook.due for hook in self.waiting if hook.due > now), default=None)

    async def _run(self) -> None:
        # A connection each: the bot dies often here, and old axios keeps none either.
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(timeout=ANSWER_WITHIN, trust_env=False, limits=limits) as http:
            while True:
                self._wake.clear()
                now = self._now()
                due = sorted((hook for hook in self.waiting if hook.due <= now), key=lambda hook: hook.due)[:AT_ONCE]
                if due:
                    await asyncio.gather(*(self._try(http, hook) for hook in due))
                    continue
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), LOOK_AGAIN if self.waiting else None)

    async def _try(self, http: httpx.AsyncClient, hook: Hook) -> None:
        hook.flying = True
        try:
            answer = await http.post(self._url, content=hook.body, headers={**HEADERS, **self._proof(hook)})
            status = answer.status_code
        except httpx.HTTPError:
            status = 0
        finally:
            hook.flying = False
        if status == 200:
            self._end(hook, self.delivered)
        elif self._faults.webhooks == ONCE:
            self._end(hook, self.lost)
        else:
            self._put_off(hook, heard=0 < status < 500)

    def _put_off(self, hook: Hook, *, heard: bool) -> None:
        if not heard and hook.unheard < SOON_RETRIES:
            pause = min(SHORTEST << min(hook.unheard, 10), LONGEST)
            hook.unheard += 1
            hook.due = self._now() + timedelta(seconds=pause)
        elif hook.refused < RETRIES:
            hook.refused += 1
            hook.due = self._now() + RETRY_AFTER
        else:
            self._end(hook, self.lost)

    def _end(self, hook: Hook, how: Counter[int]) -> None:
        self.waiting.remove(hook)
        how[hook.payment] += 1

    def _proof(self, hook: Hook) -> dict[str, str]:
        """The secret itself, a signature, or both, in turn: accounts have been seen to get either."""
        wrong = self._faults.wrong_secret
        if wrong == MISSING:
            return {}
        secret = self._secret[::-1] + "?" if wrong else self._secret
        both = {"verif-hash": secret, "flutterwave-signature": signature(secret, hook.body)}
        turn = (hook.number + hook.unheard + hook.refused) % 3
        if turn == 0:
            return both
        name = "verif-hash" if turn == 1 else "flutterwave-signature"
        return {name: both[name]}
