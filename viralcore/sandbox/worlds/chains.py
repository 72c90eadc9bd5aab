"""What all simulated chains have in common: blocks, transfers, holds and finality. Knows nothing of JSON.

Blocks appear only when something happens: a transfer, a turn of the clock, a poll some seconds after the last one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Context, Decimal
from random import Random
from typing import ClassVar, Generic, Protocol, TypeVar

WIDE = Context(prec=100)  # chain amounts may have more digits than the default 28


class Transacted(Protocol):
    """One transaction as it stands on a chain; the JSON is made from it."""

    @property
    def hash(self) -> str: ...


T = TypeVar("T", bound=Transacted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a control call asks for. Amounts in the asset's smallest unit."""

    asset: str
    to: str
    raw: int
    sender: str | None = None
    contract: str | None = None  # another token than USDT that calls itself USDT
    final: bool | None = None
    failed: bool = False
    unmined: bool = False
    via_contract: bool = False
    parts: int = 1
    change: int = 0
    age: timedelta = timedelta(0)

    def shares(self) -> list[int]:
        """The amount in as many parts as were asked for; the last takes what does not divide."""
        share = self.raw // self.parts
        return [share] * (self.parts - 1) + [self.raw - share * (self.parts - 1)]


@dataclass(slots=True)
class Transfer(Generic[T]):
    """A transfer somebody asked for, and where it stands.

    `held`: not final until released by hand. `read`: some node has told somebody that it is final. `backdated`: its
    block is older than what was final when it appeared.
    """

    wish: Wish
    transaction: T
    sent_at: datetime
    held: bool
    mined: bool
    block: int = 0
    released_at: datetime | None = None
    read: bool = False
    backdated: bool = False

    @property
    def hash(self) -> str:
        return self.transaction.hash


@dataclass(slots=True)
class Block(Generic[T]):
    number: int
    at: datetime  # what its header says
    born: datetime  # when it was appended, which is what finality counts from
    transactions: tuple[T, ...]
    transfer: Transfer[T] | None
    hash: str = ""
    parent: str = ""

    @property
    def held(self) -> bool:
        return self.transfer is not None and self.transfer.held


class BlockChain(ABC, Generic[T]):
    """One chain; a network says what its transactions and the hashes of its blocks look like.

    `mines_held`: a transfer that is held back lies in a block that is not final; else it waits outside, where a
    network knows no block that is not final. `time_is_place`: readers find their place by the time of blocks, so a
    block must never be older than the one before it.
    """

    first_block: ClassVar[int]
    final_after: ClassVar[timedelta]
    block_on_poll: ClassVar[timedelta] = timedelta(seconds=3)
    old_block_time: ClassVar[timedelta]
    mines_held: ClassVar[bool] = True
    time_is_place: ClassVar[bool] = False

    def __init__(self, now: Callable[[], datetime], rng: Random) -> None:
        self.now = now
        self.rng = rng
        self.blocks: list[Block[T]] = []
        self.transfers: dict[str, Transfer[T]] = {}
        self._salt = rng.getrandbits(64)
        self._final = self.first_block
        start = now() - timedelta(seconds=15)
        for step in range(5):
            self._append(start + step * timedelta(seconds=3), start, self.history(step))
        self._final = self.height

    @property
    def height(self) -> int:
        return self.first_block + len(self.blocks) - 1

    @abstractmethod
    def transaction(self, wish: Wish) -> T:
        """What a wish looks like on this chain."""

    @abstractmethod
    def block_hash(self, number: int, *parts: object) -> str:
        """A hash for block `number`, the same for the same parts."""

    def strangers(self) -> tuple[T, ...]:
        """Other people's transactions that share a block with ours, before it."""
        return ()

    def history(self, step: int) -> tuple[T, ...]:
        """What lies in the blocks from before anybody looked; they are final from the start."""
        return ()

    def block(self, number: int) -> Block[T]:
        """A block up to the head; those from before the sandbox began are empty and made up on the spot."""
        if number >= self.first_block:
            return self.blocks[number - self.first_block]
        at = self.blocks[0].at - (self.first_block - number) * self.old_block_time
        mark, before = (self.block_hash(each, "old", each) for each in (number, number - 1))
        return Block(number, at, at, (), None, mark, before)

    def finalized(self) -> int:
        """The highest final block now. It never goes down."""
        now = self.now()
        while self._final < self.height and self._may_be_final(self.block(self._final + 1), now):
            self._final += 1
        return self._final

    def final_at(self, transfer: Transfer[T]) -> datetime | None:
        """When a transfer becomes final by itself; None when it is final or waits for a hand."""
        if not transfer.mined or transfer.held or transfer.block <= self.finalized():
            return None
        return self.block(transfer.block).born + self.final_after

    def is_final(self, transfer: Transfer[T]) -> bool:
        return transfer.mined and transfer.block <= self.finalized()

    def is_read(self, transfer: Transfer[T]) -> bool:
        """Somebody was told that a final transfer is final."""
        return transfer.read

    def poll(self) -> None:
        """Somebody asks for the head: a block appears when the last one is some seconds old."""
        now = self.now()
        if now - self.blocks[-1].born >= self.block_on_poll:
            self._append(now, now)

    def turn(self) -> None:
        """The clock was turned."""
        now = self.now()
        if now > self.blocks[-1].born:
            self._append(now, now)

    def send(self, wish: Wish) -> Transfer[T]:
        """Make the transaction and, unless it should stay in the mempool, a block around it."""
        transfer = Transfer(wish, self.transaction(wish), self.now(), wish.final is False, False)
        self.transfers[transfer.hash] = transfer
        if not wish.unmined and (self.mines_held or not transfer.held):
            self._mine(transfer)
        return transfer

    def release(self, transfer: Transfer[T]) -> None:
        """Make a held or unmined transfer final now."""
        transfer.held, transfer.released_at = False, self.now()
        if not transfer.mined:
            self._mine(transfer)
        self._reorder()
        self._final = max(self._final, transfer.block)

    def block_time(self, wanted: datetime) -> datetime:
        """What the header of a new block says."""
        return wanted

    def _mine(self, transfer: Transfer[T]) -> None:
        now = self.now()
        at = now - transfer.wish.age
        transfer.backdated = self.time_is_place and any(at <= block.at for block in self._final_blocks())
        self._append(at, now, (*self.strangers(), transfer.transaction), transfer)
        self._reorder()
        # An old transaction was final long ago.
        if transfer.wish.final or (transfer.wish.age >= self.final_after and not transfer.held):
            self._final = max(self._final, transfer.block)

    def _append(
        self, at: datetime, born: datetime, transactions: tuple[T, ...] = (), transfer: Transfer[T] | None = None
    ) -> None:
        self._link(Block(0, self.block_time(at), born, transactions, transfer))

    def _link(self, block: Block[T]) -> None:
        number = self.first_block + len(self.blocks)
        parent = self.blocks[-1].hash if self.blocks else self.block_hash(number - 1, "old", number - 1)
        hashes = "".join(item.hash for item in block.transactions)
        block.number, block.parent = number, parent
        block.hash = self.block_hash(number, self._salt, number, parent, hashes)
        if block.transfer is not None:
            block.transfer.block, block.transfer.mined = number, True
        self.blocks.append(block)

    def _reorder(self) -> None:
        """A transfer held back must not hold back others for ever: blocks that are not final are reorganised so that
        held ones come last, as happens when a fork drops a transaction and it is mined again."""
        first = next((i for i, block in enumerate(self.blocks) if block.held), len(self.blocks))
        tail = self.blocks[first:]
        if not any(block.transfer is not None and not block.held for block in tail):
            return
        del self.blocks[first:]
        now = self.now()
        for block in [b for b in tail if not b.held] + [b for b in tail if b.held]:
            if self.time_is_place and block.held:
                block.at = self.block_time(now)
            self._link(block)
        self._append(now, now)  # the head's time stays honest

    def _final_blocks(self) -> list[Block[T]]:
        return self.blocks[: self.finalized() + 1 - self.first_block]

    def _may_be_final(self, block: Block[T], now: datetime) -> bool:
        return not block.held and now - block.born >= self.final_after


