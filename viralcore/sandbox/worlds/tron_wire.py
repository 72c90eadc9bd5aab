"""JSON shapes of java-tron and of TronGrid's lists, as recorded from mainnet."""

from __future__ import annotations

import hashlib
from typing import Any

from viralcore.sandbox.worlds.chains import Block
from viralcore.sandbox.worlds.tron_chain import GENESIS, TRANSFER_TOPIC, USDT, Log, Transaction, millis
from viralcore.sandbox.worlds.tron_raw import TRANSFER, TRANSFER_ASSET, TRIGGER, base58_of

_WITNESS = "41e7860196ad5b5718c1d6326babab039b70b8c1cd"
_REVERTED = "524556455254206f70636f6465206578656375746564"  # REVERT opcode executed
_NO_TRANSACTIONS = "0" * 64


def _signature(*parts: object) -> str:
    digest = hashlib.sha512(":".join(map(str, parts)).encode()).hexdigest()
    return digest + "0" + str(int(digest[0], 16) % 2)


def transaction_json(item: Transaction, *, visible: bool) -> dict[str, Any]:
    """gettransactionbyid. `visible`: addresses as people write them."""
    return {
        "ret": [{"contractRet": item.result}],
        "signature": [_signature(item.hash)],
        "txID": item.hash,
        "raw_data": _raw_json(item, visible=visible),
        "raw_data_hex": item.raw.encoded.hex(),
    }


def _raw_json(item: Transaction, *, visible: bool) -> dict[str, Any]:
    raw = item.raw
    contract = {"parameter": {"value": _value(item, visible=visible), "type_url": raw.type_url}, "type": raw.kind}
    shape: dict[str, Any] = {
        "contract": [contract],
        "ref_block_bytes": raw.ref_block_bytes,
        "ref_block_hash": raw.ref_block_hash,
        "expiration": raw.expiration,
    }
    if raw.fee_limit:
        shape["fee_limit"] = raw.fee_limit
    return shape | {"timestamp": raw.timestamp}


def _value(item: Transaction, *, visible: bool) -> dict[str, Any]:
    """What is 0 is left out, as protocol buffers do."""
    raw = item.raw
    spell = base58_of if visible else str
    if raw.kind == TRIGGER:
        sent = {"call_value": raw.amount} if raw.amount else {}
        return {
            "data": raw.data,
            "owner_address": spell(raw.owner),
            "contract_address": spell(raw.to),
            **sent,
        }
    shape: dict[str, Any] = {"amount": raw.amount} if raw.amount else {}
    if raw.kind == TRANSFER_ASSET:
        shape["asset_name"] = raw.asset_name if visible else raw.asset_name.encode().hex()
    return shape | {"owner_address": spell(raw.owner), "to_address": spell(raw.to)}


def fees(item: Transaction) -> dict[str, int]:
    """What it cost: coins take free bandwidth or burn some coins, calls burn energy."""
    some = int(item.hash[:6], 16)
    if item.raw.kind != TRIGGER:
        return {"fee": 0, "net_usage": 265} if some % 3 else {"fee": 1_100_000, "net_fee": 100_000}
    if not item.ok:
        return {"fee": 345_000, "energy_usage_total": 14_000, "net_fee": 345_000}
    return {
        "fee": 26_420_100,
        "energy_usage": 4475,
        "energy_fee": 26_420_100,
        "energy_usage_total": 130_285,
        "net_usage": 345,
    }


def info_json(item: Transaction, block: Block[Transaction], *, visible: bool) -> dict[str, Any]:
    """gettransactioninfobyid. What is 0 or empty is left out, as protocol buffers do."""
    cost = fees(item)
    call = item.raw.kind == TRIGGER
    shape: dict[str, Any] = {
        "id": item.hash,
        "fee": cost.pop("fee"),
        "blockNumber": block.number,
        "blockTimeStamp": millis(block.at),
        "contractResult": ["0" * 64 if call and item.ok else ""],
    }
    if not shape["fee"]:
        del shape["fee"]
    if call:
        shape["contract_address"] = base58_of(item.raw.to) if visible else item.raw.to
    shape["receipt"] = cost | ({"result": item.result} if call or not item.ok else {})
    if call and item.ok:
        shape["receipt"]["energy_penalty_total"] = 100_635
    if not item.ok:
        shape |= {"result": "FAILED", "resMessage": _REVERTED}
    if item.logs:
        shape["log"] = [_log_json(log, visible=visible) for log in item.logs]
    if item.inner:
        shape["internal_transactions"] = [
            {
                "hash": hashlib.sha256(f"{item.hash}{to}".encode()).hexdigest(),
                "caller_address": sender,
                "transferTo_address": to,
                "callValueInfo": [{"callValue": sun}],
                "note": "63616c6c",
            }
            for sender, to, sun in item.inner
        ]
    return shape


