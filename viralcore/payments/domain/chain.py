"""What a transaction brought us: a chain's answer in one shape, and the net amounts in it, told by contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from viralcore.core.addresses import canonical_address

NATIVE = ""
"""The contract of the native coin."""
NATIVE_POSITION = 0
"""The native value of a transaction. On BSC a transfer to a plain address has no logs, so no log can share this
position; on the other networks token movements are counted from 1."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One transfer of value inside a transaction, or the net change of one holder where a chain tells only that.

    `contract`, `sender`, `recipient`: canonical (core/addresses.py); NATIVE for the coin; ``""`` for the other side of
    a net change. `amount`: raw, 0 or more.
    """

    position: int
    contract: str
    sender: str
    recipient: str
    amount: int


@dataclass(frozen=True, slots=True)
class ChainTransaction:
    """A mined transaction as one node tells it. Addresses and hash in their canonical spelling.

    `final`: it cannot be taken back any more (APIS 11). `block`: its place on the chain, in the unit the network's
    cursor counts in (see ports.Chain). `success`: the chain's own flag; a failed transaction
    has no movements that count, whatever its input says. `contract_call`: it ran code, which may have moved coins in
    ways that leave no trace in what a node tells.
    """

    network: str
    hash: str
    success: bool
    final: bool
    block: int
    block_time: datetime
    movements: tuple[Movement, ...]
    contract_call: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """Net money of one asset in one transaction. `parts`: (position, amount) of each transfer to us, when nothing
    went out."""

    asset: str
    position: int
    amount: int
    parts: tuple[tuple[int, int], ...]


def incoming(transaction: ChainTransaction, *, ours: str, contracts: Mapping[str, str]) -> tuple[Incoming, ...]:
    """What arrived, per asset: everything sent to us, less what we sent out in it; self-transfers count as nothing.

    `contracts`: contract (canonical, NATIVE for the coin) -> asset. Order: by first position.
    """
    if not transaction.success:
        return ()
    ours = canonical_address(transaction.network, ours)
    found = []
    for contract, asset in contracts.items():
        moved = [
            m for m in transaction.movements if m.contract == contract and m.sender != m.recipient and m.amount > 0
        ]
        parts = tuple((m.position, m.amount) for m in moved if m.recipient == ours)
        out = sum(m.amount for m in moved if m.sender == ours)
        net = sum(amount for _, amount in parts) - out
        if parts and net > 0:
            found.append(Incoming(asset, min(position for position, _ in parts), net, () if out else parts))
    return tuple(sorted(found, key=lambda each: each.position))


def why_nothing(transaction: ChainTransaction, *, ours: str, contracts: Mapping[str, str]) -> str:
    """The reason a transaction brought nothing: failed, self_transfer, zero, wrong_token, internal or
    wrong_recipient."""
    if not transaction.success:
        return "failed"
    ours = canonical_address(transaction.network, ours)
    to_us = [m for m in transaction.movements if m.recipient == ours]
    if any(m.sender == ours for m in transaction.movements if m.contract in contracts and m.amount > 0):
        return "self_transfer"
    if any(m.contract not in contracts and m.amount > 0 for m in to_us):
        return "wrong_token"
    if to_us:
        return "zero"
    unseen = all(m.contract == NATIVE for m in transaction.movements)  # coins sent to a contract may have been sent on
    return "internal" if transaction.contract_call and unseen else "wrong_recipient"