@dataclass(slots=True)
class Faults:
    """`lie`: "" | missing (our transfers do not exist) | inflated (ten times the amount) | early (all is final)."""

    outage: str = ""
    lag_blocks: int = 0
    lie: str = ""
    latency_ms: int = 0


class ChainNode(ABC, Generic[T]):
    """One node: all see one chain; each may lag behind it or lie about it."""

    def __init__(self, chain: BlockChain[T], faults: Faults | None = None) -> None:
        self.chain = chain
        self.faults = faults or Faults()
        self.requests = 0

    @property
    def head(self) -> int:
        return self.chain.height - self.faults.lag_blocks

    @property
    def final(self) -> int:
        return self.head if self.faults.lie == "early" else min(self.chain.finalized(), self.head)

    @abstractmethod
    def inflated(self, transaction: T) -> T:
        """The same transaction with ten times the amount."""

    def seen(self, transaction: T) -> T | None:
        """A transaction as this node tells it; None when it pretends there is none."""
        wished = transaction.hash in self.chain.transfers
        if not wished or self.faults.lie in {"", "early"}:
            return transaction
        return None if self.faults.lie == "missing" else self.inflated(transaction)

    def visible(self, number: int) -> Block[T] | None:
        """A block as this node tells it; None above its head."""
        if number > self.head or number < 0:
            return None
        block = self.chain.block(number)
        if self.faults.lie not in {"missing", "inflated"}:
            return block
        seen = [self.seen(item) for item in block.transactions]
        return replace(block, transactions=tuple(item for item in seen if item is not None))

    def find(self, wanted: str) -> tuple[T, Block[T]] | None:
        """A mined transaction and its block, as this node tells them."""
        transfer = self.chain.transfers.get(wanted)
        if transfer is not None:
            return self._in(transfer.block, wanted) if transfer.mined else None
        for block in reversed(self.chain.blocks):
            if any(item.hash == wanted for item in block.transactions):
                return self._in(block.number, wanted)
        return None

    def _in(self, number: int, wanted: str) -> tuple[T, Block[T]] | None:
        block = self.visible(number)
        for item in block.transactions if block is not None else ():
            if item.hash == wanted and block is not None:
                return item, block
        return None

    def was_told(self, transaction: T, block: Block[T]) -> None:
        """Somebody was given this transaction: if it is final, that is known now."""
        transfer = self.chain.transfers.get(transaction.hash)
        if transfer is not None and block.number <= self.final:
            transfer.read = True


def coins(raw: int, decimals: int) -> Decimal:
    """Smallest units as whole coins."""
    return Decimal(raw).scaleb(-decimals, WIDE)
