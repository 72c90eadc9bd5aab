"""API v2 of SMM panels: one client, dialects as data. Form fields out, JSON in, errors under HTTP 200."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal

import structlog
from pydantic import SecretStr

from viralcore.boosts.config import Dialect, StatusWords
from viralcore.boosts.domain.panels import (
    AddAnswer,
    AskAnswer,
    BalanceReading,
    Declined,
    RefillWord,
    Silent,
    StatusReading,
    read_add,
    read_ask,
    read_balance,
    read_refill,
    read_status,
)
from viralcore.boosts.domain.services import Offer, read_services
from viralcore.boosts.ports import PanelDown
from viralcore.core.http import Answer, BreakerOpen, HttpFailure, NoAnswer, NotSent, ProviderClient

log = structlog.get_logger(__name__)

MOST_IDS = 100


class HttpPanel:
    """Implements `ports.Panel`."""

    def __init__(
        self, name: str, client: ProviderClient, *, key: SecretStr, dialect: Dialect, statuses: StatusWords
    ) -> None:
        self._name = name
        self._client = client
        self._key = key
        self._dialect = dialect
        self._words = statuses

    @property
    def name(self) -> str:
        return self._name

    @property
    def breaker(self) -> Literal["closed", "opened", "half-opened"]:
        return self._client.breaker.state

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """An open breaker gives no place, and `add` then sends nothing: a refusal like any other, recorded like it."""
        async with AsyncExitStack() as stack:
            try:
                if self.breaker == "closed":
                    await stack.enter_async_context(self._client.slot())
            except BreakerOpen:
                log.info("panel_breaker_open", panel=self._name)
            yield

    async def add(self, *, service: str, link: str, quantity: int) -> AddAnswer:
        fields = {"action": "add", "service": service, "link": link, "quantity": str(quantity)}
        answer = await self._once(fields)
        return read_add(answer.body, self._dialect, answer.status) if isinstance(answer, Answer) else answer

    async def statuses(self, orders: Sequence[str]) -> Mapping[str, StatusReading]:
        asked = list(orders)[:MOST_IDS]
        if len(asked) > 1:
            body = (await self._ask({"action": "status", "orders": ",".join(asked)})).body
            if isinstance(body, Mapping) and not body.get("error"):
                return {order: read_status(body[order], self._words) for order in asked if order in body}
            log.warning("panel_multi_status_refused", panel=self._name)
        return {order: await self._one(order) for order in asked}

    async def balance(self) -> BalanceReading:
        reading = read_balance((await self._ask({"action": "balance"})).body)
        if reading is None:
            raise PanelDown("unreadable_balance")
        return reading

    async def services(self) -> tuple[Offer, ...]:
        found = read_services((await self._ask({"action": "services"})).body)
        if not found:
            raise PanelDown("no_services")
        return found

    async def refill(self, order: str) -> AskAnswer:
        return await self._ask_once({"action": "refill", "order": order}, "refill")

    async def cancel(self, order: str) -> AskAnswer:
        return await self._ask_once({"action": "cancel", "orders": order}, "cancel")

    async def refills(self, tickets: Sequence[str]) -> Mapping[str, RefillWord]:
        asked = list(tickets)[:MOST_IDS]
        if len(asked) > 1:
            body = (await self._ask({"action": "refill_status", "refills": ",".join(asked)})).body
            if isinstance(body, list):
                rows = {str(row.get("refill")): row for row in body if isinstance(row, Mapping)}
                return {ticket: read_refill(rows[ticket], self._words) for ticket in asked if ticket in rows}
            log.warning("panel_multi_refill_refused", panel=self._name)
        return {
            ticket: read_refill((await self._ask({"action": "refill_status", "refill": ticket})).body, self._words)
            for ticket in asked
        }

    async def _ask_once(self, fields: Mapping[str, str], field: str) -> AskAnswer:
        answer = await self._once(fields)
        return read_ask(answer.body, field, self._dialect, answer.status) if isinstance(answer, Answer) else answer

    async def _once(self, fields: Mapping[str, str]) -> Answer | Declined | Silent:
        """A call that does something there. What never left is a no; what may have arrived is silence."""
        if self.breaker != "closed":
            return Declined("outage", "breaker_open")
        try:
            return await self._client.send("POST", data=self._form(fields))
        except NotSent as failure:
            return Declined("outage", failure.reason)
        except NoAnswer as failure:
            return Silent(failure.reason)

    async def _one(self, order: str) -> StatusReading:
        return read_status((await self._ask({"action": "status", "order": order})).body, self._words)

    async def _ask(self, fields: Mapping[str, str]) -> Answer:
        try:
            answer = await self._client.read_json("POST", data=self._form(fields))
        except HttpFailure as failure:
            raise PanelDown(failure.reason) from None
        if not answer.ok:
            raise PanelDown(f"status_{answer.status}")
        return answer

    def _form(self, fields: Mapping[str, str]) -> dict[str, Any]:
        return {"key": self._key.get_secret_value(), **fields}
