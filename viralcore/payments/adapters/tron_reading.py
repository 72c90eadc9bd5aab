"""Reading what a Tron node says into our shapes. Strict: what does not fit is NodeFailed.

Coins are read from the bytes the transaction's id is the hash of, so that no node can tell another amount; tokens from
the logs of its info, the only place that tells what a contract really did.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from viralcore.core.addresses import tron_hex
from viralcore.payments.adapters import tron_wire as wire
from viralcore.payments.adapters.node_json import items, obj
from viralcore.payments.domain.chain import NATIVE, NATIVE_POSITION, ChainTransaction, Movement
from viralcore.payments.ports import NodeFailed

TRANSFER_TOPIC = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
TRANSFER, TRANSFER_ASSET, CREATE_SMART_CONTRACT, TRIGGER_SMART_CONTRACT = 1, 2, 30, 31
"""java-tron's numbers of the contracts that matter here."""

_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
_WORD = re.compile(r"[0-9a-fA-F]{64}")
_ACCOUNT = re.compile(r"[0-9a-fA-F]{40}")
_RESULT = re.compile(r"[A-Z_]{1,40}")
_START = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST, _LATEST = 1_500_000_000_000, 1 << 43  # 2017, before the chain began, and 2248: seconds or microseconds else


def word(value: Any) -> str:
    """32 bytes in lower-case hex: a hash or a topic."""
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise NodeFailed("bad_word")
    return value.lower()


def moment(value: Any) -> int:
    """Milliseconds since 1970."""
    if not isinstance(value, int) or isinstance(value, bool) or not _EARLIEST < value < _LATEST:
        raise NodeFailed("bad_time")
    return value


def block_moment(block: Any) -> int:
    """The time of a block, which is its place on the chain for us."""
    return moment(obj(obj(obj(block).get("block_header")).get("raw_data")).get("timestamp"))


def chain_id(genesis: Any) -> int:
    """Which chain it is: the last four bytes of the id of its first block."""
    return int(word(obj(genesis).get("blockID"))[-8:], 16)


def read_transaction(
    network: str,
    asked: str,
    body: Mapping[str, Any],
    info: Mapping[str, Any],
    *,
    final: bool,
    contracts: Collection[str],
) -> ChainTransaction:
    """One transaction from its body and its info, which must tell one story. Raises NodeFailed."""
    if word(body.get("txID")) != asked or word(info.get("id")) != asked:
        raise NodeFailed("another_transaction")
    raw = body.get("raw_data_hex")
    if not isinstance(raw, str) or not _HEX.fullmatch(raw):
        raise NodeFailed("bad_bytes")
    contract = wire.read_raw(bytes.fromhex(raw), transaction_id=asked)
    block = moment(info.get("blockTimeStamp"))
    return ChainTransaction(
        network=network,
        hash=asked,
        success=_success(body, info),
        final=final,
        block=block,
        block_time=_START + timedelta(milliseconds=block),
        movements=(*own_movement(contract), *token_movements(info.get("log", []), contracts)),
        contract_call=contract.kind in (TRIGGER_SMART_CONTRACT, CREATE_SMART_CONTRACT),
    )


def _success(body: Mapping[str, Any], info: Mapping[str, Any]) -> bool:
    """Three places tell it and all must agree. Two say nothing when all is well; the third never leaves it out."""
    ret = items(body.get("ret"))
    if len(ret) != 1:
        raise NodeFailed("bad_result")
    overall = info.get("result", "SUCESS")  # java-tron spells it so
    if overall not in ("SUCESS", "SUCCESS", "FAILED"):
        raise NodeFailed("bad_result")
    ran = _result(obj(info.get("receipt", {})).get("result", "SUCCESS"))
    return _result(obj(ret[0]).get("contractRet")) and ran and overall != "FAILED"


def _result(value: Any) -> bool:
    """SUCCESS, or one of many words for what went wrong."""
    if not isinstance(value, str) or not _RESULT.fullmatch(value):
        raise NodeFailed("bad_result")
    return value == "SUCCESS"


