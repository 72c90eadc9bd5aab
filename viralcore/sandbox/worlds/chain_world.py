"""A simulated network as the supervisor and the control API see it: nodes over one chain, transfers, faults, books."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from viralcore.sandbox.world import Books, BookTransfer
from viralcore.sandbox.worlds.chains import WIDE, BlockChain, ChainNode, Transacted, Transfer, Wish, coins
from viralcore.sandbox.worlds.control import Amount, Body, NonsenseError, choice, control, read
from viralcore.sandbox.worlds.faults import OUTAGES, fail

NODES = 2
TOKEN = "USDT"  # noqa: S105
_SHOWN = 100  # transfers on the page
_MOST_COINS = 10**12
_READ_WITHIN = timedelta(seconds=15)  # how long a reader may take to notice finality before we stop waiting for it
_SOON = timedelta(seconds=15)  # finality that is further off is not worth waiting for without turning the clock

Outage = Annotated[str, choice(*OUTAGES, "rate_limit", yes="503")]
Lie = Annotated[str, choice("missing", "inflated", "early", yes="missing")]


class TransferBody(Body):
    """`final`: true now, absent after the network's usual delay, false when released by hand. `contract`: another
    token that calls itself USDT. The rest shapes odd transactions."""

    asset: str
    to: str
    amount: Amount
    from_: str | None = Field(default=None, alias="from")
    final: bool | None = None
    failed: bool = False
    age_seconds: Annotated[int, Field(ge=0, le=10**9)] = 0
    contract: str | None = None
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
    latency_ms: Annotated[int, Field(ge=0, le=60_000)] = 0


T = TypeVar("T", bound=Transacted)


class ChainWorld(ABC, Generic[T]):
    """Implements `viralcore.sandbox.world.World` for one network; a network adds its wire format and its books.

    `decimals`: of each asset, the native coin first.
    """

    name: str
    decimals: ClassVar[Mapping[str, int]]
    hash_form: ClassVar[str]
    faults_body: ClassVar[type[ChainBody]] = ChainBody

    def __init__(self, now: Callable[[], datetime], chain: BlockChain[T], nodes: Sequence[ChainNode[T]]) -> None:
        self._now = now
        self._chain = chain
        self._nodes = nodes
        self._native = next(iter(self.decimals))

    # what a network says

    @property
    @abstractmethod
    def app(self) -> ASGIApp:
        """The third party itself."""

    @abstractmethod
    def environment(self, base_url: str) -> Mapping[str, str]:
        """What the bot's process must be told."""

    @abstractmethod
    def ours(self, address: str) -> bool:
        """Whether an address, in any spelling, is the one people pay to."""

    @abstractmethod
    def sound_address(self, text: str) -> str | None:
        """An address or a token's contract as the chain keeps it; None when it is none."""

    @abstractmethod
    def sound_hash(self, text: str) -> str | None:
        """A transaction's hash as the chain keeps it; None when it is none."""

    @abstractmethod
    def is_fake(self, contract: str) -> bool:
        """Whether a token's contract is not that of the USDT we take."""

    @abstractmethod
    def rows(self, transfer: Transfer[T], *, final: bool) -> list[BookTransfer]:
        """What a mined transfer brought to the deposit address or took from it."""

    @property
    @abstractmethod
    def address(self) -> str:
        """The deposit address, as people copy it."""

    def shown_address(self, address: str) -> str:
        """An address as people write it."""
        return address

    def awaited(self, transfer: Transfer[T]) -> bool:
        """Whether a reader of this network comes by this transfer."""
        return any(row.asset and row.amount and not row.failed for row in self.rows(transfer, final=True))

    # World

    def control_routes(self) -> list[Route]:
        base = f"/chains/{self.name}"
        return [
            control(f"{base}/transfers", "POST", self._send),
            control(base + "/transfers/{hash}", "POST", self._release),
            control(base, "POST", self._set_faults),
        ]

    async def tick(self, now: datetime) -> None:
        self._chain.turn()

    def pending(self, now: datetime) -> list[str]:
        """A transfer that is about to be final, or is and was not reported to a reader yet, is not quiet."""
        reasons = []
        for transfer in self._recent(now):
            due = self._chain.final_at(transfer)
            if due is not None:
                if due - now <= _SOON:
                    reasons.append(f"{self.name}: transfer {transfer.hash[:10]} becomes final at {due:%H:%M:%S}")
            elif self._readable() and self._chain.is_final(transfer) and not self._chain.is_read(transfer):
                reasons.append(f"{self.name}: nobody has read final transfer {transfer.hash[:10]} yet")
        return reasons

    def next_due(self, now: datetime) -> datetime | None:
        due = [self._chain.final_at(transfer) for transfer in self._recent(now)]
        return min((moment for moment in due if moment is not None), default=None)

    def snapshot(self) -> Mapping[str, Any]:
        transfers = [self._transfer_json(item) for item in list(self._chain.transfers.values())[: -_SHOWN - 1 : -1]]
        nodes = [
            {**asdict(node.faults), "height": node.head, "final_height": node.final, "requests": node.requests}
            for node in self._nodes
        ]
        outage = next((node.faults.outage for node in self._nodes if node.faults.outage), "")
        height, final = self._chain.height, self._chain.finalized()
        return {
            "addresses": {self.name: self.address},
            "transfers": transfers,
            "chains": {
                self.name: {
                    "outage": outage,
                    "height": height,
                    "final_height": final,
                    "nodes": nodes,
                    "assets": [TOKEN, self._native],
                }
            },
        }

    def books(self) -> Books:
        """Every movement to or from the deposit address that a node can show."""
        found: list[BookTransfer] = []
        for transfer in self._chain.transfers.values():
            if transfer.mined:
                found += self.rows(transfer, final=self._chain.is_final(transfer))
        return Books(transfers=found)

    def kind(self, wish: Wish) -> str:
        """What the books call an asset: nothing for a token we do not take."""
        return "" if wish.contract is not None and self.is_fake(wish.contract) else wish.asset

    def whole(self, wish: Wish, raw: int) -> Decimal:
        """An amount of this asset in whole coins."""
        return coins(raw, self.decimals[wish.asset])

    def row(
        self, transfer: Transfer[T], raw: int, *, final: bool, position: int = 0, failed: bool = False
    ) -> BookTransfer:
        wish = transfer.wish
        return BookTransfer(
            self.name,
            transfer.hash,
            position,
            self.kind(wish),
            self.whole(wish, raw),
            final,
            failed,
            transfer.backdated,
        )

    def _recent(self, now: datetime) -> list[Transfer[T]]:
        """Transfers young enough to matter for quiet; one held back counts from its release."""
        horizon = now - self._chain.final_after - _READ_WITHIN
        return [
            item
            for item in self._chain.transfers.values()
            if item.mined
            and not item.held
            and max(item.sent_at, item.released_at or item.sent_at) > horizon
            and self.awaited(item)
        ]

    def _readable(self) -> bool:
        return any(not node.faults.outage and not node.faults.lag_blocks for node in self._nodes)

    def _transfer_json(self, transfer: Transfer[T]) -> dict[str, Any]:
        wish = transfer.wish
        state = "failed" if wish.failed else "final" if self._chain.is_final(transfer) else "pending"
        return {
            "network": self.name,
            "hash": transfer.hash,
            "asset": wish.asset if self.kind(wish) else f"fake {wish.asset}",
            "amount": f"{self.whole(wish, wish.raw).normalize(WIDE):f}",
            "to": self.shown_address(wish.to),
            "state": state,
            "held": transfer.held or not transfer.mined,
            "at": transfer.sent_at.isoformat(),
            "ours": self.ours(wish.to),
        }

    # the nodes

    async def trouble(self, node: ChainNode[T], request: Request) -> Response | None:
        """Waits as long as the node is slow; the answer of a node that is out of order."""
        if node.faults.latency_ms:
            await asyncio.sleep(node.faults.latency_ms / 1000)
        if node.faults.outage in OUTAGES:
            return await fail(node.faults.outage, request)
        return None

    # control

    async def _send(self, request: Request) -> dict[str, Any]:
        return {"hash": self._chain.send(self._wish(await read(request, TransferBody))).hash}

    def _wish(self, body: TransferBody) -> Wish:
        if body.asset not in self.decimals:
            raise NonsenseError(f"asset: must be one of {TOKEN}, {self._native}")
        if body.contract is not None and body.asset != TOKEN:
            raise NonsenseError(f"contract: only a token has one; leave it out for {self._native}")
        if body.asset != TOKEN and (body.parts > 1 or body.change):
            raise NonsenseError("parts and change are for tokens")
        if body.final and body.unmined:
            raise NonsenseError("a transfer that is not mined cannot be final")
        raw, change = (self._units(field, getattr(body, field), body.asset) for field in ("amount", "change"))
        if change > raw:
            raise NonsenseError("change: cannot be more than the amount")
        return Wish(
            asset=body.asset,
            to=self._sound("to", body.to),
            raw=raw,
            sender=self._sound("from", body.from_) if body.from_ is not None else None,
            contract=self._sound("contract", body.contract) if body.contract is not None else None,
            final=body.final,
            failed=body.failed,
            unmined=body.unmined,
            via_contract=body.via_contract,
            parts=body.parts,
            change=change,
            age=timedelta(seconds=body.age_seconds),
        )

    def _sound(self, field: str, text: str) -> str:
        found = self.sound_address(text)
        if found is None:
            raise NonsenseError(f"{field}: not an address of {self.name}")
        return found

    def _units(self, field: str, amount: Decimal, asset: str) -> int:
        decimals = self.decimals[asset]
        scaled = amount.scaleb(decimals, WIDE)
        if scaled != scaled.to_integral_value(context=WIDE):
            raise NonsenseError(f"{field}: at most {decimals} decimals")
        if scaled > self.most(decimals):
            raise NonsenseError(f"{field}: too large")
        return int(scaled)

    def most(self, decimals: int) -> int:
        """The largest amount the chain can move, with room for a lie about it."""
        return int(min(_MOST_COINS * 10**decimals, (2**63 - 1) // 100))

    async def _release(self, request: Request) -> dict[str, Any]:
        await read(request, ReleaseBody)
        wanted = self.sound_hash(str(request.path_params["hash"]))
        if wanted is None:
            raise NonsenseError(f"not a transaction hash: {self.hash_form}")
        transfer = self._chain.transfers.get(wanted)
        if transfer is None:
            raise NonsenseError("no such transfer", 404)
        self._chain.release(transfer)
        return {"hash": transfer.hash, "final": self._chain.is_final(transfer)}

    async def _set_faults(self, request: Request) -> dict[str, Any]:
        body = await read(request, self.faults_body)
        chosen = self._nodes if body.node is None else [self._nodes[body.node]]
        for node in chosen:
            for field in body.model_fields_set - {"node"}:
                setattr(node.faults, field, getattr(body, field))
        chain: dict[str, Any] = dict(self.snapshot()["chains"][self.name])
        return chain


def no_node() -> Response:
    return JSONResponse({"error": "no such node"}, status_code=404)
