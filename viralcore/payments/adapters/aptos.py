"""One node of Aptos over its REST interface (APIS 6). Places on the chain are ledger versions; committed is final.

A node has no list of what came to an address. It knows balances at any version, though, and while we send nothing a
balance only grows: where it is the same at both ends of a stretch nothing came, and where it is not, halving finds
every version at which it rose. Our own transactions, which can make it fall, are listed by their numbers, and split a
stretch into pieces in which it cannot. Should it fall all the same (transactions without a number), or a node not know
old balances, that piece is read transaction by transaction. So nothing is passed over, and a look at a chain on which
nothing came costs four questions, however many transactions it carried and however many invoices are open. Stores of
ours besides the primary one are found by a pasted hash only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viralcore.core.addresses import canonical_address
from viralcore.core.http import HttpFailure, ProviderClient
from viralcore.payments.adapters import aptos_reading as reading
from viralcore.payments.domain.chain import ChainTransaction
from viralcore.payments.ports import Found, Lookup, Missing, NodeFailed, Pending, Scan

PAGE = 100
"""Transactions in one answer, the most a node gives."""
MOST_PAGES = 20
"""Pages read in one call where a stretch is read transaction by transaction; the rest follows in the next."""
MOST_RISES = 40
"""Arrivals looked for in one call, per asset."""
_NO_ACCOUNT = ("account_not_found", "resource_not_found")
_CANNOT = ("version_pruned", "no_balances")


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
        self._known: dict[tuple[str, int], int] = {}

    async def finalized(self) -> int:
        info = reading.obj(await self._ask(""))
        if not self._checked:
            if info.get("chain_id") != self._chain_id:
                raise NodeFailed("another_chain")
            self._checked = True
        return reading.integer(info.get("ledger_version"))

    async def scan(self, *, after: int, limit: int, fresh: int) -> Scan:
        last = await self.finalized()
        upto = max(min(last, after + limit), after)
        versions, upto = await self._arrivals(after, upto)
        return Scan(upto, await self._named(versions), max(last - upto, 0), ())

    async def final_hashes(self, *, after: int, upto: int) -> tuple[str, ...]:
        if await self.finalized() < upto:
            raise NodeFailed("not_past_it")
        versions, reached = await self._arrivals(after, upto)
        if reached < upto:
            raise NodeFailed("too_many_arrivals")
        return await self._named(versions)

    async def transaction(self, canonical_hash: str) -> Lookup:
        await self._right_chain()
        try:
            body = await self._http.get(f"transactions/by_hash/{canonical_hash}")
        except NotThere as answer:
            if answer.code != "transaction_not_found":
                raise NodeFailed("http_404") from None
            return Missing(1)
        transaction = self._read(canonical_hash, body)
        return Pending() if transaction is None else Found(transaction, self.name)

    # --- what came -----------------------------------------------------------------------------------------------

    async def _arrivals(self, after: int, upto: int) -> tuple[list[int], int]:
        """Versions after `after` at which something may have come, and how far that was looked: at most `upto`."""
        if upto <= after:
            return [], upto
        own = await self._own_versions(after, upto)
        found: set[int] = set(own)
        for asset in self._assets:
            rises, upto = await self._rises_between(asset, after, upto, [at for at in own if at <= upto])
            found.update(rises)
        self._forget(upto)
        return sorted(at for at in found if at <= upto), upto

    async def _rises_between(self, asset: str, after: int, upto: int, own: list[int]) -> tuple[list[int], int]:
        """One asset's arrivals, piece by piece between our own transactions."""
        found: list[int] = []
        start = after
        for end in [*(at - 1 for at in own), upto]:
            try:
                rises, reached = await self._rises(asset, start, end)
            except NodeFailed as failure:
                if failure.reason not in _CANNOT:
                    raise
                rises, reached = await self._one_by_one(start, end)
            found += rises
            if reached < end:
                return found, reached
            start = end + 1  # over our own transaction
        return found, upto

    async def _rises(self, asset: str, start: int, end: int) -> tuple[list[int], int]:
        """Versions after `start` at which a balance that only grows has grown."""
        found: list[int] = []
        if end <= start:
            return found, end
        low, last = await self._balance(asset, start), await self._balance(asset, end)
        while low != last:
            if last < low:
                more, reached = await self._one_by_one(start, end)
                return found + more, reached
            if len(found) >= MOST_RISES:
                return found, found[-1]
            below, above = start, end
            while above - below > 1:
                middle = (below + above) // 2
                at_middle = await self._balance(asset, middle)
                if not low <= at_middle <= last:
                    more, reached = await self._one_by_one(start, end)
                    return found + more, reached
                below, above = (middle, above) if at_middle == low else (below, middle)
            found.append(above)
            start, low = above, await self._balance(asset, above)
        return found, end

    async def _one_by_one(self, start: int, end: int) -> tuple[list[int], int]:
        """Every transaction after `start`, a bounded number of pages of them."""
        found: list[int] = []
        at = start
        for _ in range(MOST_PAGES):
            if at >= end:
                break
            page = reading.items(await self._ask("transactions", start=at + 1, limit=min(PAGE, end - at)))
            if not page:
                raise NodeFailed("empty_page")
            for body in page:
                transaction = self._read("", body)
                if transaction is None or transaction.block != at + 1:
                    raise NodeFailed("broken_page")
                at = transaction.block
                if any(movement.recipient == self._ours for movement in transaction.movements):
                    found.append(at)
        return found, min(at, end)

    async def _own_versions(self, after: int, upto: int) -> list[int]:
        """Our own numbered transactions in a stretch; more than a page of them are looked at in the next call."""
        first, last = await self._sequence(after), await self._sequence(upto)
        found: list[int] = []
        while first < last:
            page = reading.items(
                await self._ask(f"accounts/{self._ours}/transactions", start=first, limit=min(PAGE, last - first))
            )
            if not page:
                raise NodeFailed("empty_page")
            found += [reading.integer(reading.obj(body).get("version")) for body in page]
            first += len(page)
        return sorted(at for at in found if after < at <= upto)

    async def _named(self, versions: list[int]) -> tuple[str, ...]:
        found = []
        for version in versions:
            body = reading.obj(await self._ask(f"transactions/by_version/{version}"))
            if reading.integer(body.get("version")) != version:
                raise NodeFailed("another_transaction")
            found.append(reading.tx_hash(body.get("hash")))
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
            said = await self._http.get(f"accounts/{self._ours}/balance/{asset}", ledger_version=version)
        except NotThere as answer:
            if answer.code in _NO_ACCOUNT:
                return 0
            raise NodeFailed("no_balances") from None
        if isinstance(said, bool) or not isinstance(said, int) or said < 0:
            raise NodeFailed("bad_balance")
        return said

    async def _sequence(self, version: int) -> int:
        known = self._known.get(("", version))
        if known is None:
            try:
                account = reading.obj(await self._http.get(f"accounts/{self._ours}", ledger_version=version))
                known = reading.integer(account.get("sequence_number"))
            except NotThere as answer:
                if answer.code not in _NO_ACCOUNT:
                    raise NodeFailed("http_404") from None
                known = 0
            self._known["", version] = known
        return known

    def _forget(self, upto: int) -> None:
        """Only the end of a stretch is asked about again: it is where the next begins."""
        self._known = {key: value for key, value in self._known.items() if key[1] == upto}

    # --- the node ----------------------------------------------------------------------------------------------------

    def _read(self, asked: str, body: Any) -> ChainTransaction | None:
        return reading.read_transaction(self._network, asked, body, ours=self._ours, contracts=tuple(self._contracts))

    async def _right_chain(self) -> None:
        if not self._checked:
            await self.finalized()

    async def _ask(self, path: str, **params: Any) -> Any:
        try:
            return await self._http.get(path, **params)
        except NotThere:
            raise NodeFailed("http_404") from None
