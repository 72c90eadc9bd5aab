"""The Tron world: two hosts over one chain. A host has no path in front of its calls, so each has a port of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Annotated

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from viralcore.sandbox.world import BookTransfer
from viralcore.sandbox.worlds.chain_world import NODES, ChainBody, ChainWorld
from viralcore.sandbox.worlds.chains import Transfer
from viralcore.sandbox.worlds.control import choice
from viralcore.sandbox.worlds.faults import OUTAGES, Wire
from viralcore.sandbox.worlds.tron_chain import DECIMALS, USDT, Chain, Transaction, word
from viralcore.sandbox.worlds.tron_node import LIMITS, Node
from viralcore.sandbox.worlds.tron_raw import TRANSFER, base58_of, hex_of
from viralcore.sandbox.worlds.tron_wire import is_transfer

_METHODS = ["GET", "POST"]


TronOutage = Annotated[str, choice(*OUTAGES, *LIMITS, yes="503")]


class TronBody(ChainBody):
    outage: TronOutage = ""


class TronWorld(ChainWorld[Transaction]):
    """Implements `viralcore.sandbox.world.HostsWorld` for the chain ``tron``.

    In its books the position of a token's movement is its place among the logs of its transaction, counted from 1;
    that of coins is 0.
    """

    name = "tron"
    decimals = DECIMALS
    hash_form = "64 hex digits"
    faults_body = TronBody

    def __init__(self, now: Callable[[], datetime], rng: Random) -> None:
        self.chain = Chain(now, rng)
        self.nodes = [Node(self.chain) for _ in range(NODES)]
        super().__init__(now, self.chain, self.nodes)
        self._apps = [Wire(Starlette(routes=[self._route(node)])) for node in self.nodes]

    @property
    def app(self) -> ASGIApp:
        return self._apps[0]

    @property
    def apps(self) -> Sequence[ASGIApp]:
        return self._apps

    @property
    def address(self) -> str:
        return base58_of(self.chain.address)

    def environment(self, base_url: str) -> Mapping[str, str]:
        return self.environment_of([base_url])

    def environment_of(self, base_urls: Sequence[str]) -> Mapping[str, str]:
        return {"TRON_API_URL": ",".join(base_urls), "TRX_DEPOSIT_ADDRESS": self.address}

    def ours(self, address: str) -> bool:
        return hex_of(address) == self.chain.address

    def sound_address(self, text: str) -> str | None:
        return hex_of(text)

    def sound_hash(self, text: str) -> str | None:
        found = text.lower().removeprefix("0x")
        return found if re.fullmatch(r"[0-9a-f]{64}", found) else None

    def shown_address(self, address: str) -> str:
        return base58_of(address)

    def is_fake(self, contract: str) -> bool:
        return contract != USDT

    def rows(self, transfer: Transfer[Transaction], *, final: bool) -> list[BookTransfer]:
        """One row a log (change is negative), one for coins sent straight to us. Coins paid by a contract leave no
        trace in the lists and are not in it."""
        item, ours, wish = transfer.transaction, self.chain.address, transfer.wish
        if not item.ok:
            return [self.row(transfer, wish.raw, final=final, failed=True)] if wish.to == ours else []
        if item.raw.kind == TRANSFER:
            paid = item.raw.to == ours and item.raw.owner != ours
            return [self.row(transfer, item.raw.amount, final=final)] if paid else []
        found, us = [], word(ours)
        for position, log in enumerate(item.logs, start=1):
            raw = int(log.data, 16) if is_transfer(log) else 0
            net = (raw if log.topics[2] == us else 0) - (raw if log.topics[1] == us else 0)
            if net:
                found.append(self.row(transfer, net, final=final, position=position))
        return found

    def _route(self, node: Node) -> Route:
        async def endpoint(request: Request) -> Response:
            return await self.trouble(node, request) or await node.answer(request)

        return Route("/{path:path}", endpoint, methods=_METHODS)
