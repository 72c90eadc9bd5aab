"""Reading what a Solana node says into our shapes. Strict: what does not fit is NodeFailed.

Money is read from the balances before and after, never from instructions (APIS 4): transfers hide in inner ones, an
unchecked one does not name its token, a fee may be taken on the way. The encodings ``json`` and ``jsonParsed`` read
alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from viralcore.payments.adapters.node_json import items, obj
from viralcore.payments.adapters.solana_keys import TOKEN_PROGRAMS, spells
from viralcore.payments.domain.chain import NATIVE, NATIVE_POSITION, ChainTransaction, Movement
from viralcore.payments.ports import NodeFailed

_U64 = (1 << 64) - 1
_DIGITS = re.compile(r"^[0-9]{1,20}$")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list of transactions that name an account."""

    signature: str
    slot: int
    failed: bool


def integer(value: Any, most: int = _U64) -> int:
    """A JSON integer from 0 to `most`."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise NodeFailed("bad_integer")
    return value


def address(value: Any) -> str:
    if not isinstance(value, str) or not spells(value, 32):
        raise NodeFailed("bad_address")
    return value


def signature(value: Any) -> str:
    if not isinstance(value, str) or not spells(value, 64):
        raise NodeFailed("bad_signature")
    return value


def slot_of(told: Any) -> int:
    return integer(obj(told).get("slot"))


def entries(value: Any) -> list[Entry]:
    """A page of getSignaturesForAddress: newest first."""
    return [
        Entry(signature(each.get("signature")), slot_of(each), not _success(each)) for each in map(obj, items(value))
    ]


def token_accounts(value: Any, *, ours: str, mint: str) -> list[str]:
    """Our accounts of one token as getTokenAccountsByOwner lists them, the fullest first."""
    found = []
    for each in map(obj, items(obj(value).get("value"))):
        data = obj(obj(each.get("account")).get("data"))
        info = obj(obj(data.get("parsed")).get("info"))
        if info.get("owner") != ours or info.get("mint") != mint:
            raise NodeFailed("another_account")
        found.append((-_digits(obj(info.get("tokenAmount")).get("amount")), address(each.get("pubkey"))))
    return [account for _, account in sorted(found)]


def is_known(statuses: Any) -> bool:
    """Whether getSignatureStatuses has heard of the one signature it was asked about."""
    told = items(obj(statuses).get("value"))
    if len(told) != 1:
        raise NodeFailed("bad_statuses")
    return told[0] is not None and bool(obj(told[0]))


def is_token_account(value: Any) -> bool:
    """Whether getAccountInfo describes an account of a token program: no wallet, whoever holds it."""
    told = obj(value).get("value")
    return told is not None and obj(told).get("owner") in TOKEN_PROGRAMS


def signatures_of(told: Any) -> list[str]:
    """Every signature on a transaction. The first is its id; the others are of those who signed beside."""
    found = [signature(each) for each in items(obj(obj(told).get("transaction")).get("signatures"))]
    if not found:
        raise NodeFailed("no_signature")
    return found


def read_transaction(
    network: str, asked: str, told: Any, *, final: bool, ours: str, contracts: Mapping[str, int]
) -> ChainTransaction:
    """One transaction, with what it changed for us. Raises NodeFailed.

    `told`: the result of getTransaction, its ``blockTime`` filled in. `ours`: our wallet. `contracts`: mints we take,
    with their decimals.
    """
    told = obj(told)
    meta = obj(told.get("meta"))
    success = _success(meta)
    return ChainTransaction(
        network=network,
        hash=asked,
        success=success,
        final=final,
        block=slot_of(told),
        block_time=_instant(told.get("blockTime")),
        movements=_movements(told, meta, ours, contracts) if success else (),
    )


def _success(told: Mapping[str, Any]) -> bool:
    """``err`` is null. An answer without it says nothing, and an older field beside it must not say otherwise."""
    if "err" not in told or not isinstance(told["err"], str | dict | None):
        raise NodeFailed("no_verdict")
    status = told.get("status")
    if isinstance(status, dict) and ("Ok" in status) != (told["err"] is None):
        raise NodeFailed("two_verdicts")
    return told["err"] is None


def _instant(value: Any) -> datetime:
    if value is None:
        raise NodeFailed("no_block_time")
    return datetime.fromtimestamp(integer(value, most=1 << 36), UTC)


def _digits(value: Any) -> int:
    """A raw amount, which JSON carries as text."""
    if not isinstance(value, str) or not _DIGITS.match(value):
        raise NodeFailed("bad_amount")
    return integer(int(value))


def _movements(
    told: Mapping[str, Any], meta: Mapping[str, Any], ours: str, contracts: Mapping[str, int]
) -> tuple[Movement, ...]:
    """What changed for us: our wallet's coins, and every token account that is or was ours, each at a position that
    only the transaction itself decides.

    Nobody else's balances are needed: they can make nothing ours.
    """
    keys = _account_keys(told, meta)
    before, after = _coins(meta.get("preBalances"), len(keys)), _coins(meta.get("postBalances"), len(keys))
    found = []
    if ours in keys:
        at = keys.index(ours)
        found.append(_change(NATIVE_POSITION, NATIVE, ours, after[at] - before[at]))
    return (*found, *_token_changes(meta, keys, ours, contracts))


def _account_keys(told: Mapping[str, Any], meta: Mapping[str, Any]) -> list[str]:
    """Accounts in the order of the balances: those in the message, then those from lookup tables.

    ``jsonParsed`` names them all in the message already.
    """
    message = obj(obj(told.get("transaction")).get("message"))
    keys = [each.get("pubkey") if isinstance(each, dict) else each for each in items(message.get("accountKeys"))]
    size = len(items(meta.get("preBalances")))
    if len(keys) < size:
        loaded = obj(meta.get("loadedAddresses"))
        keys += [*items(loaded.get("writable")), *items(loaded.get("readonly"))]
    found = [address(each) for each in keys]
    if len(set(found)) != len(found):
        raise NodeFailed("accounts_do_not_fit")
    return found


def _coins(value: Any, size: int) -> list[int]:
    found = [integer(each) for each in items(value)]
    if len(found) != size:
        raise NodeFailed("accounts_do_not_fit")
    return found


@dataclass(frozen=True, slots=True)
class _Row:
    """What one token account holds, and whose it is, before or after."""

    mint: str
    owner: str
    amount: int


def _token_changes(
    meta: Mapping[str, Any], keys: Sequence[str], ours: str, contracts: Mapping[str, int]
) -> list[Movement]:
    """Per account: a new one has no row before, a closed one none after. Two positions each, because it may change
    hands, or be closed and opened again for another token, in between."""
    told = meta.get("preTokenBalances"), meta.get("postTokenBalances")
    if told == (None, None) and not TOKEN_PROGRAMS.intersection(keys):
        return []  # the oldest transactions; without a token program no token moved
    before, after = (_rows(each, len(keys), contracts) for each in told)
    found = []
    for index in sorted({*before, *after}):
        was, now = before.get(index), after.get(index)
        if was is not None and now is not None and (was.mint, was.owner) == (now.mint, now.owner):
            if now.owner == ours:
                found.append(_change(1 + 2 * index, now.mint, ours, now.amount - was.amount))
            continue
        if was is not None and was.owner == ours:
            found.append(_change(1 + 2 * index, was.mint, ours, -was.amount))
        if now is not None and now.owner == ours:
            found.append(_change(2 + 2 * index, now.mint, ours, now.amount))
    return found


def _rows(value: Any, size: int, contracts: Mapping[str, int]) -> dict[int, _Row]:
    found: dict[int, _Row] = {}
    for each in map(obj, items(value)):
        index, mint = integer(each.get("accountIndex"), most=size - 1), address(each.get("mint"))
        if index in found:
            raise NodeFailed("row_twice")
        if each.get("owner") is None and mint not in contracts:
            continue  # transactions of 2021 do not tell it
        amount = obj(each.get("uiTokenAmount"))
        if mint in contracts and integer(amount.get("decimals")) != contracts[mint]:
            raise NodeFailed("other_decimals")
        found[index] = _Row(mint, address(each.get("owner")), _digits(amount.get("amount")))
    return found


def _change(position: int, contract: str, ours: str, amount: int) -> Movement:
    """A net change of ours; who stood on the other side is not told."""
    if amount < 0:
        return Movement(position, contract, ours, "", -amount)
    return Movement(position, contract, "", ours, amount)
