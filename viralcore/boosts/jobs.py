"""What the clock and the queue call: dispatch, polling, the panels' health, and the effect that places an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, cast

import structlog

from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.domain.panels import Accepted, AddAnswer, AskAnswer, Declined, Placed, Silent, Why
from viralcore.boosts.ports import Panel
from viralcore.boosts.service.care import Care
from viralcore.boosts.service.crowd_engine import CrowdEngine
from viralcore.boosts.service.delivery import Delivery, effect_kind
from viralcore.boosts.service.drafts import Drafts
from viralcore.boosts.service.goods import GoodsDesk
from viralcore.boosts.service.loaded import Answered
from viralcore.boosts.service.panels import PanelDesk
from viralcore.boosts.service.polling import Polling
from viralcore.boosts.service.requests import Requests, ask_kind
from viralcore.boosts.service.staff import StaffDesk
from viralcore.boosts.service.syncing import Syncing
from viralcore.core.db import Tx
from viralcore.core.effects import EffectCall, Later, Outcome, Refused, Said, Silence, Succeeded, Unknown
from viralcore.core.jobs import Job

log = structlog.get_logger(__name__)

DAY = 86_400.0


class PanelAdd:
    """Places one phase at one panel. Implements `core.effects.EffectKind`: never sent again by itself."""

    silence: Silence = "once"
    max_attempts = 1
    urgent = True

    def __init__(self, panel: Panel, delivery: Delivery, *, parallelism: int) -> None:
        self.name = effect_kind(panel.name)
        # The slot sees to it that no more than `parallelism` are at the panel; beside each of them another may be on
        # its way there or be recorded, or the panel would wait for us.
        self.parallelism = 2 * parallelism
        self._panel = panel
        self._delivery = delivery

    def slot(self, payload: Mapping[str, Any]) -> AbstractAsyncContextManager[object]:
        return self._panel.slot()

    async def call(self, call: EffectCall) -> Outcome | Later:
        answer = await self._panel.add(
            service=str(call.payload["service"]),
            link=str(call.payload["link"]),
            quantity=int(call.payload["quantity"]),
        )
        if isinstance(answer, Placed):
            return Succeeded({"order": answer.order})
        if isinstance(answer, Declined):
            return Refused(answer.why, {"words": answer.text})
        return Unknown(answer.reason)

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        await self._delivery.answered(tx, call.payload, _answer(outcome))

    async def on_outcomes(self, tx: Tx, said: Sequence[Said]) -> None:
        answers = [Answered(one.call.payload, _answer(one.outcome), one.correlation_id) for one in said]
        await self._delivery.answered_all(tx, answers)


class PanelAsk:
    """Asks one panel for a refill or a cancel. Implements `core.effects.EffectKind`: never asked again by itself."""

    silence: Silence = "once"
    max_attempts = 1
    parallelism = 1
    urgent = False

    def __init__(self, panel: Panel, requests: Requests) -> None:
        self.name = ask_kind(panel.name)
        self._panel = panel
        self._requests = requests

    def slot(self, payload: Mapping[str, Any]) -> AbstractAsyncContextManager[object]:
        return self._panel.slot()

    async def call(self, call: EffectCall) -> Outcome | Later:
        ask = self._panel.refill if call.payload["what"] == "refill" else self._panel.cancel
        answer = await ask(str(call.payload["panel_order"]))
        if isinstance(answer, Accepted):
            return Succeeded({"ticket": answer.ticket})
        if isinstance(answer, Declined):
            return Refused(answer.why, {"words": answer.text})
        return Unknown(answer.reason)

    async def on_outcome(self, tx: Tx, call: EffectCall, outcome: Outcome) -> None:
        answer: AskAnswer
        if isinstance(outcome, Succeeded):
            answer = Accepted(str(outcome.data["ticket"]))
        elif isinstance(outcome, Refused):
            answer = Declined(cast(Why, outcome.reason), str(outcome.data.get("words", "")))
        else:
            answer = Silent(outcome.reason)
        await self._requests.answered(tx, call.payload, answer)


def _answer(outcome: Outcome) -> AddAnswer:
    if isinstance(outcome, Succeeded):
        return Placed(str(outcome.data["order"]))
    if isinstance(outcome, Refused):
        return Declined(cast(Why, outcome.reason), str(outcome.data.get("words", "")))
    return Silent(outcome.reason)


def jobs(
    config: BoostsConfig,
    delivery: Delivery,
    polling: Polling,
    desk: PanelDesk,
    drafts: Drafts,
    goods: GoodsDesk,
    staff: StaffDesk,
) -> tuple[Job, ...]:
    """The clock's work, prices and other readings first."""

    async def tidy() -> None:
        log.info("drafts_tidied", forgotten=await drafts.tidy(), requests=await goods.tidy())

    schedule = config.schedule
    return (
        Job("boosts.panels", schedule.panels_seconds, desk.check, order=40),
        Job("boosts.dispatch", schedule.dispatch_seconds, delivery.dispatch, delivery.next_due, order=50),
        Job("boosts.poll", schedule.poll_seconds, polling.run, order=60),
        Job("boosts.staff", config.staff.look_seconds, staff.remind, staff.next_reminder, order=70),
        Job("boosts.tidy", DAY, tidy, order=200),
    )


def care_jobs(
    config: BoostsConfig, syncing: Syncing, requests: Requests, care: Care, polling: Polling
) -> tuple[Job, ...]:
    """What keeps panels in order: their lists, their record, their refills, and what they take back."""
    told = config.care
    return (
        Job("boosts.services", config.schedule.panels_seconds, syncing.run, order=41),
        Job("boosts.rates", 60 * told.rates_minutes, care.rate, order=42),
        Job("boosts.corrections", 15 * told.correction_minutes, polling.recheck, order=61),
        Job("boosts.stuck", 60 * told.stuck_look_minutes, care.stuck.look, order=63),
        Job("boosts.refills", 60 * told.refill_poll_minutes, requests.follow, order=62),
    )


def crowd_job(config: BoostsConfig, engine: CrowdEngine) -> Job:
    """Posts to groups, claims whose time is over, posts that close."""
    return Job("boosts.crowd", config.crowd.dispatch_seconds, engine.run, engine.next_due, order=55)
