"""The BSC world: two nodes over one chain, a deposit address, and control calls that move coins and break things."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Annotated, Any, Literal

from eth_utils.address import is_checksum_address
from pydantic import BeforeValidator, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from viralcore.sandbox.world import Books, BookTransfer
from viralcore.sandbox.worlds.bsc_chain import (
    DECIMALS,
    FINAL_AFTER,
    USDT,
    WIDE,
    Chain,
    Transfer,
    Wish,
    coins,
    log_positions,
    movements,
)
from viralcore.sandbox.worlds.bsc_node import Node
from viralcore.sandbox.worlds.control import Amount, Body, NonsenseError, choice, control, read
from viralcore.sandbox.worlds.faults import OUTAGES, Wire, fail

NODES = 2
_SHOWN = 100  # transfers on the page
_MOST = 10**12 * 10**DECIMALS
_READ_WITHIN = timedelta(seconds=15)  # how long a reader may take to notice finality before we stop waiting for it
_BODY = re.compile(r"^0x[0-9a-fA-F]{40}$")
_HASH = re.compile(r"^0x[0-9a-f]{64}$")


def _address(value: object) -> object:
    if not isinstance(value, str) or not _BODY.match(value):
        raise ValueError("must be an address: 0x and 40 hex digits")
    digits = value[2:]
    if digits not in {digits.lower(), digits.upper()} and not is_checksum_address(value):
        raise ValueError("the address has a wrong checksum")
    return value


Address = Annotated[str, BeforeValidator(_address)]
Outage = Annotated[str, choice(*OUTAGES, "rate_limit", "archive", yes="503")]
Lie = Annotated[str, choice("missing", "inflated", "early", yes="missing")]


class TransferBody(Body):
    """`final`: true now, absent after about 2 s, false when released by hand. The rest shapes odd transactions."""

    asset: Literal["USDT", "BNB"]
    to: Address
    amount: Amount
    from_: Address | None = Field(default=None, alias="from")
    final: bool | None = None
    failed: bool = False
    age_seconds: Annotated[int, Field(ge=0, le=10**9)] = 0
    contract: Address | None = None
    via_contract: bool = False
    parts: Annotated[int, Field(ge=1, le=20)] = 1
    change: Amount = Decimal(0)
    unmined: bool = False


class ReleaseBody(Body):
    final: Literal[True]


class ChainBody(Body):
    """Faults of one node, or of both when `node` is absent; what is not named stays as it is."""

    node: Annotated[int, Field(ge=0, lt=NODES)] | None = None
    outage: Outage = ""
    lag_blocks: Annotated[int, Field(ge=0, le=10_000)] = 0
    lie: Lie = ""
    logs: bool = False
    latency_ms: Annotated[int, Field(ge=0, le=60_000)] = 0


class BscWorld:
    """Implements `viralcore.sandbox.world.World` for the chain ``bsc``."""

    name = "bsc"

    def __init__(self, now: Callable[[], datetime], rng: Random) -> None:
        self._now = now
        self.chain = Chain(now, rng)
        self.address = self.chain.address()
        self.nodes = [Node(self.chain) for _ in range(NODES)]
        self._app = Wire(Starlette(routes=[Route("/node{node:int}", self._rpc, methods=["POST"])]))

    @property
    def app(self) -> ASGIApp:
        return self._app

    def environment(self, base_url: str) -> Mapping[str, str]:
        urls = ",".join(f"{base_url}/node{number}" for number in range(NODES))
        return {"BSC_RPC_URL": urls, "BSC_DEPOSIT_ADDRESS": self.address}

    def control_routes(self) -> list[Route]:
        return [
            control("/chains/bsc/transfers", "POST", self._send),
            control("/chains/bsc/transfers/{hash}", "POST", self._release),
            control("/chains/bsc", "POST", self._set_faults),
        ]

    async def tick(self, now: datetime) -> None:
        self.chain.turn()

    def pending(self, now: datetime) -> list[str]:
        """A transfer that is about to be final, or is and was not reported to a reader yet, is not quiet."""
        reasons = []
        for transfer in self._recent(now):
            due = self.chain.final_at(transfer)
            if due is not None:
                reasons.append(f"bsc: transfer {transfer.hash[:10]} becomes final at {due:%H:%M:%S}")
            elif self._readable() and self.chain.is_final(transfer) and self.chain.read_final < transfer.block:
                reasons.append(f"bsc: nobody has read final block {transfer.block} yet")
        return reasons

    def next_due(self, now: datetime) -> datetime | None:
        due = [self.chain.final_at(transfer) for transfer in self._recent(now)]
        return min((moment for moment in due if moment is not None), default=None)

    def snapshot(self) -> Mapping[str, Any]:
        transfers = [self._transfer_json(item) for item in list(self.chain.transfers.values())[: -_SHOWN - 1 : -1]]
        nodes = [
            {
                "outage": node.faults.outage,
                "lag_blocks": node.faults.lag_blocks,
                "lie": node.faults.lie,
                "logs": node.faults.logs,
                "latency_ms": node.faults.latency_ms,
                "height": node.head,
                "final_height": node.final,
                "requests": node.requests,
            }
            for node in self.nodes
        ]
        outage = next((node.faults.outage for node in self.nodes if node.faults.outage), "")
        height, final = self.chain.height, self.chain.finalized()
        return {
            "addresses": {"bsc": self.address},
            "transfers": transfers,
            "chains": {"bsc": {"outage": outage, "height": height, "final_height": final, "nodes": nodes}},
        }

    def books(self) -> Books:
        """Every movement to or from the deposit address that a node can show: one row a log (change is negative), one
        row for a native payment. Native coins paid by a contract leave no trace and are not in it."""
        found: list[BookTransfer] = []
        for transfer in self.chain.transfers.values():
            if transfer.mined:
                found += self._rows(transfer)
        return Books(transfers=found)

    def _rows(self, transfer: Transfer) -> list[BookTransfer]:
        item, final = transfer.transaction, self.chain.is_final(transfer)
        ours = self.address.lower()
        wished = coins(transfer.wish.raw)
        if item.native:
            if item.to != ours or item.sender == ours:
                return []
            return [BookTransfer("bsc", item.hash, 0, "BNB", wished, final, not item.ok)]
        kind = "" if transfer.wish.contract and transfer.wish.contract.lower() != USDT else "USDT"
        if not item.ok:
            mine = transfer.wish.to.lower() == ours
            return [BookTransfer("bsc", item.hash, 0, kind, wished, final, True)] if mine else []
        places = log_positions(self.chain.block(transfer.block), item)
        return [
            BookTransfer("bsc", item.hash, places[at], kind, coins(raw), final, False)
            for at, _, raw in movements(item, ours)
        ]

    def _recent(self, now: datetime) -> list[Transfer]:
        """Transfers young enough to matter for quiet; one held back counts from its release."""
        horizon = now - FINAL_AFTER - _READ_WITHIN
        return [
            item
            for item in self.chain.transfers.values()
            if item.mined and not item.held and max(item.sent_at, item.released_at or item.sent_at) > horizon
        ]

    def _readable(self) -> bool:
        return any(not node.faults.outage and not node.faults.lag_blocks for node in self.nodes)

    def _transfer_json(self, transfer: Transfer) -> dict[str, Any]:
        wish = transfer.wish
        fake = wish.contract is not None and wish.contract.lower() != USDT
        state = "failed" if wish.failed else "final" if self.chain.is_final(transfer) else "pending"
        return {
            "network": "bsc",
            "hash": transfer.hash,
            "asset": f"fake {wish.asset}" if fake else wish.asset,
            "amount": f"{coins(wish.raw).normalize(WIDE):f}",
            "to": wish.to,
            "state": state,
            "held": transfer.held or not transfer.mined,
            "at": transfer.sent_at.isoformat(),
            "ours": wish.to.lower() == self.address.lower(),
        }

    # the nodes

    async def _rpc(self, request: Request) -> Response:
        number = request.path_params["node"]
        if number >= NODES:
            return JSONResponse({"error": "no such node"}, status_code=404)
        node = self.nodes[number]
        if node.faults.latency_ms:
            await asyncio.sleep(node.faults.latency_ms / 1000)
        if node.faults.outage in OUTAGES:
            return await fail(node.faults.outage, request)
        try:
            body = json.loads(await request.body())
        except ValueError:
            broken = {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "parse error"}}
            return JSONResponse(broken, status_code=400)
        return JSONResponse(node.answer(body))

    # control

    async def _send(self, request: Request) -> dict[str, Any]:
        body = await read(request, TransferBody)
        if body.contract is not None and body.asset != "USDT":
            raise NonsenseError("contract: only a token has one; leave it out for BNB")
        if body.asset == "BNB" and (body.parts > 1 or body.change):
            raise NonsenseError("parts and change are for tokens")
        if body.final and body.unmined:
            raise NonsenseError("a transfer that is not mined cannot be final")
        raw, change = _units("amount", body.amount), _units("change", body.change)
        if change > raw:
            raise NonsenseError("change: cannot be more than the amount")
        wish = Wish(
            asset=body.asset,
            to=body.to,
            raw=raw,
            sender=body.from_,
            contract=body.contract,
            final=body.final,
            failed=body.failed,
            unmined=body.unmined,
            via_contract=body.via_contract,
            parts=body.parts,
            change=change,
            age=timedelta(seconds=body.age_seconds),
        )
        return {"hash": self.chain.send(wish).hash}

    async def _release(self, request: Request) -> dict[str, Any]:
        await read(request, ReleaseBody)
        wanted = str(request.path_params["hash"]).lower()
        if not _HASH.match(wanted):
            raise NonsenseError("not a transaction hash: 0x and 64 hex digits")
        transfer = self.chain.transfers.get(wanted)
        if transfer is None:
            raise NonsenseError("no such transfer", 404)
        self.chain.release(transfer)
        return {"hash": transfer.hash, "final": self.chain.is_final(transfer)}

    async def _set_faults(self, request: Request) -> dict[str, Any]:
        body = await read(request, ChainBody)
        chosen = self.nodes if body.node is None else [self.nodes[body.node]]
        for node in chosen:
            for field in body.model_fields_set - {"node"}:
                setattr(node.faults, field, getattr(body, field))
        chain: dict[str, Any] = dict(self.snapshot()["chains"]["bsc"])
        return chain


def _units(field: str, amount: Decimal) -> int:
    scaled = amount.scaleb(DECIMALS, WIDE)
    if scaled != scaled.to_integral_value(context=WIDE):
        raise NonsenseError(f"{field}: at most {DECIMALS} decimals")
    if scaled > _MOST:
        raise NonsenseError(f"{field}: too large")
    return int(scaled)
