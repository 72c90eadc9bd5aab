"""JSON shapes of a BSC node's answers, as recorded from mainnet."""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak

from viralcore.sandbox.worlds.bsc_chain import Log, Transaction, hex_hash, log_positions
from viralcore.sandbox.worlds.chains import Block

_ZERO = "0x" + "0" * 64
_EMPTY_TRIE = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
_EMPTY_REQUESTS = "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_NO_UNCLES = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
_MINER = "0x7e1fdf03eb3ac35bf0256694d7fbe6b6d7b3e0c8"
_GAS_PRICE = 50_000_000
_GAS = {"native": 21_000, "token": 51_627, "contract": 183_412, "failed": 23_841}


def quantity(number: int) -> str:
    return hex(number)


def gas_used(transaction: Transaction) -> int:
    if not transaction.ok:
        return _GAS["failed"]
    if transaction.native:
        return _GAS["contract" if transaction.logs else "native"]
    return _GAS["token" if len(transaction.logs) == 1 else "contract"]


def bloom(logs: list[Log]) -> str:
    """The 2048-bit log filter of the yellow paper."""
    bits = 0
    for log in logs:
        for item in (log.address, *log.topics):
            digest = keccak(hexstr=item)
            for start in (0, 2, 4):
                bits |= 1 << (int.from_bytes(digest[start : start + 2], "big") & 2047)
    return f"0x{bits:0512x}"


def transaction_json(transaction: Transaction, block: Block[Transaction] | None) -> dict[str, Any]:
    """eth_getTransactionByHash; `block` None while it waits in the mempool."""
    index = block.transactions.index(transaction) if block is not None else None
    shape: dict[str, Any] = {
        "blockHash": block.hash if block is not None else None,
        "blockNumber": quantity(block.number) if block is not None else None,
        "from": transaction.sender,
        "gas": quantity(gas_used(transaction) * 3 // 2 if transaction.data != "0x" else 21_000),
        "gasPrice": quantity(_GAS_PRICE),
        "hash": transaction.hash,
        "input": transaction.data,
        "nonce": quantity(transaction.nonce),
        "to": transaction.to,
        "transactionIndex": quantity(index) if index is not None else None,
        "value": quantity(transaction.value),
        "type": "0x2" if transaction.native else "0x0",
        "chainId": "0x38",
        "v": "0x0" if transaction.native else "0x93",
        "r": hex_hash("r", transaction.hash),
        "s": hex_hash("s", transaction.hash),
    }
    if transaction.native:
        price = quantity(_GAS_PRICE)
        shape |= {"maxFeePerGas": price, "maxPriorityFeePerGas": price, "accessList": [], "yParity": "0x0"}
    return shape


def log_json(log: Log, position: int, transaction: Transaction, block: Block[Transaction]) -> dict[str, Any]:
    return {
        "address": log.address,
        "topics": list(log.topics),
        "data": log.data,
        "blockNumber": quantity(block.number),
        "transactionHash": transaction.hash,
        "transactionIndex": quantity(block.transactions.index(transaction)),
        "blockHash": block.hash,
        "logIndex": quantity(position),
        "removed": False,
    }


def logs_json(transaction: Transaction, block: Block[Transaction]) -> list[dict[str, Any]]:
    places = log_positions(block, transaction)
    return [log_json(log, at, transaction, block) for at, log in zip(places, transaction.logs, strict=True)]


def receipt_json(transaction: Transaction, block: Block[Transaction]) -> dict[str, Any]:
    """eth_getTransactionReceipt, and the items of eth_getBlockReceipts."""
    index = block.transactions.index(transaction)
    return {
        "type": "0x2" if transaction.native else "0x0",
        "status": "0x1" if transaction.ok else "0x0",
        "from": transaction.sender,
        "to": transaction.to,
        "cumulativeGasUsed": quantity(sum(gas_used(item) for item in block.transactions[: index + 1])),
        "gasUsed": quantity(gas_used(transaction)),
        "effectiveGasPrice": quantity(_GAS_PRICE),
        "logsBloom": bloom(list(transaction.logs)),
        "logs": logs_json(transaction, block),
        "contractAddress": None,
        "transactionHash": transaction.hash,
        "blockHash": block.hash,
        "blockNumber": quantity(block.number),
        "transactionIndex": quantity(index),
    }


def block_json(block: Block[Transaction], *, full: bool) -> dict[str, Any]:
    """eth_getBlockByNumber. Blocks of one second share `timestamp`; `mixHash` and `milliTimestamp` tell them apart."""
    millis = int(block.at.timestamp() * 1000)
    logs = [log for item in block.transactions for log in item.logs]
    some = bool(block.transactions)
    return {
        "baseFeePerGas": "0x0",
        "blobGasUsed": "0x0",
        "difficulty": "0x2",
        "excessBlobGas": "0x0",
        "extraData": "0xd883010513846765746888676f312e32342e30856c696e7578000000098d24ac",
        "gasLimit": "0x47868c0",
        "gasUsed": quantity(sum(gas_used(item) for item in block.transactions)),
        "hash": block.hash,
        "logsBloom": bloom(logs),
        "milliTimestamp": quantity(millis),
        "miner": _MINER,
        "mixHash": f"0x{millis % 1000:064x}",
        "nonce": "0x0000000000000000",
        "number": quantity(block.number),
        "parentBeaconBlockRoot": _ZERO,
        "parentHash": block.parent,
        "receiptsRoot": hex_hash("receipts", block.hash) if some else _EMPTY_TRIE,
        "requestsHash": _EMPTY_REQUESTS,
        "sha3Uncles": _NO_UNCLES,
        "size": quantity(700 + 180 * len(block.transactions)),
        "stateRoot": hex_hash("state", block.hash),
        "timestamp": quantity(millis // 1000),
        "totalDifficulty": quantity(block.number * 2),
        "transactions": [transaction_json(item, block) if full else item.hash for item in block.transactions],
        "transactionsRoot": hex_hash("transactions", block.hash) if some else _EMPTY_TRIE,
        "uncles": [],
        "withdrawals": [],
        "withdrawalsRoot": _EMPTY_TRIE,
    }
