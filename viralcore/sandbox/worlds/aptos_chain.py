"""The simulated Aptos: what is committed is final, so what is held back waits outside. Places are ledger versions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from viralcore.sandbox.worlds.chains import Block, BlockChain, Wish

APT = "0x" + "a".rjust(64, "0")
USDT = "0x357b0b74bc833e95a115ad22604854d6b0fca151cecd94111770e5d6ffc9dc2b"
COIN = "0x1::aptos_coin::AptosCoin"
ROUTER = "0x" + hashlib.sha3_256(b"router").hexdigest()
DECIMALS = {"APT": 8, "USDT": 6}
FIRST_VERSION = 3_500_000_000
AROUND = 2  # transactions of its own that each block has: its metadata before the others, its epilogue after them


@dataclass(frozen=True, slots=True)
class Move:
    """What one owner's balance of an asset changes by; negative is withdrawn."""

    owner: str
    asset: str
    amount: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """`form`: how its events tell of it: ``fa`` (fungible assets, by store), ``coin`` (events of the owner's account,
    as before 2025) or ``module`` (events of the module, by owner). `before`: balances the moves begin with.
    `short`: stores are printed without leading zeros, as the API does now and then."""

    hash: str
    sender: str
    sequence: int
    ok: bool
    function: str
    type_arguments: tuple[str, ...]
    arguments: tuple[object, ...]
    moves: tuple[Move, ...]
    form: str
    before: tuple[int, ...]
    short: bool
    expires: int


def store_of(owner: str, asset: str) -> str:
    """The address of an owner's primary store of an asset."""
    seed = bytes.fromhex(owner[2:]) + bytes.fromhex(asset[2:]) + b"\xfc"
    return "0x" + hashlib.sha3_256(seed).hexdigest()


def read_address(text: str) -> str | None:
    """An address with all its digits; None when it is none."""
    digits = text.lower().removeprefix("0x")
    good = text.lower().startswith("0x") and 1 <= len(digits) <= 64 and not set(digits) - set("0123456789abcdef")
    return "0x" + digits.rjust(64, "0") if good else None


def short(address: str) -> str:
    """Without leading zeros, as the API prints the addresses of its own modules always and others sometimes."""
    return "0x" + (address[2:].lstrip("0") or "0")


