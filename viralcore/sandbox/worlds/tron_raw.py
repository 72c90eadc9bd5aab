"""The bytes of a Tron transaction: what is signed, and what its id is the hash of. Protocol buffers, by hand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import base58

TRANSFER, TRANSFER_ASSET, TRIGGER = "TransferContract", "TransferAssetContract", "TriggerSmartContract"
_NUMBERS = {TRANSFER: 1, TRANSFER_ASSET: 2, TRIGGER: 31}


@dataclass(frozen=True, slots=True)
class Raw:
    """`Transaction.raw`, with its one contract. Addresses are 21 bytes in hex, ``41`` first.

    `amount`: sun, or units of the TRC-10 token `asset_name`; for a call, the coins sent along. `to`: the contract, for
    a call.
    """

    kind: str
    owner: str
    to: str
    amount: int
    timestamp: int
    expiration: int
    ref_block_bytes: str
    ref_block_hash: str
    data: str = ""
    asset_name: str = ""
    fee_limit: int = 0

    @property
    def encoded(self) -> bytes:
        contract = _number(1, _NUMBERS[self.kind]) + _bytes(
            2, _bytes(1, self.type_url.encode()) + _bytes(2, self._value())
        )
        return (
            _bytes(1, bytes.fromhex(self.ref_block_bytes))
            + _bytes(4, bytes.fromhex(self.ref_block_hash))
            + _number(8, self.expiration)
            + _bytes(11, contract)
            + _number(14, self.timestamp)
            + _number(18, self.fee_limit)
        )

    @property
    def id(self) -> str:
        return hashlib.sha256(self.encoded).hexdigest()

    @property
    def type_url(self) -> str:
        return f"type.googleapis.com/protocol.{self.kind}"

    def _value(self) -> bytes:
        owner, to = bytes.fromhex(self.owner), bytes.fromhex(self.to)
        if self.kind == TRANSFER:
            return _bytes(1, owner) + _bytes(2, to) + _number(3, self.amount)
        if self.kind == TRANSFER_ASSET:
            return _bytes(1, self.asset_name.encode()) + _bytes(2, owner) + _bytes(3, to) + _number(4, self.amount)
        return _bytes(1, owner) + _bytes(2, to) + _number(3, self.amount) + _bytes(4, bytes.fromhex(self.data))


def base58_of(address: str) -> str:
    """``41...`` as ``T...``."""
    return base58.b58encode_check(bytes.fromhex(address)).decode()


def hex_of(text: str) -> str | None:
    """``T...`` or ``41...`` as lower-case hex; None when it is no address."""
    try:
        raw = base58.b58decode_check(text) if text.startswith("T") else bytes.fromhex(text)
    except ValueError:
        return None
    good = len(raw) == 21 and raw[0] == 0x41 and (text.startswith("T") or len(text) == 42)
    return raw.hex() if good else None


def _number(field: int, value: int) -> bytes:
    """A number that is 0 is left out."""
    return _varint(field << 3) + _varint(value) if value else b""


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value if value else b""


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