def _log_json(log: Log, *, visible: bool) -> dict[str, Any]:
    address = base58_of("41" + log.address) if visible else log.address
    return {"address": address, "topics": list(log.topics), "data": log.data}


def block_json(block: Block[Transaction], *, visible: bool) -> dict[str, Any]:
    """getnowblock, getblockbynum."""
    hashes = "".join(item.hash for item in block.transactions)
    shape: dict[str, Any] = {
        "blockID": block.hash,
        "block_header": {
            "raw_data": {
                "number": block.number,
                "txTrieRoot": hashlib.sha256(hashes.encode()).hexdigest() if hashes else _NO_TRANSACTIONS,
                "witness_address": base58_of(_WITNESS) if visible else _WITNESS,
                "parentHash": block.parent,
                "version": 34,
                "timestamp": millis(block.at),
            },
            "witness_signature": _signature(block.hash),
        },
    }
    if block.transactions:
        shape["transactions"] = [transaction_json(item, visible=visible) for item in block.transactions]
    return shape


def genesis_json() -> dict[str, Any]:
    return {
        "blockID": GENESIS,
        "block_header": {
            "raw_data": {
                "txTrieRoot": "8ef446bf3f395af929c218014f6101ec86576c5f61b2ae3236bf3a2ab5e2fecd",
                "witness_address": "4e65772048726f75702077696c6c20636f6d652c20736f20627265616b2074686973206f6e65",
                "parentHash": "e58f33f9baf9305dc6f82b9f1934ea8f0ade2defb951258d50167028c780351f",
            }
        },
    }


def coin_row(item: Transaction, block: Block[Transaction]) -> dict[str, Any]:
    """One row of /v1/accounts/{address}/transactions."""
    cost = fees(item)
    told = transaction_json(item, visible=False)
    if item.raw.kind == TRANSFER_ASSET:  # the list spells the name of a token as text
        told["raw_data"]["contract"][0]["parameter"]["value"]["asset_name"] = item.raw.asset_name
    return {
        "ret": [{"contractRet": item.result, "fee": cost["fee"]}],
        "signature": told["signature"],
        "txID": item.hash,
        "net_usage": cost.get("net_usage", 0),
        "raw_data_hex": told["raw_data_hex"],
        "net_fee": cost.get("net_fee", 0),
        "energy_usage": cost.get("energy_usage", 0),
        "blockNumber": block.number,
        "block_timestamp": millis(block.at),
        "energy_fee": cost.get("energy_fee", 0),
        "energy_usage_total": cost.get("energy_usage_total", 0),
        "raw_data": told["raw_data"],
        "internal_transactions": [],
    }


def token_row(item: Transaction, log: Log, block: Block[Transaction]) -> dict[str, Any]:
    """One row of /v1/accounts/{address}/transactions/trc20: a transfer that is logged, whatever it is called."""
    token = "41" + log.address
    return {
        "transaction_id": item.hash,
        "token_info": {
            "symbol": "USDT",
            "address": base58_of(token),
            "decimals": 6,
            "name": "Tether USD" if token == USDT else "Tether USD ",
        },
        "block_timestamp": millis(block.at),
        "from": base58_of("41" + log.topics[1][-40:]),
        "to": base58_of("41" + log.topics[2][-40:]),
        "type": "Transfer",
        "value": str(int(log.data, 16)),
    }


def is_transfer(log: Log) -> bool:
    return log.topics[0] == TRANSFER_TOPIC


def touches(item: Transaction, address: str) -> bool:
    """Whether an account's own list has it: who sent it, and who is sent coins or TRC-10 tokens."""
    return address in {item.raw.owner, item.raw.to if item.raw.kind in {TRANSFER, TRANSFER_ASSET} else ""}
