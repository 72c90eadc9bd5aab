"""The simulated BNB Smart Chain: blocks, transfers and finality. Knows nothing of JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Context, Decimal
from random import Random

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

USDT = "0x55d398326f99059ff775485246999027b3197955"
USDC = "0x8ac76a51cc950d9822d68b83fe1ad97b32cd580d"
TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
APPROVAL_TOPIC = "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7b3b925"
SWAP_TOPIC = "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822"
ROUTER = "0x10ed43c718714eb63d5aa57b78b54704e256024e"
DECIMALS = 18
WIDE = Context(prec=100)  # chain amounts have more digits than the default 28

FIRST_BLOCK = 120_000_000
OLD_BLOCK_TIME = timedelta(milliseconds=450)
FINAL_AFTER = timedelta(seconds=2)
BLOCK_ON_POLL = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Log:
    address: str
    topics: tuple[str, ...]
    data: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction as it stands on the chain; the JSON is made from it."""

    hash: str
    sender: str
    to: str
    value: int
    data: str
    nonce: int
    ok: bool
    logs: tuple[Log, ...]
    native: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a control call asks for. Amounts in units of 10^-18."""

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


@dataclass(slots=True)
class Transfer:
    """A transfer somebody asked for, and where it stands."""

    wish: Wish
    transaction: Transaction
    sent_at: datetime
    held: bool  # not final until released by hand
    mined: bool
    block: int = 0
    released_at: datetime | None = None

    @property
    def hash(self) -> str:
        return self.transaction.hash


@dataclass(slots=True)
class Block:
    number: int
    at: datetime  # what its header says
    born: datetime  # when it was appended, which is what finality counts from
    transactions: tuple[Transaction, ...]
    transfer: Transfer | None
    hash: str = ""
    parent: str = ""

    @property
    def held(self) -> bool:
        return self.transfer is not None and self.transfer.held


def hex_hash(*parts: object) -> str:
    return "0x" + keccak(text=":".join(str(part) for part in parts)).hex()


def word(value: int | str) -> str:
    """A 32-byte word in hex without 0x: a number, or an address padded on the left."""
    return f"{value:064x}" if isinstance(value, int) else value.removeprefix("0x").rjust(64, "0")


def transfer_log(token: str, sender: str, to: str, raw: int) -> Log:
    return Log(token, (TRANSFER_TOPIC, "0x" + word(sender), "0x" + word(to)), "0x" + word(raw))


@dataclass
class Chain:
    """Blocks appear only when something happens: a transfer, a turn of the clock, a poll 3 s after the last."""

    now: Callable[[], datetime]
    rng: Random
    blocks: list[Block] = field(default_factory=list)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    read_final: int = 0  # highest final block whose contents were read by anybody
    _final: int = FIRST_BLOCK

    def __post_init__(self) -> None:
        self._salt = self.rng.getrandbits(64)
        start = self.now() - timedelta(seconds=15)
        for step in range(5):
            self._append(start + step * BLOCK_ON_POLL, start, None)
        self._final = self.height

    @property
    def height(self) -> int:
        return FIRST_BLOCK + len(self.blocks) - 1

    def address(self) -> str:
        """A fresh address with an EIP-55 checksum."""
        return to_checksum_address("0x" + self.rng.randbytes(20).hex())

    def block(self, number: int) -> Block:
        """A block up to the head; those from before the sandbox began are empty and made up on the spot."""
        if number >= FIRST_BLOCK:
            return self.blocks[number - FIRST_BLOCK]
        at = self.blocks[0].at - (FIRST_BLOCK - number) * OLD_BLOCK_TIME
        return Block(number, at, at, (), None, hex_hash("old", number), hex_hash("old", number - 1))

    def finalized(self) -> int:
        """The highest final block now. It never goes down."""
        now = self.now()
        while self._final < self.height and self._may_be_final(self.block(self._final + 1), now):
            self._final += 1
        return self._final

    def final_at(self, transfer: Transfer) -> datetime | None:
        """When a transfer becomes final by itself; None when it is final or waits for a hand."""
        if not transfer.mined or transfer.held or transfer.block <= self.finalized():
            return None
        return self.block(transfer.block).born + FINAL_AFTER

    def is_final(self, transfer: Transfer) -> bool:
        return transfer.mined and transfer.block <= self.finalized()

    def poll(self) -> None:
        """Somebody asks for the head: a block appears when the last one is some seconds old."""
        now = self.now()
        if now - self.blocks[-1].born >= BLOCK_ON_POLL:
            self._append(now, now, None)

    def turn(self) -> None:
        """The clock was turned."""
        now = self.now()
        if now > self.blocks[-1].born:
            self._append(now, now, None)

    def send(self, wish: Wish) -> Transfer:
        """Make the transaction and, unless it should stay in the mempool, a block around it."""
        transaction = self._transaction(wish)
        transfer = Transfer(wish, transaction, self.now(), wish.final is False, False)
        self.transfers[transfer.hash] = transfer
        if not wish.unmined:
            self._mine(transfer)
        return transfer

    def release(self, transfer: Transfer) -> None:
        """Make a held or unmined transfer final now."""
        transfer.held, transfer.released_at = False, self.now()
        if not transfer.mined:
            self._mine(transfer)
        self._reorder()
        self._final = max(self._final, transfer.block)

    def _mine(self, transfer: Transfer) -> None:
        now = self.now()
        self._append(now - transfer.wish.age, now, transfer)
        self._reorder()
        # An old transaction was final long ago.
        if transfer.wish.final or (transfer.wish.age >= FINAL_AFTER and not transfer.held):
            self._final = max(self._final, transfer.block)

    def _append(self, at: datetime, born: datetime, transfer: Transfer | None) -> None:
        transactions = (self._stranger(), transfer.transaction) if transfer is not None else ()
        self._link(Block(0, at, born, transactions, transfer))

    def _link(self, block: Block) -> None:
        number = FIRST_BLOCK + len(self.blocks)
        parent = self.blocks[-1].hash if self.blocks else hex_hash("old", number - 1)
        hashes = "".join(item.hash for item in block.transactions)
        block.number, block.parent, block.hash = number, parent, hex_hash(self._salt, number, parent, hashes)
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
        for block in [b for b in tail if not b.held] + [b for b in tail if b.held]:
            self._link(block)
        now = self.now()
        self._append(now, now, None)  # the head's time stays honest

    def _may_be_final(self, block: Block, now: datetime) -> bool:
        return not block.held and now - block.born >= FINAL_AFTER

    def _stranger(self) -> Transaction:
        """Somebody else's payment, so that our own is never alone in its block."""
        sender, to, raw = self._key(), self._key(), self.rng.randrange(10**18, 900 * 10**18)
        data = "0xa9059cbb" + word(to) + word(raw)
        return Transaction(
            self._hash(), sender, USDT, 0, data, self._nonce(), True, (transfer_log(USDT, sender, to, raw),), False
        )

    def _transaction(self, wish: Wish) -> Transaction:
        sender = (wish.sender or self._key()).lower()
        to = wish.to.lower()
        if wish.asset == "BNB":
            target = ROUTER if wish.via_contract else to
            swapped = wish.via_contract and not wish.failed
            logs: tuple[Log, ...] = (self._swap(sender, to, wish.raw),) if swapped else ()
            data = "0x7ff36ab5" + word(wish.raw) + word(to) if wish.via_contract else "0x"
            return Transaction(self._hash(), sender, target, wish.raw, data, self._nonce(), not wish.failed, logs, True)
        token = (wish.contract or USDT).lower()
        target = ROUTER if wish.via_contract else token
        data = ("0x38ed1739" if wish.via_contract else "0xa9059cbb") + word(to) + word(wish.raw)
        logs = () if wish.failed else self._token_logs(wish, token, sender, to)
        return Transaction(self._hash(), sender, target, 0, data, self._nonce(), not wish.failed, logs, False)

    def _token_logs(self, wish: Wish, token: str, sender: str, to: str) -> tuple[Log, ...]:
        logs: list[Log] = []
        payer = sender
        if wish.via_contract:
            payer = ROUTER
            total = "0x" + word(wish.raw)
            logs.append(Log(token, (APPROVAL_TOPIC, "0x" + word(sender), "0x" + word(ROUTER)), total))
            logs.append(transfer_log(token, sender, ROUTER, wish.raw))
        share = wish.raw // wish.parts
        sizes = [share] * (wish.parts - 1) + [wish.raw - share * (wish.parts - 1)]
        logs += [transfer_log(token, payer, to, size) for size in sizes]
        if wish.change:
            logs.append(transfer_log(token, to, sender, wish.change))
        if wish.via_contract:
            logs.append(self._swap(sender, to, wish.raw))
        return tuple(logs)

    def _swap(self, sender: str, to: str, raw: int) -> Log:
        topics = (SWAP_TOPIC, "0x" + word(ROUTER), "0x" + word(to))
        return Log(self._key(), topics, "0x" + word(raw) + word(0) + word(0) + word(raw))

    def _key(self) -> str:
        return "0x" + self.rng.randbytes(20).hex()

    def _hash(self) -> str:
        return "0x" + self.rng.randbytes(32).hex()

    def _nonce(self) -> int:
        return self.rng.randrange(1, 5000)


def log_positions(block: Block, transaction: Transaction) -> range:
    """The log indexes of a transaction, counted through its block as nodes do."""
    before = 0
    for item in block.transactions:
        if item.hash == transaction.hash:
            break
        before += len(item.logs)
    return range(before, before + len(transaction.logs))


def coins(raw: int) -> Decimal:
    """Units of 10^-18 as whole coins."""
    return Decimal(raw).scaleb(-DECIMALS, WIDE)


def movements(transaction: Transaction, address: str) -> Sequence[tuple[int, str, int]]:
    """(position in the transaction's logs, token, signed amount) of every token movement in or out of `address`."""
    ours = "0x" + word(address.lower())
    found = []
    for position, log in enumerate(transaction.logs):
        if log.topics[0] != TRANSFER_TOPIC:
            continue
        raw = int(log.data, 16)
        net = (raw if log.topics[2] == ours else 0) - (raw if log.topics[1] == ours else 0)
        if net:
            found.append((position, log.address, net))
    return found
