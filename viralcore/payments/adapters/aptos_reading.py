"""Reading what an Aptos node says into our shapes (APIS 6). Strict: what does not fit is NodeFailed.

Aptos tells of money by events. Those of fungible assets name only a store; whose it is, and of what, stands in the
changes of the same transaction. Those of coins name the holder, and the coin's type stands in the changes. Some
versions of the framework told one movement of a coin twice, once by an event of its own kind and once by the older
one of an account's handle: then only the newer counts.

A store is its owner's only where it is the owner's primary one, which the framework made and nobody holds a key to.
Any other store is an object like all objects: who made it may give it to us with money in it, and may have kept the
right to take it back. What is put into such a store is told as put into the store, not as paid to whoever owns it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from viralcore.core.addresses import canonical_address
from viralcore.payments.adapters.node_json import items, obj
from viralcore.payments.domain.chain import NATIVE, ChainTransaction, Movement
from viralcore.payments.ports import NodeFailed

APT_COIN = "0x1::aptos_coin::AptosCoin"
APT_METADATA = "0x" + "a".rjust(64, "0")
EXECUTED = "Executed successfully"
_INTEGER = re.compile(r"[0-9]{1,20}")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_COIN_STORE = re.compile(r"0x1::coin::CoinStore<(.+)>")
_LEADING_ZEROS = re.compile(r"\b0x0*(?=[0-9a-fA-F])")
_UNTOLD = "a coin that is not told"
"""The contract of a coin whose type stands nowhere: none of those we take, and still not nothing."""
_PRIMARY_STORE = b"\xfc"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 10**16  # microseconds: the year 2286


@dataclass(frozen=True, slots=True)
class _Event:
    """`index`: its place among the events of its transaction. `handle`: (account, number) of an older event."""

    index: int
    kind: str
    data: Mapping[str, Any]
    handle: tuple[str, str]


def integer(value: Any) -> int:
    """A number of any size, which Aptos writes as text."""
    if not isinstance(value, str) or not _INTEGER.fullmatch(value):
        raise NodeFailed("bad_integer")
    return int(value)


def address(value: Any) -> str:
    if not isinstance(value, str):
        raise NodeFailed("bad_address")
    try:
        return canonical_address("aptos", value)
    except ValueError:
        raise NodeFailed("bad_address") from None


def tx_hash(value: Any) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise NodeFailed("bad_hash")
    return value.lower()


def primary_store(owner: str, metadata: str) -> str:
    """Where a holder's asset lies unless they asked for something else: sha3-256 of holder, asset and 0xFC."""
    raw = bytes.fromhex(owner[2:]) + bytes.fromhex(metadata[2:]) + _PRIMARY_STORE
    return "0x" + hashlib.sha3_256(raw).hexdigest()


def read_transaction(
    network: str, asked: str, body: Any, *, ours: str, contracts: Collection[str]
) -> ChainTransaction | None:
    """A committed transaction; None while it is pending. Raises NodeFailed.

    `ours`, `contracts`: canonical; our stores of these assets are known even where the changes do not tell.
    """
    body = obj(body)
    if asked and tx_hash(body.get("hash")) != asked:
        raise NodeFailed("another_transaction")
    kind = body.get("type")
    if kind == "pending_transaction":
        return None
    if not isinstance(kind, str) or not kind.endswith("_transaction"):
        raise NodeFailed("not_a_transaction")
    stamp = integer(body.get("timestamp", "0" if kind != "user_transaction" else None))
    if stamp > _LATEST:
        raise NodeFailed("bad_time")
    success = body.get("success")
    if not isinstance(success, bool):
        raise NodeFailed("no_success")
    if kind == "user_transaction" and not ("events" in body and "changes" in body):
        raise NodeFailed("no_events")
    return ChainTransaction(
        network=network,
        hash=tx_hash(body.get("hash")),
        success=success and body.get("vm_status") == EXECUTED,
        final=True,
        block=integer(body.get("version")),
        block_time=_EPOCH + timedelta(microseconds=stamp),
        movements=tuple(_movements(body, ours, contracts)),  # whatever its kind: the chain's own move money too
    )


def arrivals(transaction: ChainTransaction, *, ours: str, contracts: Collection[str]) -> bool:
    """Whether it put anything of what we take into our stores."""
    return transaction.success and any(
        each.recipient == ours and each.amount > 0 and (each.contract == NATIVE or each.contract in contracts)
        for each in transaction.movements
    )


