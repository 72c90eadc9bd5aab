"""The bytes a Tron transaction's id is the hash of: what was signed, whatever a node says about it in JSON.

Protocol buffers, the little of them that is needed: the one contract of ``Transaction.raw``, and the fields inside it.
As the format has it, the last of a repeated number counts, and the parts of a message that is repeated are one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from viralcore.payments.ports import NodeFailed

_VARINT, _EIGHT, _BYTES, _OPENS, _CLOSES, _FOUR = range(6)
_CONTRACT = 11  # its number in Transaction.raw
_INT64 = 1 << 64

Fields = Mapping[int, list[int | bytes]]


@dataclass(frozen=True, slots=True)
class Contract:
    """What a transaction does. `kind`: java-tron's number for it; `name`: the message it is told in."""

    kind: int
    name: str
    fields: Fields


def read_raw(raw: bytes, *, transaction_id: str) -> Contract:
    """The contract of a transaction. Raises NodeFailed where the bytes are not the ones with this id."""
    if hashlib.sha256(raw).hexdigest() != transaction_id:
        raise NodeFailed("another_transaction")
    contracts = _fields(raw).get(_CONTRACT, [])
    if len(contracts) != 1:
        raise NodeFailed("not_one_contract")
    contract = _fields(_bytes(contracts[0]))
    parameter = _fields(joined(contract, 2))
    name = joined(parameter, 1).rpartition(b"/")[2].decode("ascii", errors="replace")
    return Contract(number(contract, 1), name, _fields(joined(parameter, 2)))


def number(fields: Fields, at: int) -> int:
    """An integer field; what is not there is 0. Negative ones stand as the format writes them."""
    told = fields.get(at, [0])[-1]
    if not isinstance(told, int):
        raise NodeFailed("bad_bytes")
    return told - _INT64 if told >= _INT64 // 2 else told


def last(fields: Fields, at: int) -> bytes:
    """A field of bytes; what is not there is empty."""
    return _bytes(fields.get(at, [b""])[-1])


def joined(fields: Fields, at: int) -> bytes:
    """A message inside this one, as bytes."""
    return b"".join(_bytes(part) for part in fields.get(at, []))


def _bytes(told: int | bytes) -> bytes:
    if not isinstance(told, bytes):
        raise NodeFailed("bad_bytes")
    return told


def _fields(data: bytes) -> dict[int, list[int | bytes]]:
    """All fields by their numbers. A group, which nothing of ours is told in, is passed over with all it holds."""
    found: dict[int, list[int | bytes]] = {}
    groups: list[int] = []
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        field, form = key >> 3, key & 7
        if form == _OPENS:
            groups.append(field)
        elif form == _CLOSES:
            if not groups or groups.pop() != field:
                raise NodeFailed("bad_bytes")
        else:
            value, at = _value(data, at, form)
            if not groups:
                found.setdefault(field, []).append(value)
    if groups:
        raise NodeFailed("bad_bytes")
    return found


def _value(data: bytes, at: int, form: int) -> tuple[int | bytes, int]:
    if form == _VARINT:
        return _varint(data, at)
    if form == _BYTES:
        length, at = _varint(data, at)
    elif form in (_EIGHT, _FOUR):
        length = 8 if form == _EIGHT else 4
    else:
        raise NodeFailed("bad_bytes")
    if length > len(data) - at:
        raise NodeFailed("bad_bytes")
    return data[at : at + length], at + length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value % _INT64, at
    raise NodeFailed("bad_bytes")
