"""JSON shapes of an Aptos node's answers, as recorded from mainnet. All whole numbers are texts."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from viralcore.sandbox.worlds.aptos_chain import APT, COIN, Move, Transaction, short, store_of
from viralcore.sandbox.worlds.chains import Block

_ABORTED = (
    "Move abort in 0x1::fungible_asset: EINSUFFICIENT_BALANCE(0x10004): Insufficient balance to withdraw or transfer."
)
_MODULE = {"creation_number": "0", "account_address": "0x0"}


def micros(moment: datetime) -> str:
    return str(int(moment.timestamp()) * 1_000_000 + moment.microsecond)


def mark(*parts: object) -> str:
    return "0x" + hashlib.sha3_256(":".join(map(str, parts)).encode()).hexdigest()


def user_json(item: Transaction, block: Block[Transaction], version: int) -> dict[str, Any]:
    """A committed transaction."""
    executed = "Executed successfully" if item.ok else _ABORTED
    return {
        **_head(version, item.hash, gas="6" if item.ok else "10", success=item.ok, status=executed),
        "changes": _changes(item),
        **_signed(item),
        "replay_protection_nonce": None,
        "events": _events(item),
        "timestamp": micros(block.at),
        "type": "user_transaction",
    }


def pending_json(item: Transaction) -> dict[str, Any]:
    """One that is in no block: it says nothing of what it will do."""
    return {"hash": item.hash, **_signed(item), "type": "pending_transaction"}


def metadata_json(block: Block[Transaction], version: int) -> dict[str, Any]:
    """The transaction each block begins with."""
    return {
        **_head(version, mark("metadata", block.hash)),
        "changes": [],
        "id": block.hash,
        "epoch": "14000",
        "round": str(block.number % 100_000),
        "events": [],
        "previous_block_votes_bitvec": [255, 255, 255, 255],
        "proposer": mark("proposer", block.number % 20),
        "failed_proposer_indices": [],
        "timestamp": micros(block.at),
        "type": "block_metadata_transaction",
    }


def epilogue_json(block: Block[Transaction], version: int) -> dict[str, Any]:
    """The transaction each block ends with."""
    head = _head(version, mark("epilogue", block.hash))
    return {
        **head,
        "state_checkpoint_hash": mark("checkpoint", block.hash),
        "changes": [],
        "timestamp": micros(block.at),
        "block_end_info": {
            "block_gas_limit_reached": False,
            "block_output_limit_reached": False,
            "block_effective_block_gas_units": 6,
            "block_approx_output_size": 1204,
        },
        "type": "block_epilogue_transaction",
    }


def _head(
    version: int, hash_: str, *, gas: str = "0", success: bool = True, status: str = "Executed successfully"
) -> dict[str, Any]:
    return {
        "version": str(version),
        "hash": hash_,
        "state_change_hash": mark("state", hash_),
        "event_root_hash": mark("events", hash_),
        "state_checkpoint_hash": None,
        "gas_used": gas,
        "success": success,
        "vm_status": status,
        "accumulator_root_hash": mark("accumulator", hash_),
    }


def _signed(item: Transaction) -> dict[str, Any]:
    return {
        "sender": item.sender,
        "sequence_number": str(item.sequence),
        "max_gas_amount": "2000",
        "gas_unit_price": "100",
        "expiration_timestamp_secs": str(item.expires),
        "payload": {
            "function": item.function,
            "type_arguments": list(item.type_arguments),
            "arguments": list(item.arguments),
            "type": "entry_function_payload",
        },
        "signature": {
            "public_key": mark("key", item.sender),
            "signature": mark("signature", item.hash) + mark("more", item.hash)[2:],
            "type": "ed25519_signature",
        },
    }


def _store(item: Transaction, move: Move) -> str:
    """Events name the store by its full address, and sometimes by a short one; so do changes, by the same."""
    store = store_of(move.owner, move.asset)
    return short(store) if item.short else store


def _events(item: Transaction) -> list[dict[str, Any]]:
    told = [_event(item, move) for move in item.moves] if item.ok else []
    if item.form != "coin":
        told.append(_fee())
    return told


def _event(item: Transaction, move: Move) -> dict[str, Any]:
    came, amount = move.amount >= 0, str(abs(move.amount))
    if item.form == "coin":
        return {
            "guid": {"creation_number": "2" if came else "3", "account_address": move.owner},
            "sequence_number": str(item.sequence),
            "type": "0x1::coin::DepositEvent" if came else "0x1::coin::WithdrawEvent",
            "data": {"amount": amount},
        }
    if item.form == "module":
        kind = "0x1::coin::CoinDeposit" if came else "0x1::coin::CoinWithdraw"
        data = {"account": move.owner, "amount": amount, "coin_type": COIN}
    else:
        kind = "0x1::fungible_asset::Deposit" if came else "0x1::fungible_asset::Withdraw"
        data = {"amount": amount, "store": _store(item, move)}
    return {"guid": _MODULE, "sequence_number": "0", "type": kind, "data": data}


def _fee() -> dict[str, Any]:
    return {
        "guid": _MODULE,
        "sequence_number": "0",
        "type": "0x1::transaction_fee::FeeStatement",
        "data": {
            "execution_gas_units": "4",
            "io_gas_units": "2",
            "storage_fee_octas": "0",
            "storage_fee_refund_octas": "0",
            "total_charge_gas_units": "6",
        },
    }


def _changes(item: Transaction) -> list[dict[str, Any]]:
    """The stores that were touched, as they are afterwards, and the sender's account."""
    told: list[dict[str, Any]] = []
    after: dict[tuple[str, str], tuple[Move, int]] = {}
    for move, before in zip(item.moves, item.before, strict=True):
        after[move.owner, move.asset] = move, before + move.amount
    for move, balance in after.values() if item.ok else ():
        told += [_coin_store(move, balance)] if item.form != "fa" else _fungible_store(item, move, balance)
    told.append(_resource(item.sender, "0x1::account::Account", account_data(item.sender, item.sequence + 1)))
    return told


