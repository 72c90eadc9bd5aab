"""The BSC world: two nodes over one chain."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import Annotated

from eth_utils.address import is_checksum_address, to_checksum_address
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from viralcore.sandbox.world import BookTransfer
from viralcore.sandbox.worlds.bsc_chain import DECIMALS, USDT, Chain, Transaction, log_positions, movements
from viralcore.sandbox.worlds.bsc_node import Node
from viralcore.sandbox.worlds.chain_world import NODES, ChainBody, ChainWorld, no_node
from viralcore.sandbox.worlds.chains import Transfer
from viralcore.sandbox.worlds.control import choice
from viralcore.sandbox.worlds.faults import OUTAGES, Wire

_BODY = re.compile(r"^0x[0-9a-fA-F]{40}$")
_HASH = re.compile(r"^0x[0-9a-f]{64}$")

BscOutage = Annotated[str, choice(*OUTAGES, "rate_limit", "archive", yes="503")]


class BscBody(ChainBody):
    outage: BscOutage = ""
    logs: bool = False


class BscWorld(ChainWorld[Transaction]):
    """Implements `viralcore.sandbox.world.World` for the chain ``bsc``.

    In its books the position of a token's movement is its log's place in the block, as nodes count it; that of coins
    is 0.
    """

    name = "bsc"
    decimals = DECIMALS
    hash_form = "0x and 64 hex digits"
    faults_body = BscBody

    def __init__(self, now: Callable[[], datetime], rng: Random) -> None:
        self.chain = Chain(now, rng)
        self.nodes = [Node(self.chain) for _ in range(NODES)]
        self._address = self.chain.address()
        super().__init__(now, self.chain, self.nodes)
        self._app = Wire(Starlette(routes=[Route("/node{node:int}", self._rpc, methods=["POST"])]))

    @property
    def app(self) -> ASGIApp:
        return self._app

    @property
    def address(self) -> str:
        return self._address

    def environment(self, base_url: str) -> Mapping[str, str]:
        urls = ",".join(f"{base_url}/node{number}" for number in range(NODES))
        return {"BSC_RPC_URL": urls, "BSC_DEPOSIT_ADDRESS": self.address}

    def ours(self, address: str) -> bool:
        return address.lower() == self.address.lower()

    def sound_address(self, text: str) -> str | None:
        """A checksum that is there must be right."""
        digits = text[2:]
        if not _BODY.match(text) or (digits not in {digits.lower(), digits.upper()} and not is_checksum_address(text)):
            return None
        return text.lower()

    def sound_hash(self, text: str) -> str | None:
        return text.lower() if _HASH.match(text.lower()) else None

    def shown_address(self, address: str) -> str:
        return to_checksum_address(address)

    def is_fake(self, contract: str) -> bool:
        return contract.lower() != USDT

    def most(self, decimals: int) -> int:
        return int(10**12 * 10**decimals)

    def awaited(self, transfer: Transfer[Transaction]) -> bool:
        """Readers go through whole blocks, whatever is in them."""
        return True

    def rows(self, transfer: Transfer[Transaction], *, final: bool) -> list[BookTransfer]:
        """One row a log (change is negative), one row for a native payment. Native coins paid by a contract leave no
        trace and are not in it."""
        item, wish, ours = transfer.transaction, transfer.wish, self.address.lower()
        if item.native:
            if item.to != ours or item.sender == ours:
                return []
            return [self.row(transfer, wish.raw, final=final, failed=not item.ok)]
        if not item.ok:
            return [self.row(transfer, wish.raw, final=final, failed=True)] if self.ours(wish.to) else []
        places = log_positions(self.chain.block(transfer.block), item)
        return [self.row(transfer, raw, final=final, position=places[at]) for at, _, raw in movements(item, ours)]

    async def _rpc(self, request: Request) -> Response:
        number = request.path_params["node"]
        if number >= NODES:
            return no_node()
        node = self.nodes[number]
        broken = await self.trouble(node, request)
        if broken is not None:
            return broken
        try:
            body = json.loads(await request.body())
        except ValueError:
            told = {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "parse error"}}
            return JSONResponse(told, status_code=400)
        return JSONResponse(node.answer(body))
