"""One node of Solana over JSON-RPC (APIS 4). Places on the chain are slots.

Solana keeps a list of the transactions that name an account. Coins name our wallet; tokens name only the account they
lie in, so our token accounts are listed first, and each is asked for its own. How many questions that takes depends on
our accounts alone, not on who waits for money or how long we slept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import structlog

from viralcore.payments.adapters import solana_reading as reading
from viralcore.payments.adapters.json_rpc import JsonRpcNode
from viralcore.payments.adapters.solana_keys import associated_account
from viralcore.payments.ports import Found, Lookup, Missing, NodeFailed, Pending, Scan

log = structlog.get_logger(__name__)

Commitment = Literal["finalized", "confirmed"]

FIRST_PAGE, PAGE = 100, 1000
"""What happens between two looks fits into a short page; more than 1000 is given by no node."""
MOST_PAGES = 1000
MOST_ACCOUNTS = 16
"""Token accounts read beside the usual ones. Anybody may open accounts in our name: the fullest are read, and what was
sent to another is still found by its hash."""


class SolanaNode:
    """The port `Node` for Solana."""

    def __init__(
        self,
        node: JsonRpcNode,
        *,
        genesis: str,
        ours: str,
        contracts: Mapping[str, int],
        overlap: int,
        network: str = "solana",
    ) -> None:
        """`genesis`: the hash its first block must have, empty: any. `ours`: our wallet. `contracts`: mints we take,
        with their decimals. `overlap`: slots read again each time, because a node's lists come after its slots."""
        self.name = node.name
        self._node = node
        self._network = network
        self._genesis = genesis
        self._ours = ours
        self._contracts = dict(contracts)
        self._usual = tuple(associated_account(ours, mint) for mint in self._contracts)
        self._overlap = overlap
        self._checked = False

    async def finalized(self) -> int:
        await self._check()
        return reading.integer(await self._node.call("getSlot", {"commitment": "finalized"}))

    async def final_hashes(self, *, after: int, upto: int) -> tuple[str, ...]:
        if await self.finalized() < upto:
            raise NodeFailed("not_past_it")
        return await self._final(await self._accounts(upto), after, upto)

    async def transaction(self, canonical_hash: str) -> Lookup:
        await self._check()
        commitments: tuple[Commitment, ...] = ("finalized", "confirmed")
        for commitment in commitments:
            options = {"encoding": "jsonParsed", "commitment": commitment, "maxSupportedTransactionVersion": 0}
            told = await self._node.call("getTransaction", canonical_hash, options)
            if told is not None:
                return await self._found(canonical_hash, told, final=commitment == "finalized")
        statuses = await self._node.call("getSignatureStatuses", [canonical_hash], {"searchTransactionHistory": True})
        return Pending() if reading.is_known(statuses) else Missing(1)

    async def scan(self, *, after: int, limit: int, fresh: int) -> Scan:
        finalized = await self.finalized()
        upto = min(finalized, after + limit)
        accounts = await self._accounts(upto)
        hashes = await self._final(accounts, after, upto)
        newer: tuple[str, ...] = ()
        if fresh and upto >= finalized:
            first = max(finalized, after)
            try:
                newer = await self._listed(accounts, "confirmed", floor=first, upto=first + fresh, at_least=0)
            except NodeFailed as failure:  # the newest is told to people only; money is below it
                log.info("fresh_blocks_not_read", network=self._network, node=self.name, reason=failure.reason)
        return Scan(max(upto, after), hashes, finalized - upto, newer)

    async def _found(self, asked: str, told: Any, *, final: bool) -> Lookup:
        signatures = reading.signatures_of(told)
        if asked not in signatures:
            raise NodeFailed("another_transaction")
        if asked != signatures[0]:
            return Missing(1)  # somebody signed beside with it: a transaction with this id does not exist
        if told.get("blockTime") is None:
            told = {**told, "blockTime": await self._node.call("getBlockTime", reading.slot_of(told))}
        transaction = reading.read_transaction(
            self._network, asked, told, final=final, ours=self._ours, contracts=self._contracts
        )
        return Found(transaction, self.name)

    async def _accounts(self, upto: int) -> tuple[str, ...]:
        """Our wallet, the token accounts wallets derive from it (open or closed by now), and what else is ours."""
        found = [self._ours, *self._usual]
        for mint in self._contracts:
            options = {"encoding": "jsonParsed", **self._at("confirmed", upto - self._overlap)}
            told = await self._node.call("getTokenAccountsByOwner", self._ours, {"mint": mint}, options)
            others = [
                each for each in reading.token_accounts(told, ours=self._ours, mint=mint) if each not in self._usual
            ]
            if len(others) > MOST_ACCOUNTS:
                log.warning("many_token_accounts", network=self._network, node=self.name, accounts=len(others))
            found += others[:MOST_ACCOUNTS]
        return tuple(found)

    async def _final(self, accounts: tuple[str, ...], after: int, upto: int) -> tuple[str, ...]:
        if upto <= after:
            return ()
        # Behind a balancer another machine may answer than the one that named the slot. It must at least have come so
        # far that what it lacks is read again the next time.
        return await self._listed(
            accounts, "finalized", floor=after - self._overlap, upto=upto, at_least=upto - self._overlap
        )

    async def _listed(
        self, accounts: tuple[str, ...], commitment: Commitment, *, floor: int, upto: int, at_least: int
    ) -> tuple[str, ...]:
        """Transactions that name any of these accounts and did not fail, floor < slot <= upto, the oldest first."""
        found: dict[str, int] = {}
        for account in accounts:
            for entry in await self._pages(account, self._at(commitment, at_least), floor):
                if entry.slot <= upto and not entry.failed:
                    found[entry.signature] = entry.slot
        return tuple(sorted(found, key=lambda each: (found[each], each)))

    async def _pages(self, account: str, at: Mapping[str, Any], floor: int) -> list[reading.Entry]:
        """The list of one account, from its newest down to `floor`. A short page is no end: some nodes give less."""
        found: list[reading.Entry] = []
        options = {**at, "limit": FIRST_PAGE}
        for _ in range(MOST_PAGES):
            page = reading.entries(await self._node.call("getSignaturesForAddress", account, options))
            slots = [entry.slot for entry in (*found[-1:], *page)]
            if slots != sorted(slots, reverse=True) or (page and page[-1].signature == options.get("before")):
                raise NodeFailed("not_in_order")  # it cannot be told where such a list ends
            found += [entry for entry in page if entry.slot > floor]
            if not page or page[-1].slot <= floor:
                return found
            options = {**at, "limit": PAGE, "before": page[-1].signature}
        raise NodeFailed("too_many_signatures")

    def _at(self, commitment: Commitment, least: int) -> dict[str, Any]:
        return {"commitment": commitment, **({"minContextSlot": least} if least > 0 else {})}

    async def _check(self) -> None:
        """Once: is it the chain we think it is, and is the address we tell people one that can be paid?"""
        if self._checked:
            return
        if self._genesis and await self._node.call("getGenesisHash") != self._genesis:
            log.error("node_of_another_chain", network=self._network, node=self.name)
            raise NodeFailed("another_chain")
        try:
            told = await self._node.call("getAccountInfo", self._ours, {"encoding": "base64"})
            token_account = reading.is_token_account(told)
        except NodeFailed:
            log.info("deposit_address_not_checked", network=self._network, node=self.name)
        else:
            if token_account:
                log.error("deposit_address_is_no_wallet", network=self._network, node=self.name)
                raise NodeFailed("no_wallet")
        self._checked = True
