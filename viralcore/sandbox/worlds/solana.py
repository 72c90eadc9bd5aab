"""The Solana world: two nodes over one chain."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import Annotated

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from viralcore.sandbox.world import BookTransfer
from viralcore.sandbox.worlds.chain_world import NODES, ChainBody, ChainWorld, no_node
from viralcore.sandbox.worlds.chains import Transfer
from viralcore.sandbox.worlds.control import choice
from viralcore.sandbox.worlds.faults import OUTAGES, Wire
from viralcore.sandbox.worlds.solana_chain import DECIMALS, Chain, Transaction
from viralcore.sandbox.worlds.solana_keys import USDT, read_base58
from viralcore.sandbox.worlds.solana_node import OUTAGES_OF_HISTORY, Node

SolanaOutage = Annotated[str, choice(*OUTAGES, "rate_limit", "behind", *OUTAGES_OF_HISTORY, yes="503")]


class SolanaBody(ChainBody):
    outage: SolanaOutage = ""


class SolanaWorld(ChainWorld[Transaction]):
    """Implements `viralcore.sandbox.world.World` for the chain ``solana``.

    Money is the net change of what is ours; in its books the position is the account's place among the accounts of the
    transaction, counted from 1, for a token, and 0 for coins.
    """

    name = "solana"
    decimals = DECIMALS
    hash_form = "a signature, 64 bytes in base58"
    faults_body = SolanaBody

    def __init__(self, now: Callable[[], datetime], rng: Random) -> None:
        self.chain = Chain(now, rng)
        self.nodes = [Node(self.chain) for _ in range(NODES)]
        super().__init__(now, self.chain, self.nodes)
        self._app = Wire(Starlette(routes=[Route("/node{node:int}", self._rpc, methods=["POST"])]))

    @property
    def app(self) -> ASGIApp:
        return self._app

    @property
    def address(self) -> str:
        return self.chain.address

    def environment(self, base_url: str) -> Mapping[str, str]:
        urls = ",".join(f"{base_url}/node{number}" for number in range(NODES))
        return {"SOLANA_RPC_URL": urls, "SOL_DEPOSIT_ADDRESS": self.address}

    def ours(self, address: str) -> bool:
        return address == self.address

    def sound_address(self, text: str) -> str | None:
        return read_base58(text, 32)

    def sound_hash(self, text: str) -> str | None:
        return read_base58(text, 64)

    def is_fake(self, contract: str) -> bool:
        return contract != USDT

    def rows(self, transfer: Transfer[Transaction], *, final: bool) -> list[BookTransfer]:
        """One row for what changed; coins and a token never change for us in one transfer."""
        item, wish = transfer.transaction, transfer.wish
        if not item.ok:
            return [self.row(transfer, wish.raw, final=final, failed=True)] if self.ours(wish.to) else []
        if wish.asset == "SOL":
            at = item.accounts.index(self.address) if self.address in item.accounts else None
            net = 0 if at is None else item.coins[at][1] - item.coins[at][0]
            return [self.row(transfer, net, final=final)] if net else []
        found = []
        for holding in item.holdings:
            net = (holding.after or 0) - (holding.before or 0)
            if holding.owner == self.address and net:
                position = 1 + item.accounts.index(holding.account)
                found.append(self.row(transfer, net, final=final, position=position))
        return found

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
            told = {"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": None}
            return JSONResponse(told, status_code=400)
        if node.faults.outage == "rate_limit":
            call_id = body.get("id") if isinstance(body, dict) else None
            error = {"code": 429, "message": "Too many requests for a specific RPC call"}
            told = {"jsonrpc": "2.0", "error": error, "id": call_id}
            return JSONResponse(told, status_code=429, headers={"retry-after": "2"})
        return JSONResponse(node.answer(body))
