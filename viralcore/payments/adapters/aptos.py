"""One node of Aptos over its REST interface (APIS 6). Places on the chain are ledger versions; committed is final.

A node has no list of what came to an address. It knows balances at any version, though, and while we send nothing a
balance only grows: where it is the same at both ends of a stretch nothing came, and where it is not, halving finds
every version at which it rose. Our own transactions, which can make it fall, are listed by their numbers, and split a
stretch into pieces in which it cannot. Should it fall all the same, or a node not know old balances, that piece is
read transaction by transaction. So nothing is passed over, and a look at a chain on which nothing came costs four
questions, however many transactions it carried and however many invoices are open.

It rests on one thing: that what leaves our account leaves by transactions that carry its number. Ones without a number
(orderless), a multisig account's, and gas paid for others do not; between two looks they could take away exactly what
came and hide it, as where an empty account is emptied again. A hash that is pasted is judged all the same. The README
says so to whoever picks an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from viralcore.core.addresses import canonical_address
from viralcore.core.http import HttpFailure, ProviderClient
from viralcore.payments.adapters import aptos_reading as reading
from viralcore.payments.adapters.node_json import items, obj
from viralcore.payments.domain.chain import ChainTransaction
from viralcore.payments.ports import Found, Lookup, Missing, NodeFailed, Pending, Scan

log = structlog.get_logger(__name__)

PAGE = 100
"""Transactions in one answer, the most a node gives."""
MOST_PAGES = 20
"""Pages read in one call where a stretch is read transaction by transaction; the rest follows in the next."""
MOST_RISES = 40
"""Arrivals looked for in one call, per asset and piece."""
MOST_PARTS = 10
"""Such calls that a second reading of a stretch may take: it has to be whole."""
TRIES = 3
"""How often a version is asked for that the node named itself: behind a balancer the newest is not everywhere yet."""
_NO_ACCOUNT = ("account_not_found", "resource_not_found")
_NOT_YET = ("version_not_found", "transaction_not_found")
_NO_SUCH_QUESTION = ("", "web_framework_error")
_CANNOT = ("version_pruned", "no_balances")
_METADATA = "resource/0x1::fungible_asset::Metadata"

Named = dict[int, str]
"""Versions at which something may have come, each with its hash, or with nothing where that is not known yet."""


class Shrank(Exception):
    """A balance fell where it should only grow."""


class NotThere(Exception):
    """404, in the node's own words. `code`: its error code, empty when it is not the node that speaks."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class AptosHttp:
    """One endpoint. `name` is for logs."""

    def __init__(self, name: str, client: ProviderClient) -> None:
        self.name = name
        self._client = client

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON of one answer. Raises NodeFailed, and NotThere on 404."""
        try:
            answer = await self._client.read_json("GET", path, params=params)
        except HttpFailure as failure:
            raise NodeFailed(failure.reason) from None
        code = answer.body.get("error_code") if isinstance(answer.body, dict) else None
        if answer.status == 404:
            raise NotThere(code if isinstance(code, str) else "")
        if answer.status == 410:
            raise NodeFailed("version_pruned")
        if not answer.ok or code is not None:
            raise NodeFailed(f"http_{answer.status}")
        return answer.body


class AptosNode:
    """The port `Node` for Aptos."""

    def __init__(
        self,
        http: AptosHttp,
        *,
        chain_id: int,
        ours: str,
        contracts: Mapping[str, int],
        network: str = "aptos",
    ) -> None:
        """`contracts`: metadata addresses of the assets we take, canonical, with their decimals."""
        self.name = http.name
        self._http = http
        self._network = network
        self._chain_id = chain_id
        self._ours = canonical_address("aptos", ours)
        self._contracts = dict(contracts)
        self._assets = (reading.APT_COIN, *self._contracts)
        self._checked = False
        self._page_size = PAGE
        self._known: dict[tuple[str, int], int] = {}

    async def finalized(self) -> int:
        info = obj(await self._ask(""))
        if not self._checked:
            await self._check(info)
        return reading.integer(info.get("ledger_version"))

    async def scan(self, *, after: int, limit: int, fresh: int) -> Scan:
        last = await self.finalized()
        named, upto = await self._arrivals(after, max(min(last, after + limit), after))
        return Scan(upto, await self._hashes(named), max(last - upto, 0), ())

    async def final_hashes(self, *, after: int, upto: int) -> tuple[str, ...]:
        if await self.finalized() < upto:
            raise NodeFailed("not_past_it")
        found: Named = {}
        for _ in range(MOST_PARTS):
            named, after = await self._arrivals(after, upto)
            found |= named
            if after >= upto:
                return await self._hashes(found)
        raise NodeFailed("too_much_to_read")

    async def transaction(self, canonical_hash: str) -> Lookup:
        if not self._checked:
            await self.finalized()
        try:
            body = await self._http.get(f"transactions/by_hash/{canonical_hash}")
        except NotThere as answer:
            if answer.code != "transaction_not_found":
                raise NodeFailed("http_404") from None
            return Missing(1)
        transaction = self._read(canonical_hash, body)
        return Pending() if transaction is None else Found(transaction, self.name)

    # --- what came -----------------------------------------------------------------------------------------------

    async def _arrivals(self, after: int, upto: int) -> tuple[Named, int]:
        """What may have come after `after`, and how far that was looked: at most `upto`."""
        if upto <= after:
            return {}, upto
        try:
            own = await self._own(after, upto)
            found: Named = {}
            start = after
            for end in [*(at - 1 for at in own), upto]:
                named, reached = await self._piece(start, end)
                found |= named
                if reached < end:
                    upto = reached
                    break
                start = end + 1  # over our own transaction
        finally:
            self._forget(after, upto)
        found |= {at: named for at, named in own.items() if named and at <= upto}
        return dict(sorted(found.items())), upto

    async def _piece(self, start: int, end: int) -> tuple[Named, int]:
        """A piece without an own transaction in it."""
        found: set[int] = set()
        reached = end
        try:
            for asset in self._assets:
                rises, reached = await self._rises(asset, start, reached)
                found.update(rises)
        except Shrank:
            return await self._one_by_one(start, end)
        except NodeFailed as failure:
            if failure.reason not in _CANNOT:
                raise
            return await self._one_by_one(start, end)
        return {at: "" for at in found if at <= reached}, reached

    async def _rises(self, asset: str, start: int, end: int) -> tuple[list[int], int]:
        """Versions after `start` at which a balance that only grows has grown, from the first to the last. Halves that
        did not change are left alone, so that arrivals side by side share the questions that lead to them."""
        found: list[int] = []
        stretches = [(start, end)] if start < end else []
        while stretches:
            low, high = stretches.pop()
            before, then = await self._balance(asset, low), await self._balance(asset, high)
            if then < before:
                raise Shrank
            if then == before:
                continue
            if high - low > 1:
                middle = (low + high) // 2
                stretches += [(middle, high), (low, middle)]
                continue
            found.append(high)
            if len(found) >= MOST_RISES:
                return found, high
        return found, end

    async def _one_by_one(self, start: int, end: int) -> tuple[Named, int]:
        """Every transaction after `start`, a bounded number of pages of them."""
        found: Named = {}
        at = start
        for _ in range(MOST_PAGES):
            if at >= end:
                break
            for body in await self._page("transactions", at + 1, end - at):
                transaction = self._read("", body)
                if transaction is None or transaction.block != at + 1:
                    raise NodeFailed("broken_page")
                at = transaction.block
                if self._brings(transaction):
                    found[at] = transaction.hash
        return found, at

    async def _own(self, after: int, upto: int) -> Named:
        """Our own numbered transactions in a stretch, in order; a hash where one of them brought us something too."""
        first, last = await self._sequence(after), await self._sequence(upto)
        found: Named = {}
        at = after
        while first < last:
            for body in await self._page(f"accounts/{self._ours}/transactions", first, last - first):
                number = reading.integer(obj(body).get("sequence_number"))
                transaction = self._read("", body)
                if transaction is None or number != first or not at < transaction.block <= upto:
                    raise NodeFailed("broken_page")
                at = transaction.block
                found[at] = transaction.hash if self._brings(transaction) else ""
                first += 1
        return found

    async def _page(self, path: str, start: int, most: int) -> list[Any]:
        """A list from `start` on, not empty and at most `most`. What is too large to take is asked for in halves."""
        while True:
            size = min(self._page_size, most)
            try:
                page = items(await self._ask(path, start=start, limit=size))
            except NodeFailed as failure:
                if failure.reason != "body_too_large" or size == 1:
                    raise
                self._page_size = size // 2
                continue
            if not 0 < len(page) <= size:
                raise NodeFailed("broken_page")
            self._page_size = min(self._page_size * 2, PAGE)
            return page

    async def _hashes(self, named: Named) -> tuple[str, ...]:
        found = []
        for version, known in named.items():
            if not known:
                body = obj(await self._at_version(f"transactions/by_version/{version}"))
                if reading.integer(body.get("version")) != version:
                    raise NodeFailed("another_transaction")
                known = reading.tx_hash(body.get("hash"))
            found.append(known)
        return tuple(dict.fromkeys(found))

    # --- what is known at a version --------------------------------------------------------------------------------

    async def _balance(self, asset: str, version: int) -> int:
        known = self._known.get((asset, version))
        if known is None:
            known = await self._ask_balance(asset, version)
            self._known[asset, version] = known
        return known

    async def _ask_balance(self, asset: str, version: int) -> int:
        try:
            said = await self._at_version(f"accounts/{self._ours}/balance/{asset}", ledger_version=version)
        except NotThere as answer:
            if answer.code in _NO_ACCOUNT:
                return 0
            raise NodeFailed("no_balances" if answer.code in _NO_SUCH_QUESTION else "http_404") from None
        if isinstance(said, bool) or not isinstance(said, int) or said < 0:
            raise NodeFailed("bad_balance")
        return said

    async def _sequence(self, version: int) -> int:
        known = self._known.get(("", version))
        if known is None:
            try:
                account = obj(await self._at_version(f"accounts/{self._ours}", ledger_version=version))
                known = reading.integer(account.get("sequence_number"))
            except NotThere as answer:
                if answer.code not in _NO_ACCOUNT:
                    raise NodeFailed("http_404") from None
                known = 0
            self._known["", version] = known
        return known

    async def _at_version(self, path: str, **params: Any) -> Any:
        """Raises NotThere for what is missing, but NodeFailed where only this version is."""
        for _ in range(TRIES):
            try:
                return await self._http.get(path, **params)
            except NotThere as answer:
                if answer.code not in _NOT_YET:
                    raise
        raise NodeFailed("version_not_found")

    def _forget(self, after: int, upto: int) -> None:
        """Only the ends of a stretch are asked about again: where the next one begins, or this one if it failed."""
        self._known = {key: value for key, value in self._known.items() if key[1] in (after, upto)}

    # --- the node ----------------------------------------------------------------------------------------------------

    async def _check(self, info: Mapping[str, Any]) -> None:
        """Once: is it the chain we think it is, and do its tokens count as we think they do?"""
        if info.get("chain_id") != self._chain_id:
            log.error("node_of_another_chain", network=self._network, node=self.name)
            raise NodeFailed("another_chain")
        for contract, decimals in self._contracts.items():
            try:
                told = obj(await self._ask(f"accounts/{contract}/{_METADATA}"))
                said = obj(told.get("data")).get("decimals")
            except NodeFailed:
                log.info("decimals_not_checked", network=self._network, node=self.name)
                continue
            if said != decimals:
                log.error("token_of_other_decimals", network=self._network, node=self.name, said=said)
                raise NodeFailed("other_decimals")
        self._checked = True

    def _read(self, asked: str, body: Any) -> ChainTransaction | None:
        return reading.read_transaction(self._network, asked, body, ours=self._ours, contracts=tuple(self._contracts))

    def _brings(self, transaction: ChainTransaction) -> bool:
        return reading.arrivals(transaction, ours=self._ours, contracts=tuple(self._contracts))

    async def _ask(self, path: str, **params: Any) -> Any:
        try:
            return await self._http.get(path, **params)
        except NotThere:
            raise NodeFailed("http_404") from None