def _resource(address: str, kind: str, data: Any) -> dict[str, Any]:
    return {
        "address": address,
        "state_key_hash": mark("key", address, kind),
        "data": {"type": kind, "data": data},
        "type": "write_resource",
    }


def _handle(address: str, number: int, counter: int = 0) -> dict[str, Any]:
    return {"counter": str(counter), "guid": {"id": {"addr": address, "creation_num": str(number)}}}


def _coin_store(move: Move, balance: int) -> dict[str, Any]:
    data = {
        "coin": {"value": str(balance)},
        "deposit_events": _handle(move.owner, 2, 731),
        "frozen": False,
        "withdraw_events": _handle(move.owner, 3, 728),
    }
    return _resource(move.owner, f"0x1::coin::CoinStore<{COIN}>", data)


def _fungible_store(item: Transaction, move: Move, balance: int) -> list[dict[str, Any]]:
    """A store and, beside it, the object that says whose it is."""
    address = _store(item, move)
    return [
        _resource(address, "0x1::fungible_asset::FungibleStore", store_data(move.asset, balance)),
        _resource(address, "0x1::object::ObjectCore", object_data(move.owner, address)),
    ]


def store_data(asset: str, balance: int) -> dict[str, Any]:
    inner = short(asset) if asset == APT else asset
    return {"balance": str(balance), "frozen": False, "metadata": {"inner": inner}}


def object_data(owner: str, address: str) -> dict[str, Any]:
    return {
        "allow_ungated_transfer": False,
        "guid_creation_num": "1125899906842625",
        "owner": owner,
        "transfer_events": _handle(address, 1125899906842624),
    }


def account_data(address: str, sequence: int) -> dict[str, Any]:
    return {
        "authentication_key": address,
        "coin_register_events": _handle(address, 0),
        "guid_creation_num": "4",
        "key_rotation_events": _handle(address, 1),
        "rotation_capability_offer": {"for": {"vec": []}},
        "sequence_number": str(sequence),
        "signer_capability_offer": {"for": {"vec": []}},
    }


def metadata_of(asset: str, decimals: int) -> dict[str, Any]:
    """What an asset says of itself. Those that are not USDT say the same."""
    name, symbol = ("Aptos Coin", "APT") if asset == APT else ("Tether USD", "USDt")
    return {"decimals": decimals, "icon_uri": "", "name": name, "project_uri": "https://tether.to", "symbol": symbol}