class Chain(BlockChain[Transaction]):
    """Each block has a stretch of versions."""

    first_block = 600_000_000
    final_after = timedelta(0)
    old_block_time = timedelta(milliseconds=200)
    mines_held = False

    def __init__(self, now: Callable[[], datetime], rng: Random) -> None:
        self.rng = rng
        self.address = self._our_address()
        self._versions: list[int] = []  # the first version of each block
        self._balances: dict[tuple[str, str], int] = {}
        self._sent = 0  # by us
        super().__init__(now, rng)

    def block_hash(self, number: int, *parts: object) -> str:
        return "0x" + hashlib.sha3_256(":".join(map(str, (number, *parts))).encode()).hexdigest()

    def new_address(self) -> str:
        return "0x" + self.rng.randbytes(32).hex()

    def first_version(self, number: int) -> int:
        """Of a block, or of the one that comes next."""
        if number < self.first_block:
            return FIRST_VERSION - AROUND * (self.first_block - number)
        place = number - self.first_block
        if place < len(self._versions):
            return self._versions[place]
        last = self.blocks[-1]
        return self._versions[-1] + AROUND + len(last.transactions)

    def last_version(self, block: Block[Transaction]) -> int:
        return self.first_version(block.number) + len(block.transactions) + AROUND - 1

    def block_of(self, version: int) -> int:
        """The number of the block a version lies in, or of the next one."""
        if version < FIRST_VERSION:
            return self.first_block - 1 - (FIRST_VERSION - 1 - version) // AROUND
        low, high = 0, len(self._versions)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self._versions[middle] <= version else (low, middle)
        past = low == len(self._versions) and version > self.last_version(self.blocks[-1])
        return self.first_block + (low if past else low - 1)

    def history(self, step: int) -> tuple[Transaction, ...]:
        return (self._between_strangers(),) if step % 2 else ()

    def strangers(self) -> tuple[Transaction, ...]:
        """Somebody else's payment, and now and then a token nobody asked for."""
        others = [self._between_strangers()]
        if self.rng.randrange(5) == 0:
            raw = self.rng.randrange(1, 10**9)
            others.append(self._token(self.new_address(), self.new_address(), self.address, [raw]))
        return tuple(others)

    def transaction(self, wish: Wish) -> Transaction:
        sender = wish.sender or self.new_address()
        if wish.asset == "APT":
            return self._coins(wish, sender)
        return self._token(
            wish.contract or USDT,
            sender,
            wish.to,
            wish.shares(),
            change=wish.change,
            ok=not wish.failed,
            program=wish.via_contract or wish.parts > 1 or wish.change > 0,
        )

    def _link(self, block: Block[Transaction]) -> None:
        self._versions.append(self.first_version(self.first_block + len(self.blocks)) if self.blocks else FIRST_VERSION)
        block.transactions = tuple(map(self._numbered, block.transactions))
        super()._link(block)

    def _numbered(self, item: Transaction) -> Transaction:
        """Ours carry the numbers of our account, one after the other, in the order in which they are committed. Of
        strangers, who send once, nobody knows how often they sent before."""
        if item.sender != self.address:
            return item
        self._sent += 1
        return replace(item, sequence=self._sent - 1)

    def _our_address(self) -> str:
        """One whose stores begin with a zero, so that whoever compares texts instead of addresses finds nothing."""
        while True:
            found = self.new_address()
            if any(store_of(found, asset)[2] == "0" for asset in (USDT, APT)):
                return found

    def _between_strangers(self) -> Transaction:
        raw = self.rng.randrange(10**6, 900 * 10**6)
        return self._token(USDT, self.new_address(), self.new_address(), [raw])

    def _coins(self, wish: Wish, sender: str) -> Transaction:
        form = self.rng.choice(("fa", "fa", "fa", "coin", "module"))
        moves = (Move(sender, APT, -wish.raw), Move(wish.to, APT, wish.raw))
        if wish.via_contract:
            return self._make(
                sender, f"{ROUTER}::router::pay", (), (wish.to, str(wish.raw)), moves, form, not wish.failed
            )
        function = self.rng.choice(("0x1::aptos_account::transfer", "0x1::coin::transfer"))
        types = (COIN,) if function == "0x1::coin::transfer" else ()
        return self._make(sender, function, types, (wish.to, str(wish.raw)), moves, form, not wish.failed)

    def _token(
        self,
        asset: str,
        sender: str,
        to: str,
        shares: list[int],
        *,
        change: int = 0,
        ok: bool = True,
        program: bool = False,
    ) -> Transaction:
        moves = [Move(sender, asset, -sum(shares)), *(Move(to, asset, share) for share in shares)]
        if change:
            moves += [Move(to, asset, -change), Move(sender, asset, change)]
        arguments: tuple[object, ...] = ({"inner": asset}, to, str(sum(shares)))
        function = "0x1::primary_fungible_store::transfer"
        types: tuple[str, ...] = ("0x1::fungible_asset::Metadata",)
        if program:
            function, types, arguments = f"{ROUTER}::router::swap", (asset,), (to, str(sum(shares)))
        elif self.rng.random() < 0.3:
            function, types = "0x1::aptos_account::transfer_fungible_assets", ()
        return self._make(sender, function, types, arguments, tuple(moves), "fa", ok)

    def _make(
        self,
        sender: str,
        function: str,
        types: tuple[str, ...],
        arguments: tuple[object, ...],
        moves: tuple[Move, ...],
        form: str,
        ok: bool,
    ) -> Transaction:
        before = []
        for move in moves:
            held = self._balances.get((move.owner, move.asset), 0)
            if held + move.amount < 0:  # a stranger has as much as he needs
                held = self.rng.randrange(10**9) - move.amount
            before.append(held)
            if ok:
                self._balances[move.owner, move.asset] = held + move.amount
        return Transaction(
            hash="0x" + self.rng.randbytes(32).hex(),
            sender=sender,
            sequence=self.rng.randrange(500),
            ok=ok,
            function=function,
            type_arguments=types,
            arguments=arguments,
            moves=moves,
            form=form,
            before=tuple(before),
            short=self.rng.random() < 0.5,
            expires=int(self.now().timestamp()) + 60,
        )
