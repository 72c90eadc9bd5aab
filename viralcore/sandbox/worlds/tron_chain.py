"""The simulated Tron: transactions with their real bytes, and the spam every known address is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from viralcore.sandbox.worlds.chains import BlockChain, Wish
from viralcore.sandbox.worlds.tron_raw import TRANSFER, TRANSFER_ASSET, TRIGGER, Raw

USDT = "41a614f803b6fd780986a42c78ec9c7f77e6ded13c"
TRANSFER_TOPIC = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
APPROVAL_TOPIC = "8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7b3b925"
ROUTER = "4113ef3a0f5f8a6a8a7d8c5a2b9d4c1e0f7a6b5c4d"
DECIMALS = {"TRX": 6, "USDT": 6}
BLOCK = timedelta(seconds=3)
GENESIS = "00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc"
_EXPIRES, _FEE_LIMIT = 60_000, 50_000_000


@dataclass(frozen=True, slots=True)
class Log:
    """`address`: the contract, without its ``41``."""

    address: str
    topics: tuple[str, ...]
    data: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """`inner`: (from, to, sun) that a contract sent on. `hash`: of the bytes that were signed, whatever a lying node
    tells of them."""

    raw: Raw
    ok: bool
    hash: str
    logs: tuple[Log, ...] = ()
    inner: tuple[tuple[str, str, int], ...] = ()

    @property
    def result(self) -> str:
        """The word of ``contractRet``."""
        if self.ok:
            return "SUCCESS"
        return "REVERT" if self.raw.kind == TRIGGER else "TRANSFER_FAILED"


def word(value: int | str) -> str:
    """A 32-byte word in hex: a number, or an address without its ``41``."""
    return f"{value:064x}" if isinstance(value, int) else value[-40:].rjust(64, "0")


def transfer_log(token: str, sender: str, to: str, raw: int) -> Log:
    return Log(token[2:], (TRANSFER_TOPIC, word(sender), word(to)), word(raw))


def millis(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


class Chain(BlockChain[Transaction]):
    """Readers find their place by time: blocks are whole multiples of 3 s while there is room, and always newer than
    the one before, except for those that a control call puts into the past."""

    first_block = 85_900_000
    final_after = timedelta(seconds=57)
    old_block_time = BLOCK
    time_is_place = True

    def __init__(self, now: Callable[[], datetime], rng: Random) -> None:
        self.address = "41" + rng.randbytes(20).hex()  # people pay to it
        super().__init__(now, rng)

    def new_address(self) -> str:
        return "41" + self.rng.randbytes(20).hex()

    def block_hash(self, number: int, *parts: object) -> str:
        digest = hashlib.sha256(":".join(str(part) for part in parts).encode()).hexdigest()
        return f"{number:016x}{digest[16:]}"

    def block_time(self, wanted: datetime) -> datetime:
        whole = wanted - timedelta(seconds=wanted.second % 3, microseconds=wanted.microsecond)
        latest = max((block.at for block in self.blocks[-50:]), default=whole - BLOCK)
        long_ago = self.now() - wanted > timedelta(seconds=60)
        return whole if whole > latest or long_ago else latest + timedelta(milliseconds=1)

    def history(self, step: int) -> tuple[Transaction, ...]:
        """One sun from strangers who hope to be taken for somebody else, and tokens nobody asked for."""
        return (self._dust() if step % 2 else self._spam(),)

    def strangers(self) -> tuple[Transaction, ...]:
        """Somebody else's payment, and now and then something for us that is worth nothing."""
        sender, to, raw = self.new_address(), self.new_address(), self.rng.randrange(10**6, 900 * 10**6)
        others = [self._token(USDT, sender, to, [raw])]
        chance = self.rng.randrange(9)
        if chance == 0:
            others.append(self._spam())
        elif chance == 1:
            others.append(self._token(self.new_address(), self.new_address(), self.address, [raw]))
        elif chance == 2:  # nothing, from an address that looks like one of ours
            others.append(self._token(USDT, self.new_address(), self.address, [0]))
        return tuple(others)

    def transaction(self, wish: Wish) -> Transaction:
        sender = wish.sender or self.new_address()
        if wish.asset == "TRX":
            return self._coins(wish, sender)
        token = wish.contract or USDT
        if wish.failed or not (wish.via_contract or wish.parts > 1 or wish.change):
            return self._token(
                token, sender, wish.to, wish.shares()[:1] if wish.failed else [wish.raw], ok=not wish.failed
            )
        payer = ROUTER if wish.via_contract else sender
        logs = [transfer_log(token, payer, wish.to, share) for share in wish.shares()]
        if wish.via_contract:
            approval = Log(token[2:], (APPROVAL_TOPIC, word(sender), word(ROUTER)), word(wish.raw))
            logs = [approval, transfer_log(token, sender, ROUTER, wish.raw), *logs]
        if wish.change:
            logs.append(transfer_log(token, wish.to, sender, wish.change))
        data = "38ed1739" + word(wish.to) + word(wish.raw)
        raw = self._raw(TRIGGER, sender, ROUTER if wish.via_contract else token, 0, data=data)
        return Transaction(raw, True, raw.id, tuple(logs))

    def _coins(self, wish: Wish, sender: str) -> Transaction:
        if not wish.via_contract:
            raw = self._raw(TRANSFER, sender, wish.to, wish.raw)
            return Transaction(raw, not wish.failed, raw.id)
        raw = self._raw(TRIGGER, sender, ROUTER, wish.raw, data="7ff36ab5" + word(wish.to))
        inner = () if wish.failed else ((ROUTER, wish.to, wish.raw),)
        return Transaction(raw, not wish.failed, raw.id, (), inner)

    def _token(self, token: str, sender: str, to: str, shares: list[int], *, ok: bool = True) -> Transaction:
        prefix = "0" * 22 + "41" if self.rng.random() < 0.5 else "0" * 24  # both spellings are seen in the wild
        data = "a9059cbb" + prefix + to[2:] + word(sum(shares))
        raw = self._raw(TRIGGER, sender, token, 0, data=data)
        logs = tuple(transfer_log(token, sender, to, share) for share in shares) if ok else ()
        return Transaction(raw, ok, raw.id, logs)

    def _dust(self) -> Transaction:
        raw = self._raw(TRANSFER, self.new_address(), self.address, 1)
        return Transaction(raw, True, raw.id)

    def _spam(self) -> Transaction:
        name = str(1_000_000 + self.rng.randrange(9999))
        raw = self._raw(TRANSFER_ASSET, self.new_address(), self.address, 8_888_880_000, asset_name=name)
        return Transaction(raw, True, raw.id)

    def _raw(self, kind: str, owner: str, to: str, amount: int, *, data: str = "", asset_name: str = "") -> Raw:
        signed = millis(self.now()) - self.rng.randrange(500, 4000)
        fee_limit = _FEE_LIMIT if kind == TRIGGER else 0
        mark = self.rng.randbytes(10).hex()
        return Raw(kind, owner, to, amount, signed, signed + _EXPIRES, mark[:4], mark[4:], data, asset_name, fee_limit)