def own_movement(contract: wire.Contract) -> tuple[Movement, ...]:
    """What a transaction moves itself: coins, or a TRC-10 token, which is told so that nobody takes it for coins.

    Coins sent along with the call of a contract went to the contract; where it sent them on leaves no trace here.
    """
    fields = contract.fields
    if contract.kind == TRANSFER and contract.name == "protocol.TransferContract":
        moved = NATIVE, _account(fields, 1), _account(fields, 2), wire.number(fields, 3)
    elif contract.kind == TRANSFER_ASSET and contract.name == "protocol.TransferAssetContract":
        token = "trc10:" + wire.last(fields, 1).hex()
        moved = token, _account(fields, 2), _account(fields, 3), wire.number(fields, 4)
    elif contract.kind in (TRANSFER, TRANSFER_ASSET):
        raise NodeFailed("bad_bytes")
    else:
        return ()
    return (Movement(NATIVE_POSITION, *moved),) if moved[3] > 0 else ()


def _account(fields: wire.Fields, at: int) -> str:
    raw = wire.last(fields, at)
    if len(raw) != 21 or raw[0] != 0x41:
        raise NodeFailed("bad_address")
    return raw.hex()


def token_movements(logs: Any, contracts: Collection[str]) -> tuple[Movement, ...]:
    """Transfers of TRC-20 tokens in the logs of one transaction: three topics. Positions count from 1.

    What is empty is left out of a log. A log of another shape moves no money. Any contract may log what it likes: an
    amount that is none breaks the answer only where the token is one of `contracts`, else a stranger's log could keep
    money beside it from ever being read.
    """
    found = []
    for position, entry in enumerate(map(obj, items(logs)), start=1):
        topics = [word(topic) for topic in items(entry.get("topics", []))]
        account = entry.get("address")
        if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
            raise NodeFailed("bad_address")
        contract, data = "41" + account.lower(), entry.get("data", "")
        if len(topics) != 3 or topics[0] != TRANSFER_TOPIC:
            continue
        try:
            amount = int(word(data), 16) if data != "" else 0
        except NodeFailed:
            if contract in contracts:
                raise
            continue
        found.append(Movement(position, contract, "41" + topics[1][-40:], "41" + topics[2][-40:], amount))
    return tuple(found)


def page(body: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], str | None]:
    """The rows of one page of a list, and the mark of the next page when there is one."""
    if body.get("success") is not True:
        raise NodeFailed("not_a_page")
    mark = obj(body.get("meta")).get("fingerprint")
    if mark is not None and (not isinstance(mark, str) or not mark):
        raise NodeFailed("not_a_page")
    return [obj(row) for row in items(body.get("data"))], mark


def row_moment(row: Mapping[str, Any]) -> int:
    return moment(row.get("block_timestamp"))


def token_hash(row: Mapping[str, Any], *, ours: str, contract: str, decimals: int) -> str | None:
    """The transaction of a row of the token list; None only where it is plain that it brings us nothing.

    A row is a hint, the transaction is asked for: what a row tells badly is looked at rather than passed over.
    """
    token = row.get("token_info")
    token = token if isinstance(token, dict) else {}
    if row.get("type", "Transfer") != "Transfer" or row.get("value") in ("0", 0):
        return None
    if _another(token.get("address"), contract) or _another(row.get("to"), ours):
        return None
    told = token.get("decimals")
    if isinstance(told, int) and told != decimals:
        raise NodeFailed("other_decimals")
    return word(row.get("transaction_id"))


def native_hash(row: Mapping[str, Any], *, ours: str) -> str | None:
    """The transaction of a row of the account's list; None where it is plain that it brings us no coins: TRC-10
    tokens, calls of contracts, what a contract moved inside."""
    if "internal_tx_id" in row:
        return None
    contract = _dig(_first(_dig(row.get("raw_data"), "contract")))
    if contract.get("type", "TransferContract") != "TransferContract":
        return None
    value = _dig(_dig(contract.get("parameter")).get("value"))
    if value.get("amount") == 0 or _another(value.get("to_address"), ours):
        return None
    return word(row.get("txID"))


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None


def _dig(value: Any, name: str = "") -> Any:
    """An object, or what it holds under `name`; an empty one where there is none."""
    inner = value if isinstance(value, dict) else {}
    return inner.get(name) if name else inner


def _another(text: Any, address: str) -> bool:
    """An address, in either spelling, and not this one."""
    try:
        return isinstance(text, str) and tron_hex(text) != address
    except ValueError:
        return False
