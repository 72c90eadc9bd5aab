"""Reading what a BSC node says into our shapes: blocks, receipts, logs. Strict: what does not fit is NodeFailed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from viralcore.payments.adapters.node_json import items, obj
from viralcore.payments.domain.chain import NATIVE, NATIVE_POSITION, ChainTransaction, Movement
from viralcore.payments.ports import NodeFailed

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
_QUANTITY = re.compile(r"^0x[0-9a-fA-F]{1,64}$")
_WORD = re.compile(r"^0x[0-9a-fA-F]{64}$")
_ADDRESS = re.compile(r"^0x[0-9a-fA-F]{40}$")


def quantity(value: Any) -> int:
    """A JSON-RPC number, ``0x1a``."""
    if not isinstance(value, str) or not _QUANTITY.match(value):
        raise NodeFailed("bad_quantity")
    return int(value, 16)


def word(value: Any) -> str:
    """32 bytes in lower-case hex: a hash or a topic."""
    if not isinstance(value, str) or not _WORD.match(value):
        raise NodeFailed("bad_word")
    return value.lower()


def address(value: Any) -> str:
    if not isinstance(value, str) or not _ADDRESS.match(value):
        raise NodeFailed("bad_address")
    return value.lower()


def chain_id(value: Any) -> int:
    """``0x38``, or ``56`` as some proxies answer."""
    if isinstance(value, str) and value.isdigit() and len(value) < 20:
        return int(value)
    return quantity(value)


def block_number(value: Any) -> int:
    """The number of a block or header."""
    return quantity(obj(value).get("number"))


def block_time(value: Any) -> datetime:
    """Seconds since 1970. Blocks come faster than that: several share a second."""
    seconds = quantity(obj(value).get("timestamp"))
    if seconds > 1 << 36:  # the year 4147; datetime ends not long after
        raise NodeFailed("bad_time")
    return datetime.fromtimestamp(seconds, UTC)


def token_movements(logs: Any, contracts: Collection[str]) -> tuple[Movement, ...]:
    """Transfers of tokens in the logs of one transaction: three topics, not removed.

    A log of another shape (an approval, an indexed-less fake, a transfer of an NFT with four topics) moves no money.
    Any contract may log what it likes: an amount that is none breaks the answer only where the token is one of
    `contracts`, else a stranger's log could keep money beside it from ever being read.
    """
    found = []
    for entry in map(obj, items(logs)):
        topics = [word(topic) for topic in items(entry.get("topics"))]
        if len(topics) != 3 or topics[0] != TRANSFER or entry.get("removed") is True:
            continue
        contract = address(entry.get("address"))
        try:
            amount = _data(entry.get("data"))
        except NodeFailed:
            if contract in contracts:
                raise
            continue
        found.append(
            Movement(
                position=quantity(entry.get("logIndex")),
                contract=contract,
                sender="0x" + topics[1][-40:],
                recipient="0x" + topics[2][-40:],
                amount=amount,
            )
        )
    return tuple(found)


def _data(value: Any) -> int:
    """The amount in a log's data: one word. Empty data moves nothing."""
    if value == "0x":
        return 0
    return int(word(value), 16)


def native_movement(tx: Mapping[str, Any]) -> tuple[Movement, ...]:
    """The coins a transaction carries itself. What contracts send on inside it leaves no trace here."""
    value = quantity(tx.get("value"))
    if tx.get("to") is None:
        return ()
    return (Movement(NATIVE_POSITION, NATIVE, address(tx.get("from")), address(tx.get("to")), value),) if value else ()


def read_transaction(
    network: str, asked: str, receipt: Any, tx: Any, header: Any, *, finalized: int, contracts: Collection[str]
) -> ChainTransaction:
    """One transaction from its receipt, body and block header, which must tell one story. Raises NodeFailed."""
    receipt, tx, header = obj(receipt), obj(tx), obj(header)
    if word(receipt.get("transactionHash")) != asked or word(tx.get("hash")) != asked:
        raise NodeFailed("another_transaction")
    block = quantity(receipt.get("blockNumber"))
    if block_number(header) != block or word(header.get("hash")) != word(receipt.get("blockHash")):
        raise NodeFailed("block_changed")
    status = quantity(receipt.get("status"))
    movements = sorted(
        [*native_movement(tx), *token_movements(receipt.get("logs"), contracts)], key=lambda movement: movement.position
    )
    return ChainTransaction(
        network=network,
        hash=asked,
        success=status == 1,
        final=block <= finalized,
        block=block,
        block_time=block_time(header),
        movements=tuple(movements),
        contract_call=tx.get("input", "0x") not in ("0x", "", None),
    )


def native_hashes(block: Any, ours: str) -> list[str]:
    """Transactions of a whole block that carry coins to us."""
    found = []
    for tx in map(obj, items(obj(block).get("transactions"))):
        recipient = tx.get("to")
        if isinstance(recipient, str) and recipient.lower() == ours and quantity(tx.get("value")) > 0:
            found.append(word(tx.get("hash")))
    return found


def token_hashes(logs: Any, ours: str, contracts: Collection[str]) -> list[str]:
    """Transactions whose logs move one of our tokens to us."""
    found = []
    for entry in map(obj, items(logs)):
        if str(entry.get("address", "")).lower() not in contracts:
            continue
        if any(movement.recipient == ours and movement.amount > 0 for movement in token_movements([entry], contracts)):
            found.append(word(entry.get("transactionHash")))
    return found
