"""The simulated BNB Smart Chain: blocks, transfers and finality. Knows nothing of JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from viralcore.sandbox.worlds.chains import Block, BlockChain, Transfer, Wish

USDT = "0x55d398326f99059ff775485246999027b3197955"
USDC = "0x8ac76a51cc950d9822d68b83fe1ad97b32cd580d"
TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
APPROVAL_TOPIC = "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7b3b925"
SWAP_TOPIC = "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822"
ROUTER = "0x10ed43c718714eb63d5aa57b78b54704e256024e"
DECIMALS = {"BNB": 18, "USDT": 18}

FIRST_BLOCK = 120_000_000


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


def hex_hash(*parts: object) -> str:
    return "0x" + keccak(text=":".join(str(part) for part in parts)).hex()


def word(value: int | str) -> str:
    """A 32-byte word in hex without 0x: a number, or an address padded on the left."""
    return f"{value:064x}" if isinstance(value, int) else value.removeprefix("0x").rjust(64, "0")


def transfer_log(token: str, sender: str, to: str, raw: int) -> Log:
    return Log(token, (TRANSFER_TOPIC, "0x" + word(sender), "0x" + word(to)), "0x" + word(raw))


class Chain(BlockChain[Transaction]):
    """Readers go through whole blocks, so what has been read is told by a height."""

    first_block = FIRST_BLOCK
    final_after = timedelta(seconds=2)
    old_block_time = timedelta(milliseconds=450)
    read_final = 0  # highest final block whose contents were read by anybody

    def is_read(self, transfer: Transfer[Transaction]) -> bool:
        return self.read_final >= transfer.block

    def address(self) -> str:
        """A fresh address with an EIP-55 checksum."""
        return to_checksum_address("0x" + self.rng.randbytes(20).hex())

    def block_hash(self, number: int, *parts: object) -> str:
        return hex_hash(*parts)

    def strangers(self) -> tuple[Transaction, ...]:
        return (self._stranger(),)

    def _stranger(self) -> Transaction:
        """Somebody else's payment, so that our own is never alone in its block."""
        sender, to, raw = self._key(), self._key(), self.rng.randrange(10**18, 900 * 10**18)
        data = "0xa9059cbb" + word(to) + word(raw)
        return Transaction(
            self._hash(), sender, USDT, 0, data, self._nonce(), True, (transfer_log(USDT, sender, to, raw),), False
        )

    def transaction(self, wish: Wish) -> Transaction:
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
        logs += [transfer_log(token, payer, to, size) for size in wish.shares()]
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


def log_positions(block: Block[Transaction], transaction: Transaction) -> range:
    """The log indexes of a transaction, counted through its block as nodes do."""
    before = 0
    for item in block.transactions:
        if item.hash == transaction.hash:
            break
        before += len(item.logs)
    return range(before, before + len(transaction.logs))


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
