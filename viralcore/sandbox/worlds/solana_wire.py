"""JSON shapes of a Solana node's answers, as recorded from mainnet."""

from __future__ import annotations

from typing import Any

from viralcore.sandbox.worlds import solana_keys as keys
from viralcore.sandbox.worlds.chains import Block
from viralcore.sandbox.worlds.solana_chain import RENT, Holding, Instruction, Transaction, ui_amount

_NAMES = {
    keys.SYSTEM: "system",
    keys.TOKEN: "spl-token",
    keys.ASSOCIATED: "spl-associated-token-account",
    keys.MEMO: "spl-memo",
}
_UNITS = {True: 6581, False: 450}


def seconds(block: Block[Transaction]) -> int:
    return int(block.at.timestamp())


def error_of(item: Transaction) -> Any:
    return None if item.ok else {"InstructionError": [2, {"Custom": 1}]}


def status_of(item: Transaction) -> dict[str, Any]:
    return {"Ok": None} if item.ok else {"Err": error_of(item)}


def memo_of(item: Transaction) -> str | None:
    return None if item.memo is None else f"[{len(item.memo.encode())}] {item.memo}"


def transaction_json(item: Transaction, block: Block[Transaction], *, parsed: bool) -> dict[str, Any]:
    """getTransaction."""
    writable, readonly = item.loaded
    meta: dict[str, Any] = {
        "computeUnitsConsumed": _UNITS[bool(item.holdings)],
        "costUnits": 1785,
        "err": error_of(item),
        "fee": item.fee,
        "innerInstructions": _inner(item, parsed=parsed),
        "loadedAddresses": {"readonly": list(readonly), "writable": list(writable)},
        "logMessages": _log_messages(item),
        "postBalances": [after for _, after in item.coins],
        "postTokenBalances": _holdings(item, after=True),
        "preBalances": [before for before, _ in item.coins],
        "preTokenBalances": _holdings(item, after=False),
        "rewards": [],
        "status": status_of(item),
    }
    if parsed:  # the accounts stand in the message already
        del meta["loadedAddresses"]
    return {
        "blockTime": seconds(block),
        "meta": meta,
        "slot": block.number,
        "transaction": {"message": _message(item, parsed=parsed), "signatures": list(item.signatures)},
        "version": "legacy" if item.version is None else item.version,
    }


def _message(item: Transaction, *, parsed: bool) -> dict[str, Any]:
    places = {account: place for place, account in enumerate(item.accounts)}
    message: dict[str, Any] = {"accountKeys": _accounts(item, parsed=parsed)}
    if not parsed:
        message["header"] = {
            "numReadonlySignedAccounts": 0,
            "numReadonlyUnsignedAccounts": len(item.readonly),
            "numRequiredSignatures": len(item.signers),
        }
    message["instructions"] = [_instruction(each, places, parsed=parsed, height=1) for each in item.instructions]
    message["recentBlockhash"] = item.blockhash
    if item.version is not None:
        message["addressTableLookups"] = _lookups(item)
    return message


def _accounts(item: Transaction, *, parsed: bool) -> list[Any]:
    static = (*item.signers, *item.writable, *item.readonly)
    if not parsed:
        return list(static)
    told = [
        {
            "pubkey": each,
            "signer": each in item.signers,
            "source": "transaction",
            "writable": each not in item.readonly,
        }
        for each in static
    ]
    for accounts, writable in zip(item.loaded, (True, False), strict=True):
        told += [{"pubkey": each, "signer": False, "source": "lookupTable", "writable": writable} for each in accounts]
    return told


def _lookups(item: Transaction) -> list[dict[str, Any]]:
    writable, readonly = item.loaded
    if not (writable or readonly):
        return []
    return [
        {
            "accountKey": "4syr5pBaboZy4cZyF6sys82uGD7jEvoAP2ZMaoich4fZ",
            "readonlyIndexes": list(range(len(writable), len(writable) + len(readonly))),
            "writableIndexes": list(range(len(writable))),
        }
    ]


def _instruction(step: Instruction, places: dict[str, int], *, parsed: bool, height: int) -> dict[str, Any]:
    if not parsed:
        return {
            "accounts": [places[each] for each in step.accounts],
            "data": keys.spelled(step.data),
            "programIdIndex": places[step.program],
            "stackHeight": height,
        }
    if step.parsed is None:
        told: dict[str, Any] = {"accounts": list(step.accounts), "data": keys.spelled(step.data)}
    else:
        told = {"parsed": step.parsed, "program": _NAMES[step.program]}
    return {**told, "programId": step.program, "stackHeight": height}


def _inner(item: Transaction, *, parsed: bool) -> list[dict[str, Any]]:
    places = {account: place for place, account in enumerate(item.accounts)}
    return [
        {"index": at, "instructions": [_instruction(each, places, parsed=parsed, height=2) for each in step.inner]}
        for at, step in enumerate(item.instructions)
        if step.inner
    ]


def _log_messages(item: Transaction) -> list[str]:
    told = []
    for step in item.instructions:
        told.append(f"Program {step.program} invoke [1]")
        told.append(f"Program {step.program} success")
    if not item.ok:
        told[-1] = f"Program {item.instructions[-1].program} failed: custom program error: 0x1"
    return told


def _holdings(item: Transaction, *, after: bool) -> list[dict[str, Any]]:
    """Accounts that do not exist, before or after, have no row."""
    places = {account: place for place, account in enumerate(item.accounts)}
    rows = [(holding, holding.after if after else holding.before) for holding in item.holdings]
    return [
        {
            "accountIndex": places[holding.account],
            "mint": holding.mint,
            "owner": holding.owner,
            "programId": keys.TOKEN,
            "uiTokenAmount": ui_amount(amount),
        }
        for holding, amount in sorted(rows, key=lambda row: places[row[0].account])
        if amount is not None
    ]


def token_account_json(holding: Holding) -> dict[str, Any]:
    """One of getTokenAccountsByOwner."""
    info = {
        "isNative": False,
        "mint": holding.mint,
        "owner": holding.owner,
        "state": "initialized",
        "tokenAmount": ui_amount(holding.after or 0),
    }
    return {
        "account": {
            "data": {"parsed": {"info": info, "type": "account"}, "program": "spl-token", "space": 165},
            "executable": False,
            "lamports": RENT,
            "owner": keys.TOKEN,
            "rentEpoch": 18446744073709551615,
            "space": 165,
        },
        "pubkey": holding.account,
    }
