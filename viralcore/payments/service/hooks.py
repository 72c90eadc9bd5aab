"""Webhooks: the body is kept first, as it came and encrypted; then it is a reason to ask the API, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

import structlog

from viralcore.core.clock import Clock
from viralcore.core.db import Database
from viralcore.core.inbox import InboxItem, Incoming
from viralcore.core.providers.flutterwave import Hook
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.events import TransferReported
from viralcore.payments.repository import bank
from viralcore.payments.service.bank_watching import BankWatcher

log = structlog.get_logger(__name__)

SOURCE = "flutterwave"
BATCH = 500


class Store(Protocol):
    """What is needed of the inbox."""

    async def store(self, source: str, items: Sequence[Incoming]) -> int: ...


class Hooks:
    def __init__(self, *, db: Database, clock: Clock, config: PaymentsConfig, watcher: BankWatcher) -> None:
        self._db = db
        self._clock = clock
        self._config = config
        self._watcher = watcher
        self._keep = db.together("payments.webhooks", self._keep_all)

    async def accept(self, inbox: Store, hook: Hook, raw: str) -> None:
        """Make one durable; after that it may be confirmed. The same news twice is one row. Raises RuntimeError where
        there is no key to encrypt with."""
        if self._db.cipher is None:
            raise RuntimeError("bodies of webhooks are never kept in the clear")
        await self._keep((hook, self._db.cipher.encrypt(raw)))
        facts = {"kind": hook.kind, "id": hook.id, "reference": hook.reference, "event": hook.event}
        order_key = hook.reference or hook.id or hook.external_id
        await inbox.store(SOURCE, [(hook.external_id, order_key, facts)])

    async def _keep_all(self, hooks: Sequence[tuple[Hook, str]]) -> list[None]:
        async with self._db.transaction() as tx:
            await bank.add_webhooks(tx.conn, hooks, tx.now)
        return [None] * len(hooks)

    async def handle(self, item: InboxItem) -> None:
        """The inbox's handler: store what is to be asked. Handled again after a crash, it stores nothing new."""
        facts: Mapping[str, Any] = item.payload
        number, reference = str(facts["id"]), str(facts["reference"])
        if facts["kind"] == "other" or not (number or reference):
            log.warning("webhook_of_no_use", news=facts["event"], external_id=item.external_id[:80])
            return
        async with self._db.transaction() as tx:
            if facts["kind"] == "charge":
                self._watcher.ask(tx, key=f"hook:{item.external_id}", payment_id=number, reference=reference)
                return

            async def run() -> Mapping[str, Any]:
                tx.record(TransferReported(reference=reference, transfer_id=number))
                return {}

            await tx.once(scope="payments.webhook", key=item.external_id, inputs={}, run=run)

    async def prune(self) -> None:
        """The job: forget bodies that are older than they need to be."""
        before = self._clock.now() - timedelta(days=self._config.bank.keep_webhooks_days)
        while True:
            async with self._db.transaction() as tx:
                gone = await bank.forget_webhooks(tx.conn, before, BATCH)
            if gone < BATCH:
                return
