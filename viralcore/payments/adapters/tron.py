"""One node of Tron: java-tron's HTTP interface with TronGrid's lists beside it (APIS 5).

Places on the chain are milliseconds of block time, because the lists are read by time. They come from an index that
may be some moments behind the solid block, so each reading begins a stretch before its cursor. A list is a hint and no
more: what it names is asked for, and judged by what the node itself says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from viralcore.core.addresses import tron_base58, tron_hex
from viralcore.payments.adapters import tron_reading as reading
from viralcore.payments.adapters.tron_http import TronHttp
from viralcore.payments.ports import Found, Lookup, Missing, NodeFailed, Pending, Scan

log = structlog.get_logger(__name__)

PAGE = 200
"""Rows in one page, the most TronGrid gives."""
_NOT_THERE = ("http_404", "http_405")

Read = Callable[[Mapping[str, Any]], str | None]


class TronNode:
    """The port `Node` for Tron."""

    def __init__(
        self,
        http: TronHttp,
        *,
        chain_id: int,
        ours: str,
        contracts: Mapping[str, int],
        overlap: int,
        pages: int,
        network: str = "tron",
    ) -> None:
        """`contracts`: token contracts we take, canonical, with their decimals. `ours`: our address in either
        spelling. `overlap`: milliseconds read again before each cursor. `pages`: the most one list may have."""
        self.name = http.name
        self._http = http
        self._network = network
        self._chain_id = chain_id
        self._ours = tron_hex(ours)
        self._contracts = dict(contracts)
        self._overlap = overlap
        self._pages = pages
        self._checked = False

    async def finalized(self) -> int:
        await self._check()
        return reading.block_moment(await self._http.post("walletsolidity/getnowblock", {}))

    async def scan(self, *, after: int, limit: int, fresh: int) -> Scan:
        solid = await self.finalized()
        upto = max(min(solid, after + limit), after)
        hashes = await self._hashes(after - self._overlap, upto, "only_confirmed")
        newer: tuple[str, ...] = ()
        if fresh and upto >= solid:
            try:
                newer = await self._hashes(upto, upto + fresh, "only_unconfirmed")
            except NodeFailed as failure:  # only a courtesy; the money is below it
                log.info("fresh_not_read", network=self._network, node=self.name, reason=failure.reason)
        return Scan(upto, hashes, max(solid - upto, 0), newer)

    async def final_hashes(self, *, after: int, upto: int) -> tuple[str, ...]:
        if await self.finalized() < upto:
            raise NodeFailed("not_past_it")
        try:
            return await self._hashes(after - self._overlap, upto, "only_confirmed")
        except NodeFailed as failure:
            if failure.reason not in _NOT_THERE:
                raise
            raise NodeFailed("not_past_it") from None  # a plain node: it knows transactions and keeps no lists

    async def transaction(self, canonical_hash: str) -> Lookup:
        body, info = await self._ask("walletsolidity", canonical_hash)
        final = bool(body and info)
        if not final:
            body, info = await self._ask("wallet", canonical_hash)
        if not body or not info:
            return Pending() if body or info else Missing(1)
        transaction = reading.read_transaction(
            self._network, canonical_hash, body, info, final=final, contracts=self._contracts
        )
        return Found(transaction, self.name)

    async def _ask(self, where: str, canonical_hash: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The body and the info of a transaction; empty where there is none. What is not solid yet is unknown to
        ``walletsolidity``."""
        await self._check()
        asked = {"value": canonical_hash, "visible": False}
        body = await self._http.post(f"{where}/gettransactionbyid", asked)
        if not body and where == "walletsolidity":
            return {}, {}
        return body, await self._http.post(f"{where}/gettransactioninfobyid", asked)

    async def _hashes(self, after: int, upto: int, which: str) -> tuple[str, ...]:
        """Transactions that may bring us something after `after` and up to `upto`, in a stable order, each once. As
        many lists as we take tokens, and one for coins: strangers' tokens in them would make them endless."""
        account = f"v1/accounts/{tron_base58(self._ours)}/transactions"
        window = max(after, 0), upto, which
        found = []
        for contract, decimals in self._contracts.items():
            asked = {"contract_address": tron_base58(contract)}
            found += await self._list(f"{account}/trc20", asked, window, self._token(contract, decimals))
        found += await self._list(account, {"search_internal": "false"}, window, self._coins)
        return tuple(dict.fromkeys(found))

    def _token(self, contract: str, decimals: int) -> Read:
        return lambda row: reading.token_hash(row, ours=self._ours, contract=contract, decimals=decimals)

    def _coins(self, row: Mapping[str, Any]) -> str | None:
        return reading.native_hash(row, ours=self._ours)

    async def _list(self, path: str, asked: Mapping[str, Any], window: tuple[int, int, str], read: Read) -> list[str]:
        """One list, whole: what cannot be read to its end is NodeFailed, never a gap."""
        after, upto, which = window
        params = {**asked, which: "true", "only_to": "true", "order_by": "block_timestamp,asc", "limit": PAGE}
        params |= {"min_timestamp": after, "max_timestamp": upto + 1}  # should it not count the last moment itself
        found: list[str] = []
        marks: set[str] = set()
        for _ in range(self._pages):
            rows, mark = await self._page(path, params)
            moments = [reading.row_moment(row) for row in rows]
            named = [read(row) for at, row in zip(moments, rows, strict=True) if after < at <= upto]
            found += [name for name in named if name is not None]
            if mark is not None:
                if mark in marks:
                    raise NodeFailed("pages_repeat")
                marks.add(mark)
                params["fingerprint"] = mark
            elif len(rows) >= params["limit"]:  # full, and no word of more: go on from its last row
                if moments[-1] <= params["min_timestamp"]:
                    raise NodeFailed("page_cut_off")
                params["min_timestamp"] = moments[-1]
                params.pop("fingerprint", None)
            else:
                return found
        raise NodeFailed("too_many_pages")

    async def _page(self, path: str, params: dict[str, Any]) -> tuple[list[Mapping[str, Any]], str | None]:
        """The next page; one too large to take is asked for again by half, and so are those after it."""
        while True:
            try:
                return reading.page(await self._http.get(path, params))
            except NodeFailed as failure:
                if failure.reason != "body_too_large" or params["limit"] == 1:
                    raise
                params["limit"] //= 2

    async def _check(self) -> None:
        """Once: is it the chain we think it is? Coins of a test network look the same and cost nothing."""
        if self._checked:
            return
        try:
            genesis = await self._http.post("wallet/getblockbynum", {"num": 0})
        except NodeFailed as failure:
            if failure.reason not in _NOT_THERE:
                raise
            genesis = {}
        if not genesis:
            log.info("chain_not_checked", network=self._network, node=self.name)
        elif reading.chain_id(genesis) != self._chain_id:
            log.error("node_of_another_chain", network=self._network, node=self.name)
            raise NodeFailed("another_chain")
        self._checked = True
