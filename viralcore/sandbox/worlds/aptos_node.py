"""One simulated Aptos node: the REST interface over the shared chain, with this node's own faults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from viralcore.sandbox.worlds import aptos_wire as wire
from viralcore.sandbox.worlds.aptos_chain import (
    APT,
    COIN,
    DECIMALS,
    FIRST_VERSION,
    Chain,
    Transaction,
    read_address,
    store_of,
)
from viralcore.sandbox.worlds.chains import Block, ChainNode

PAGE, MOST = 25, 100
_EPOCH = "14000"
_SENTENCE = "Per anonymous IP rate limit exceeded. Limit: 40000 compute units per 300 seconds window."


class NodeError(Exception):
    """`code`: the API's own word. The status goes with it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.told = {"message": message, "error_code": code, "vm_error_code": None}


class Node(ChainNode[Transaction]):
    """Answers GET requests. All nodes see one chain; each may lag behind it or lie about it."""

    chain: Chain

    def answer(self, path: str, request: Request) -> Response:
        """`path`: what follows ``/v1``."""
        self.requests += 1
        if self.faults.outage == "rate_limit":
            return JSONResponse({"code": 429, "message": _SENTENCE}, status_code=429, headers={"retry-after": "60"})
        self.chain.poll()
        parts = [part for part in path.split("/") if part]
        try:
            return JSONResponse(self._route(parts, request), headers=self._headers())
        except NodeError as error:
            return JSONResponse(error.told, status_code=error.status, headers=self._headers())

    def _route(self, parts: list[str], request: Request) -> Any:
        match parts:
            case []:
                return self._ledger()
            case ["transactions"]:
                return self._page(request)
            case ["transactions", "by_hash", wanted]:
                return self._by_hash(wanted)
            case ["transactions", "by_version", version]:
                return self._by_version(_whole(version, "path `txn_version`"))
            case ["accounts", address]:
                return self._account(_account(address), self._version(request))
            case ["accounts", address, "transactions"]:
                return self._sent_by(_account(address), request)
            case ["accounts", address, "balance", *asset]:
                return self._balance(_account(address), "/".join(asset), self._version(request))
            case ["accounts", address, "resource", *kind]:
                return self._resource(_account(address), "/".join(kind), self._version(request))
        raise NodeError(404, "web_framework_error", "not found")

    # lies

    @property
    def head(self) -> int:
        early = self.faults.lie == "early" and bool(self._held())
        return super().head + (1 if early else 0)

    def inflated(self, transaction: Transaction) -> Transaction:
        moves = tuple(replace(move, amount=move.amount * 10) for move in transaction.moves)
        return replace(transaction, moves=moves)

    def visible(self, number: int) -> Block[Transaction] | None:
        """Who tells what is only held back as committed puts it behind the last block; who hides something has to put
        something else in its place, because versions have no gaps."""
        if number > self.head or number < 0:
            return None
        if number > self.chain.height:
            now = self.chain.now()
            mark, parent = self.chain.block_hash(number, "early"), self.chain.blocks[-1].hash
            return Block(number, now, now, self._held(), None, mark, parent)
        block = self.chain.block(number)
        if self.faults.lie not in {"missing", "inflated"}:
            return block
        return replace(block, transactions=tuple(self.seen(item) or _disguised(item) for item in block.transactions))

    def find(self, wanted: str) -> tuple[Transaction, Block[Transaction]] | None:
        if self.faults.lie == "early" and any(item.hash == wanted for item in self._held()):
            return self._in(self.head, wanted)
        return super().find(wanted)

    def _held(self) -> tuple[Transaction, ...]:
        return tuple(one.transaction for one in self.chain.transfers.values() if one.held and not one.mined)

    # versions

    @property
    def last_version(self) -> int:
        block = self.visible(self.head)
        return self.chain.last_version(block) if block is not None else 0

    def _ledger(self) -> dict[str, Any]:
        block = self.visible(self.head)
        at = wire.micros(max(block.at, block.born)) if block is not None else "0"
        return {
            "chain_id": 1,
            "epoch": _EPOCH,
            "ledger_version": str(self.last_version),
            "oldest_ledger_version": str(FIRST_VERSION),
            "ledger_timestamp": at,
            "node_role": "full_node",
            "oldest_block_height": str(self.chain.first_block),
            "block_height": str(self.head),
            "git_hash": "2c74a456298fcd520241a562119b6fe30abdaae2",
        }

    def _headers(self) -> dict[str, str]:
        told = self._ledger()
        return {
            "x-aptos-chain-id": str(told["chain_id"]),
            "x-aptos-ledger-version": told["ledger_version"],
            "x-aptos-ledger-oldest-version": told["oldest_ledger_version"],
            "x-aptos-ledger-timestampusec": told["ledger_timestamp"],
            "x-aptos-epoch": told["epoch"],
            "x-aptos-block-height": told["block_height"],
            "x-aptos-oldest-block-height": told["oldest_block_height"],
        }

    def _version(self, request: Request) -> int:
        """The version a question is about; the newest unless it says."""
        text = request.query_params.get("ledger_version")
        if text is None:
            return self.last_version
        version = _whole(text, "`ledger_version`")
        if version > self.last_version:
            raise NodeError(404, "version_not_found", f"Ledger version({version}) is not found")
        self._kept(version)
        return version

    def _kept(self, version: int) -> None:
        if version < FIRST_VERSION:
            raise NodeError(410, "version_pruned", f"Ledger version({version}) has been pruned")

    def _at(self, version: int) -> dict[str, Any]:
        """Whatever lies at a version."""
        block = self.visible(self.chain.block_of(version))
        if block is None:
            raise NodeError(404, "transaction_not_found", f"Transaction not found by Ledger version({version})")
        place = version - self.chain.first_version(block.number)
        if place == 0:
            return wire.metadata_json(block, version)
        if place > len(block.transactions):
            return wire.epilogue_json(block, version)
        item = block.transactions[place - 1]
        self.was_told(item, block)
        return wire.user_json(item, block, version)

    def _user_transactions(self, upto: int) -> Iterator[tuple[int, Transaction]]:
        for number in range(self.chain.first_block, self.head + 1):
            block = self.visible(number)
            first = self.chain.first_version(number)
            for place, item in enumerate(block.transactions if block is not None else (), start=1):
                if first + place <= upto:
                    yield first + place, item

    # questions

    def _page(self, request: Request) -> list[dict[str, Any]]:
        limit = _limit(request)
        text = request.query_params.get("start")
        newest = max(self.last_version - limit + 1, FIRST_VERSION)
        start = newest if text is None else _whole(text, "`start`")
        self._kept(start)
        if start > self.last_version:
            raise NodeError(404, "transaction_not_found", f"Transaction not found by Ledger version({start})")
        return [self._at(version) for version in range(start, min(start + limit, self.last_version + 1))]

    def _by_hash(self, wanted: str) -> dict[str, Any]:
        if not re.fullmatch(r"(?:0x)?[0-9a-fA-F]{64}", wanted):
            message = 'failed to parse path `txn_hash`: failed to parse "string(HashValue)": unable to parse HashValue'
            raise NodeError(400, "web_framework_error", message)
        wanted = "0x" + wanted.lower().removeprefix("0x")
        found = self.find(wanted)
        if found is not None:
            item, block = found
            places = [each.hash for each in block.transactions]
            return self._at(self.chain.first_version(block.number) + 1 + places.index(item.hash))
        transfer = self.chain.transfers.get(wanted)
        if transfer is not None and not transfer.mined and self.faults.lie != "missing":
            return wire.pending_json(transfer.transaction)
        raise NodeError(404, "transaction_not_found", f"Transaction not found by Transaction hash({wanted})")

    def _by_version(self, version: int) -> dict[str, Any]:
        self._kept(version)
        return self._at(version)

    def _account(self, address: str, version: int) -> dict[str, Any]:
        sequence = self._sequence(address, version)
        return {"sequence_number": str(sequence), "authentication_key": address}

    def _sequence(self, address: str, version: int) -> int:
        """How often an account sent something. One that nothing ever touched does not exist."""
        known, sent = False, 0
        for _, item in self._user_transactions(version):
            if item.sender == address:
                known, sent = True, item.sequence + 1
            known = known or any(move.owner == address for move in item.moves if item.ok)
        if not known:
            message = f"Account not found by Address({address}) and Ledger version({version})"
            raise NodeError(404, "account_not_found", message)
        return sent

    def _sent_by(self, address: str, request: Request) -> list[dict[str, Any]]:
        self._sequence(address, self.last_version)
        limit, start = _limit(request), _whole(request.query_params.get("start", "0"), "`start`")
        sent = [
            version
            for version, item in self._user_transactions(self.last_version)
            if item.sender == address and item.sequence >= start
        ]
        return [self._at(version) for version in sent[:limit]]

    def _held_by(self, address: str, asset: str, version: int) -> int | None:
        """A balance as it was at a version; None where there is no store."""
        found = None
        for _, item in self._user_transactions(version):
            for move in item.moves if item.ok else ():
                if (move.owner, move.asset) == (address, asset):
                    found = (found or 0) + move.amount
        return found

    def _balance(self, address: str, asset: str, version: int) -> int:
        metadata = APT if asset == COIN else read_address(asset)
        if metadata is None:
            message = f'failed to parse path `asset_type`: failed to parse "string(AssetType)": {asset}'
            raise NodeError(400, "web_framework_error", message)
        return self._held_by(address, metadata, version) or 0

    def _resource(self, address: str, kind: str, version: int) -> dict[str, Any]:
        data: Any = None
        if kind == "0x1::account::Account":
            data = wire.account_data(address, self._sequence(address, version))
        elif kind == "0x1::fungible_asset::Metadata":
            assets = {move.asset for _, item in self._user_transactions(version) for move in item.moves}
            if address in assets | {APT}:
                data = wire.metadata_of(address, DECIMALS["APT" if address == APT else "USDT"])
        elif kind in {"0x1::fungible_asset::FungibleStore", "0x1::object::ObjectCore"}:
            data = self._store(address, kind, version)
        if data is None:
            tag = kind.split("::")
            message = (
                f"Resource not found by Address({address}), Struct tag({'::'.join(tag)}) and Ledger version({version})"
            )
            raise NodeError(404, "resource_not_found", message)
        return {"type": kind, "data": data}

    def _store(self, address: str, kind: str, version: int) -> dict[str, Any] | None:
        for _, item in self._user_transactions(version):
            for move in item.moves if item.ok else ():
                if store_of(move.owner, move.asset) != address:
                    continue
                if kind == "0x1::object::ObjectCore":
                    return wire.object_data(move.owner, address)
                return wire.store_data(move.asset, self._held_by(move.owner, move.asset, version) or 0)
        return None


def _disguised(item: Transaction) -> Transaction:
    """Something else that looks as real, between people nobody knows."""
    moves = tuple(replace(move, owner=wire.mark("nobody", move.owner)) for move in item.moves)
    arguments = tuple(wire.mark("nobody", each) if isinstance(each, str) else each for each in item.arguments)
    return replace(item, hash=wire.mark("instead", item.hash), moves=moves, arguments=arguments)


def _account(text: str) -> str:
    found = read_address(text if text.lower().startswith("0x") else "0x" + text)
    if found is None:
        message = f'failed to parse path `address`: failed to parse "string(Address)": Invalid account address {text!r}'
        raise NodeError(400, "web_framework_error", message)
    return found


def _whole(text: str, what: str) -> int:
    if not re.fullmatch(r"[0-9]{1,20}", text):
        raise NodeError(400, "web_framework_error", f'failed to parse {what}: failed to parse "string(U64)": {text}')
    return int(text)


def _limit(request: Request) -> int:
    """More than the most is cut without a word."""
    limit = _whole(request.query_params.get("limit", str(PAGE)), "`limit`")
    if limit == 0:
        raise NodeError(400, "invalid_input", "Given limit value (0) must not be zero")
    return min(limit, MOST)
