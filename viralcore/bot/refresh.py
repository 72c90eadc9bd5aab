"""Redrawing what a chat shows when something happened: subscribers store an effect, the effect edits the message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from telegram.error import BadRequest, Forbidden, RetryAfter

from viralcore.boosts import events as boosts
from viralcore.bot import repository
from viralcore.bot.config import BotConfig
from viralcore.bot.lanes import lane
from viralcore.bot.show import Shower
from viralcore.bot.turn import Doors, Viewer, render
from viralcore.core.clock import Clock
from viralcore.core.db import Tx
from viralcore.core.effects import EffectCall, Later, Outcome, Refused, Silence, Succeeded
from viralcore.core.errors import DomainError
from viralcore.core.events import Event, Subscription
from viralcore.core.screen import Screen
from viralcore.payments import events as payments
from viralcore.withdrawals import events as withdrawals

log = structlog.get_logger(__name__)
KIND = "bot.refresh"


class Refresh:
    """`repeat`: a redraw is harmless to do twice, and nothing is sent when it would change nothing. One that nobody
    waits for (`bulk`) goes behind everybody's answers."""

    name = KIND
    silence: Silence = "repeat"
    max_attempts = 3
    urgent = False
    parallelism = 16

    def __init__(self, shower: Shower, doors: Doors, config: BotConfig, clock: Clock) -> None:
        self._shower = shower
        self._doors = doors
        self._config = config
        self._clock = clock

    @asynccontextmanager
    async def slot(self, payload: Mapping[str, Any]) -> AsyncIterator[object]:
        yield None

    async def call(self, call: EffectCall) -> Outcome | Later:
        chat_id, where = int(call.payload["chat_id"]), str(call.payload["route"])

        async def draw() -> Screen:
            user = await self._doors.users.get(user_id=chat_id)
            return await render(Viewer(self._doors, self._config, self._clock, user), where)

        try:
            with lane("bulk" if call.payload.get("bulk") else "interactive"):
                return Succeeded({"redrawn": await self._shower.refresh(chat_id, where, draw)})
        except RetryAfter as error:
            seconds = error.retry_after
            return Later(float(seconds if isinstance(seconds, int) else seconds.total_seconds()))
        except (Forbidden, BadRequest, DomainError) as error:
            return Refused(type(error).__name__)

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        if isinstance(outcome, Refused):
            log.info("refresh_refused", route=call.payload["route"], reason=outcome.reason)


def _of_invoice(invoice_id: int | None) -> list[str]:
    return [f"{name}:{invoice_id}" for name in ("invoice", "pay", "crypto")] if invoice_id is not None else []


def routes_of(event: Event) -> tuple[int | None, Sequence[str]]:
    """Whose home, and which routes of it, an event makes out of date."""
    match event:
        case payments.ClaimDecided():
            return event.user_id, [f"claim:{event.claim_id}", *_of_invoice(event.invoice_id)]
        case (
            payments.DepositSeen()
            | payments.DepositConfirmed()
            | payments.InvoicePaid()
            | payments.InvoiceClosedUnpaid()
            | payments.RefundIssued()
            | payments.AccountDecided()
            | payments.ProofDecided()
        ):
            return event.user_id, _of_invoice(event.invoice_id)
        case boosts.OrderProgressed() | boosts.LinesFinished() | boosts.OrderFinished() | boosts.PhaseSent():
            return event.user_id, [f"order:{event.order_id}"]
        case boosts.PanelListRead():
            return event.asked_by, [f"panel:{event.panel}"]
        case withdrawals.AccountChecked():
            return event.user_id, [f"wcheck:{event.check_id}"]
        case (
            withdrawals.WithdrawalApprovalGiven()
            | withdrawals.WithdrawalApproved()
            | withdrawals.WithdrawalSent()
            | withdrawals.WithdrawalUnconfirmed()
            | withdrawals.WithdrawalCompleted()
            | withdrawals.WithdrawalFailed()
            | withdrawals.WithdrawalRejected()
            | withdrawals.WithdrawalCancelled()
            | withdrawals.WithdrawalTermsOutdated()
            | withdrawals.WithdrawalConfirmedAgain()
        ):
            return event.user_id, [f"withdrawal:{event.withdrawal_id}", f"wcancel:{event.withdrawal_id}"]
        case _:
            return None, []


async def redraw(tx: Tx, event_id: str, event: Event) -> None:
    """Store a redraw when the person's home shows what changed. Private chats have the person's id."""
    user_id, routes = routes_of(event)
    if user_id is None or not routes:
        return
    where = await repository.showing(tx.conn, user_id, routes)
    if where is not None:
        tx.effect(kind=KIND, key=f"{event_id}:{user_id}", payload={"chat_id": user_id, "route": where}, ref=where)


HEARD: tuple[type[Event], ...] = (
    payments.ClaimDecided,
    payments.DepositSeen,
    payments.DepositConfirmed,
    payments.InvoicePaid,
    payments.InvoiceClosedUnpaid,
    payments.RefundIssued,
    payments.AccountDecided,
    payments.ProofDecided,
    boosts.PhaseSent,
    boosts.OrderProgressed,
    boosts.LinesFinished,
    boosts.OrderFinished,
    boosts.PanelListRead,
    withdrawals.AccountChecked,
    withdrawals.WithdrawalApprovalGiven,
    withdrawals.WithdrawalApproved,
    withdrawals.WithdrawalSent,
    withdrawals.WithdrawalUnconfirmed,
    withdrawals.WithdrawalCompleted,
    withdrawals.WithdrawalFailed,
    withdrawals.WithdrawalRejected,
    withdrawals.WithdrawalCancelled,
    withdrawals.WithdrawalTermsOutdated,
    withdrawals.WithdrawalConfirmedAgain,
)


def subscriptions() -> tuple[Subscription, ...]:
    return tuple(Subscription(event, f"bot.redraw.{event.NAME}", redraw) for event in HEARD)
