"""The Aptos world: two nodes over one chain."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from viralcore.sandbox.world import BookTransfer
from viralcore.sandbox.worlds.aptos_chain import DECIMALS, USDT, Chain, Transaction, read_address
from viralcore.sandbox.worlds.aptos_node import Node
from viralcore.sandbox.worlds.chain_world import NODES, ChainWorld, no_node
from viralcore.sandbox.worlds.chains import Transfer
from viralcore.sandbox.worlds.faults import Wire


class AptosWorld(ChainWorld[Transaction]):
    """Implements `viralcore.sandbox.world.World` for the chain ``aptos``.

    What is committed is final: a transfer that is held back is pending, and in no book. In its books the position is
    the place of the event in its transaction, counted from 1.
    """

    name = "aptos"
    decimals = DECIMALS
    hash_form = "0x and 64 hex digits"

    def __init__(self, now: Callable[[], datetime], rng: Random) -> None:
        self.chain = Chain(now, rng)
        self.nodes = [Node(self.chain) for _ in range(NODES)]
        super().__init__(now, self.chain, self.nodes)
        routes = [Route(f"/node{{node:int}}/v1{rest}", self._rest, methods=["GET"]) for rest in ("", "/{path:path}")]
        self._app = Wire(Starlette(routes=routes))

    @property
    def app(self) -> ASGIApp:
        return self._app

    @property
    def address(self) -> str:
        return self.chain.address

    def environment(self, base_url: str) -> Mapping[str, str]:
        urls = ",".join(f"{base_url}/node{number}/v1" for number in range(NODES))
        return {"APTOS_API_URL": urls, "APTOS_DEPOSIT_ADDRESS": self.address}

    def ours(self, address: str) -> bool:
        return read_address(address) == self.address

    def sound_address(self, text: str) -> str | None:
        return read_address(text)

    def sound_hash(self, text: str) -> str | None:
        found = text.lower()
        return found if re.fullmatch(r"0x[0-9a-f]{64}", found) else None

    def is_fake(self, contract: str) -> bool:
        return contract != USDT

    def rows(self, transfer: Transfer[Transaction], *, final: bool) -> list[BookTransfer]:
        """One row an event; change is negative."""
        item, wish = transfer.transaction, transfer.wish
        if not item.ok:
            return [self.row(transfer, wish.raw, final=final, failed=True)] if self.ours(wish.to) else []
        return [
            self.row(transfer, move.amount, final=final, position=position)
            for position, move in enumerate(item.moves, start=1)
            if move.owner == self.address
        ]

    async def _rest(self, request: Request) -> Response:
        number = request.path_params["node"]
        if number >= NODES:
            return no_node()
        node = self.nodes[number]
        return await self.trouble(node, request) or node.answer(request.path_params.get("path", ""), request)
