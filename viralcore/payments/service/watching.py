"""The watcher: reads each chain from a stored cursor and hands every transaction for us to the verifier."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from viralcore.core.clock import monotonic
from viralcore.core.db import Database, Tx
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.chain import ChainTransaction
from viralcore.payments.events import DepositSeen
from viralcore.payments.ports import Chain, ChainUnavailable, Found
from viralcore.payments.repository import chain_state, invoices, money
from viralcore.payments.service.crediting import Crediting
from viralcore.payments.service.verifying import Verifier

log = structlog.get_logger(__name__)


class Watcher:
    def __init__(
        self,
        *,
        db: Database,
        config: PaymentsConfig,
        chains: Mapping[str, Chain],
        verifier: Verifier,
        crediting: Crediting,
    ) -> None:
        self._db = db
        self._config = config
        self._chains = chains
        self._verifier = verifier
        self._crediting = crediting
        self._marks: dict[str, money.Mark] = {}

    async def run(self) -> None:
        """The job: all networks side by side. What one network or one transaction cannot do never stops the others."""
        ended = await asyncio.gather(
            *(self._look(network, chain) for network, chain in self._chains.items()), return_exceptions=True
        )
        broken = [each for each in ended if isinstance(each, BaseException)]
        if broken:
            raise broken[0]

    async def _look(self, network: str, chain: Chain) -> None:
        fresh: Sequence[str] = ()
        try:
            fresh = await self._read(network, chain)
        except ChainUnavailable as trouble:
            log.warning("chain_unavailable", network=network, reason=trouble.reason)
        await self._judge(network)
        await self._announce(network, chain, fresh)

    async def _read(self, network: str, chain: Chain) -> Sequence[str]:
        """Move the cursor over what is final; what was found commits with it. Returns what is not final yet."""
        settings = self._config.networks[network]
        async with self._db.read() as conn:
            cursor = await chain_state.get_cursor(conn, network)
        if cursor is None:
            first = await chain.finalized()
            async with self._db.transaction() as tx:
                await chain_state.start_cursor(tx.conn, network, first, tx.now)
            log.info("chain_watch_began", network=network, block=first)
            return ()
        at, left, began = cursor.block, settings.span_per_run, monotonic()
        while True:
            limit = min(settings.span_per_call, left)
            scan = await chain.scan(after=at, limit=limit, fresh=settings.fresh_span)
            if scan.upto > at:
                async with self._db.transaction() as tx:
                    if not await chain_state.move_cursor(tx.conn, network, block=at, to=scan.upto, now=tx.now):
                        return ()  # another process reads this chain: its rows are as good as ours
                    await money.add_sightings(tx.conn, network, scan.hashes, "found", tx.now)
            left -= scan.upto - at
            at = scan.upto
            # What took too long goes on in the next run: the networks beside this one wait for it.
            if scan.behind <= 0 or left <= 0 or monotonic() - began >= self._config.watcher.run_seconds:
                return scan.fresh

    async def _judge(self, network: str) -> None:
        """As many as one look may, going on where the last one stopped: those that cannot be judged now, however many,
        never keep the others waiting."""
        limit = self._config.watcher.settle_per_run
        async with self._db.read() as conn:
            listed = await money.found_hashes(conn, network, limit, after=self._marks.get(network))
            if len(listed) < limit and network in self._marks:
                first = await money.found_hashes(conn, network, limit - len(listed))
                listed += tuple(each for each in first if each not in listed)
        if len(listed) == limit:
            self._marks[network] = listed[-1][1]
        else:
            self._marks.pop(network, None)
        waiting = [canonical_hash for canonical_hash, _ in listed]
        at_once = self._config.watcher.settle_at_once
        for start in range(0, len(waiting), at_once):
            await asyncio.gather(*(self._judge_one(network, each) for each in waiting[start : start + at_once]))

    async def _judge_one(self, network: str, canonical_hash: str) -> None:
        try:
            result = await self._verifier.verify(network, canonical_hash)
        except Exception:
            log.exception("transfer_not_judged", network=network, hash=canonical_hash)
            return
        if result is not None:
            log.info("transfer_waits", network=network, hash=canonical_hash, reason=result.reason)

    async def _announce(self, network: str, chain: Chain, fresh: Sequence[str]) -> None:
        """Tell payers that their transfer is on its way. Changes no money; a node's word is enough."""
        async with self._db.read() as conn:
            unknown = await money.unknown_hashes(conn, network, fresh) if fresh else ()
        for canonical_hash in unknown[: self._config.watcher.settle_per_run]:
            try:
                lookup = await chain.transaction(canonical_hash)
            except ChainUnavailable:
                return
            if isinstance(lookup, Found) and lookup.transaction.success:
                async with self._db.transaction() as tx:
                    if await money.add_sightings(tx.conn, network, [canonical_hash], "seen", tx.now):
                        await self._seen(tx, lookup.transaction)

    async def _seen(self, tx: Tx, found: ChainTransaction) -> None:
        seen: set[int] = set()
        for each in self._crediting.coming(found):
            asks = await invoices.asks(
                tx.conn, found.network, each.asset, amounts=[each.amount], low=each.amount, high=each.amount
            )
            for ask in asks:
                invoice = await invoices.get_invoice(tx.conn, ask.invoice_id)
                if invoice is not None and invoice.state == "open":
                    seen.add(invoice.id)
                    tx.record(
                        DepositSeen(
                            invoice_id=invoice.id, user_id=invoice.user_id, network=found.network, hash=found.hash
                        )
                    )
        for invoice_id in sorted(seen):  # rows are taken in one order everywhere
            await invoices.note_receipt(tx.conn, invoice_id, cents=0, note="seen")
