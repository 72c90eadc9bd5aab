"""One simulated Solana node: JSON-RPC methods over the shared chain, with this node's own faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from viralcore.sandbox.worlds import solana_keys as keys
from viralcore.sandbox.worlds import solana_wire as wire
from viralcore.sandbox.worlds.chains import Block, ChainNode
from viralcore.sandbox.worlds.solana_chain import GENESIS, Holding, Transaction

MAX_PAGE, MAX_STATUSES = 1000, 256
_API = "3.0.11"


class RpcError(Exception):
    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.told: dict[str, Any] = {"code": code, "message": message, **({} if data is None else {"data": data})}


OUTAGES_OF_HISTORY = {
    "no_history": RpcError(-32011, "Transaction history is not available from this node"),
    "storage": RpcError(-32019, "Failed to query long-term storage; please try again"),
}
"""Nodes that know the present, and not what was."""
_HISTORY = {"getTransaction", "getSignaturesForAddress"}


class Node(ChainNode[Transaction]):
    """Answers JSON-RPC. All nodes see one chain; each may lag behind it or lie about it."""

    def answer(self, body: Any) -> Any:
        """The answer to a decoded request body, single or batch."""
        if isinstance(body, list):
            return [self._one(item) for item in body] if body else _invalid(None)
        return self._one(body)

    def _one(self, body: Any) -> dict[str, Any]:
        if not isinstance(body, dict) or not isinstance(body.get("method"), str):
            return _invalid(None)
        call_id, name, params = body.get("id"), body["method"], body.get("params") or []
        self.requests += 1
        methods: dict[str, Callable[[Params], Any]] = {
            "getGenesisHash": lambda _: GENESIS,
            "getVersion": lambda _: {"feature-set": 3604001754, "solana-core": _API},
            "getHealth": self._health,
            "getSlot": self._slot,
            "getBlockTime": self._block_time,
            "getBalance": self._balance,
            "getAccountInfo": self._account,
            "getTokenAccountsByOwner": self._token_accounts,
            "getSignaturesForAddress": self._signatures,
            "getSignatureStatuses": self._statuses,
            "getTransaction": self._transaction,
        }
        try:
            if name not in methods:
                raise RpcError(-32601, "Method not found")
            if not isinstance(params, list):
                raise RpcError(-32602, "`params` should be an array")
            if name in _HISTORY and self.faults.outage in OUTAGES_OF_HISTORY:
                raise OUTAGES_OF_HISTORY[self.faults.outage]
            if self.faults.outage == "behind":
                raise RpcError(-32005, "Node is behind by 42 slots", {"numSlotsBehind": 42})
            return {"jsonrpc": "2.0", "result": methods[name](Params(params)), "id": call_id}
        except RpcError as error:
            return {"jsonrpc": "2.0", "error": error.told, "id": call_id}

    def inflated(self, transaction: Transaction) -> Transaction:
        coins = tuple((before, max(0, before + 10 * (after - before))) for before, after in transaction.coins)
        holdings = tuple(
            replace(each, after=(each.before or 0) + 10 * ((each.after or 0) - (each.before or 0)))
            if (each.after or 0) > (each.before or 0)
            else each
            for each in transaction.holdings
        )
        return replace(transaction, coins=coins, holdings=holdings)

    # what is asked for

    def _upto(self, params: Params, *, at_least_confirmed: bool = False) -> int:
        """The last slot a question is about, from its commitment."""
        self.chain.poll()
        commitment = params.options.get("commitment", "finalized")
        if commitment not in {"processed", "confirmed", "finalized"}:
            raise RpcError(-32602, f"Invalid params: unknown variant `{commitment}`, expected one of `processed`, ...")
        if at_least_confirmed and commitment == "processed":
            raise RpcError(-32602, "Method does not support commitment below `confirmed`")
        slot = self.final if commitment == "finalized" else self.head
        least = params.options.get("minContextSlot")
        if isinstance(least, int) and slot < least:
            raise RpcError(-32016, "Minimum context slot has not been reached", {"contextSlot": slot})
        return slot

    def _newest_first(self, upto: int) -> Iterator[tuple[Block[Transaction], Transaction]]:
        for number in range(upto, self.chain.first_block - 1, -1):
            block = self.visible(number)
            for item in reversed(block.transactions if block is not None else ()):
                if block is not None:
                    yield block, item

    def _context(self, slot: int, value: Any) -> dict[str, Any]:
        return {"context": {"apiVersion": _API, "slot": slot}, "value": value}

    # methods

    def _health(self, _: Params) -> str:
        behind = self.faults.lag_blocks
        if behind:
            raise RpcError(-32005, f"Node is behind by {behind} slots", {"numSlotsBehind": behind})
        return "ok"

    def _slot(self, params: Params) -> int:
        return self._upto(params)

    def _block_time(self, params: Params) -> int:
        slot = params.whole(0)
        block = self.visible(slot)
        if block is None:
            raise RpcError(-32004, f"Block not available for slot {slot}")
        return wire.seconds(block)

    def _balance(self, params: Params) -> dict[str, Any]:
        slot = self._upto(params)
        return self._context(slot, self._coins(params.key(0), slot))

    def _coins(self, account: str, slot: int) -> int:
        for _, item in self._newest_first(slot):
            if account in item.accounts:
                return item.coins[item.accounts.index(account)][1]
        return 0

    def _account(self, params: Params) -> dict[str, Any]:
        """A wallet nobody has paid yet does not exist."""
        account, slot = params.key(0), self._upto(params)
        lamports = self._coins(account, slot)
        if not lamports:
            return self._context(slot, None)
        token = any(each.account == account for each in self._holdings(slot).values())
        told = {
            "data": ["", "base64"],
            "executable": False,
            "lamports": lamports,
            "owner": keys.TOKEN if token else keys.SYSTEM,
            "rentEpoch": 18446744073709551615,
            "space": 165 if token else 0,
        }
        return self._context(slot, told)

    def _holdings(self, slot: int) -> dict[str, Holding]:
        found: dict[str, Holding] = {}
        for _, item in self._newest_first(slot):
            for holding in item.holdings if item.ok else ():
                found.setdefault(holding.account, holding)
        return found

    def _token_accounts(self, params: Params) -> dict[str, Any]:
        owner, wanted = params.key(0), params.at(1)
        if not isinstance(wanted, dict) or set(wanted) not in ({"mint"}, {"programId"}):
            raise RpcError(-32602, "Invalid params: expected `mint` or `programId`.")
        slot = self._upto(params)
        mint, program = wanted.get("mint"), wanted.get("programId")
        found = [
            wire.token_account_json(each)
            for each in self._holdings(slot).values()
            if each.owner == owner and (each.mint == mint or program == keys.TOKEN)
        ]
        return self._context(slot, found)

    def _signatures(self, params: Params) -> list[dict[str, Any]]:
        account, options = params.key(0), params.options
        limit = options.get("limit", MAX_PAGE)
        if not isinstance(limit, int) or not 1 <= limit <= MAX_PAGE:
            raise RpcError(-32602, f"Invalid limit; max {MAX_PAGE}")
        before, until = (_signature(options[name]) if options.get(name) else None for name in ("before", "until"))
        found: list[dict[str, Any]] = []
        begun = before is None
        for block, item in self._newest_first(self._upto(params, at_least_confirmed=True)):
            if item.hash == until or len(found) == limit:
                break
            if begun and account in item.accounts:
                found.append(
                    {
                        "blockTime": wire.seconds(block),
                        "confirmationStatus": self._status(block),
                        "err": wire.error_of(item),
                        "memo": wire.memo_of(item),
                        "signature": item.hash,
                        "slot": block.number,
                    }
                )
            begun = begun or item.hash == before
        return found

    def _status(self, block: Block[Transaction]) -> str:
        return "finalized" if block.number <= self.final else "confirmed"

    def _statuses(self, params: Params) -> dict[str, Any]:
        asked = params.at(0)
        if not isinstance(asked, list) or len(asked) > MAX_STATUSES:
            raise RpcError(-32602, f"Too many inputs provided; max {MAX_STATUSES}")
        self.chain.poll()
        told: list[dict[str, Any] | None] = []
        for signature in map(_signature, asked):
            found = self.find(signature)
            if found is None:
                told.append(None)
                continue
            item, block = found
            final = block.number <= self.final
            told.append(
                {
                    "confirmationStatus": self._status(block),
                    "confirmations": None if final else min(31, self.head - block.number),
                    "err": wire.error_of(item),
                    "slot": block.number,
                    "status": wire.status_of(item),
                }
            )
        return self._context(self.head, told)

    def _transaction(self, params: Params) -> dict[str, Any] | None:
        signature = _signature(params.at(0))
        if isinstance(params.at(1, {}), str):  # an encoding alone, as in older clients
            params = Params([signature, {"encoding": params.at(1)}])
        encoding = params.options.get("encoding", "json")
        if encoding not in {"json", "jsonParsed"}:
            raise RpcError(-32602, f"Invalid params: unknown variant `{encoding}`.")
        upto = self._upto(params, at_least_confirmed=True)
        found = self.find(signature)
        if found is None or found[1].number > upto:
            return None
        version = found[0].version
        if version is not None and not isinstance(params.options.get("maxSupportedTransactionVersion"), int):
            raise RpcError(
                -32015,
                f"Transaction version ({version}) is not supported by the requesting client. Please try the request "
                f'again with the following configuration parameter: "maxSupportedTransactionVersion": {version}',
            )
        self.was_told(*found)
        return wire.transaction_json(*found, parsed=encoding == "jsonParsed")


class Params:
    """The parameters of one call. The last, when it is an object, holds the options."""

    def __init__(self, told: list[Any]) -> None:
        self._told = told
        self.options: Mapping[str, Any] = told[-1] if told and isinstance(told[-1], dict) else {}

    def at(self, place: int, default: Any = None) -> Any:
        if len(self._told) > place:
            return self._told[place]
        if default is None:
            raise RpcError(-32602, "`params` should have at least 1 argument(s)")
        return default

    def key(self, place: int) -> str:
        text = self.at(place)
        if not isinstance(text, str) or keys.read_base58(text, 32) is None:
            raise RpcError(-32602, "Invalid param: Invalid")
        return text

    def whole(self, place: int) -> int:
        number = self.at(place)
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise RpcError(-32602, "Invalid params: invalid type, expected u64.")
        return number


def _signature(text: Any) -> str:
    if not isinstance(text, str) or keys.read_base58(text, 64) is None:
        raise RpcError(-32602, "Invalid param: WrongSize")
    return text


def _invalid(call_id: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid request"}, "id": call_id}