def _movements(body: Mapping[str, Any], ours: str, contracts: Collection[str]) -> Iterator[Movement]:
    """Every deposit and withdrawal, in the order of the events. The other side of each is not told."""
    changes = [obj(change) for change in items(body.get("changes", []))]
    events = [_event(index, obj(event)) for index, event in enumerate(items(body.get("events", [])))]
    stores = _stores(changes)
    for metadata in (APT_METADATA, *contracts):
        stores.setdefault(primary_store(ours, metadata), (metadata, ours))
    coins = _deleted_handles(events) | _coin_handles(changes)
    newer = {
        (event.kind == "CoinDeposit", address(event.data.get("account")), _coin(event.data.get("coin_type")))
        for event in events
        if event.kind in ("CoinDeposit", "CoinWithdraw")
    }
    by_store = {
        (event.kind == "Deposit", address(event.data.get("store")))
        for event in events
        if event.kind in ("Deposit", "Withdraw")
    }
    for event in events:
        incoming = event.kind in ("Deposit", "CoinDeposit", "DepositEvent")
        if event.kind in ("Deposit", "Withdraw"):
            found = stores.get(address(event.data.get("store")))
        elif event.kind in ("FaDepositEvent", "FaWithdrawEvent"):
            incoming = event.kind == "FaDepositEvent"
            store = event.handle[0]
            found = None if (incoming, store) in by_store else stores.get(store)
        elif event.kind in ("CoinDeposit", "CoinWithdraw"):
            found = _coin(event.data.get("coin_type")), address(event.data.get("account"))
        elif event.kind in ("DepositEvent", "WithdrawEvent"):
            coin = coins.get(event.handle, _UNTOLD)
            found = None if (incoming, event.handle[0], coin) in newer else (coin, event.handle[0])
        else:
            continue
        if found is None:  # told twice, or a store that neither the changes nor we know: not one of ours
            continue
        contract, holder = found
        contract = NATIVE if contract == APT_METADATA else contract
        sender, recipient = ("", holder) if incoming else (holder, "")
        yield Movement(1 + event.index, contract, sender, recipient, integer(event.data.get("amount")))


_KINDS = {
    "0x1::fungible_asset::Deposit": "Deposit",
    "0x1::fungible_asset::Withdraw": "Withdraw",
    "0x1::fungible_asset::DepositEvent": "FaDepositEvent",
    "0x1::fungible_asset::WithdrawEvent": "FaWithdrawEvent",
    "0x1::coin::CoinDeposit": "CoinDeposit",
    "0x1::coin::CoinWithdraw": "CoinWithdraw",
    "0x1::coin::DepositEvent": "DepositEvent",
    "0x1::coin::WithdrawEvent": "WithdrawEvent",
    "0x1::coin::CoinStoreDeletion": "CoinStoreDeletion",
}
"""Only the framework's own events tell of money; anybody's module may have events of the same last name."""


def _event(index: int, event: Mapping[str, Any]) -> _Event:
    kind = event.get("type")
    if not isinstance(kind, str):
        raise NodeFailed("bad_event")
    name = _KINDS.get(_short(kind), "")
    if not name:
        return _Event(index, "", {}, ("", ""))
    guid = obj(event.get("guid")) if name.endswith("Event") else {}
    handle = (address(guid.get("account_address")), str(guid.get("creation_number"))) if guid else ("", "")
    return _Event(index, name, obj(event.get("data")), handle)


def _short(kind: str) -> str:
    """A type with its addresses as short as they go: nodes write 0x1 with and without its zeros."""
    return _LEADING_ZEROS.sub("0x", kind)


def _coin(value: Any) -> str:
    """A coin's type as a contract; APT's is the native one."""
    if not isinstance(value, str) or not value:
        raise NodeFailed("bad_coin")
    short = _short(value)
    return NATIVE if short == APT_COIN else short


def _stores(changes: Collection[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """Store -> (asset, holder), of the stores these changes wrote. One that is nobody's primary store holds for
    itself."""
    assets: dict[str, str] = {}
    holders: dict[str, str] = {}
    for where, kind, data in _resources(changes):
        if kind == "0x1::fungible_asset::FungibleStore":
            assets[where] = address(obj(data.get("metadata")).get("inner"))
        elif kind == "0x1::object::ObjectCore":
            holders[where] = address(data.get("owner"))
    return {
        where: (asset, holders[where] if primary_store(holders[where], asset) == where else where)
        for where, asset in assets.items()
        if where in holders
    }


def _deleted_handles(events: Collection[_Event]) -> dict[tuple[str, str], str]:
    """(holder, number of the event handle) -> coin, of the coin stores that ended here: no change shows those."""
    found: dict[tuple[str, str], str] = {}
    for event in events:
        if event.kind == "CoinStoreDeletion":
            holder = address(event.data.get("event_handle_creation_address"))
            for name in ("deposit", "withdraw"):
                number = event.data.get(f"deleted_{name}_event_handle_creation_number")
                found[holder, str(number)] = _coin(event.data.get("coin_type"))
    return found


def _coin_handles(changes: Collection[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """(holder, number of the event handle) -> coin, of the coin stores these changes wrote."""
    found: dict[tuple[str, str], str] = {}
    for where, kind, data in _resources(changes):
        match = _COIN_STORE.fullmatch(kind)
        for name in ("deposit_events", "withdraw_events") if match else ():
            identity = obj(obj(obj(data.get(name)).get("guid")).get("id"))
            found[where, str(identity.get("creation_num"))] = _coin(match.group(1)) if match else ""
    return found


def _resources(changes: Collection[Mapping[str, Any]]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(address, type, data) of every resource written."""
    for change in changes:
        if change.get("type") == "write_resource":
            resource = obj(change.get("data"))
            kind = resource.get("type")
            if not isinstance(kind, str):
                raise NodeFailed("bad_resource")
            data = resource.get("data")
            yield address(change.get("address")), _short(kind), data if isinstance(data, dict) else {}
