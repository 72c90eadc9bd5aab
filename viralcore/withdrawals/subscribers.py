"""What withdrawals hears: something was said of a transfer."""

from __future__ import annotations

from typing import cast

from viralcore.core.db import Tx
from viralcore.core.events import Event, Subscription
from viralcore.payments.events import TransferReported
from viralcore.withdrawals.service.asking import Asking


def subscriptions(asking: Asking) -> tuple[Subscription, ...]:
    async def reported(tx: Tx, event_id: str, event: Event) -> None:
        said = cast(TransferReported, event)
        await asking.told(tx, key=f"hook:{event_id}", reference=said.reference)

    return (Subscription(TransferReported, "withdrawals.transfer_reported", reported),)
