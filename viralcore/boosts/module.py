"""Builds boosts from its dependencies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from viralcore.boosts.adapters.panel import HttpPanel
from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.domain.plans import Catalogue
from viralcore.boosts.jobs import PanelAdd, jobs
from viralcore.boosts.ports import Panel
from viralcore.boosts.service.boosts import BoostsService
from viralcore.boosts.service.custom import Customs
from viralcore.boosts.service.delivery import Delivery
from viralcore.boosts.service.drafts import Drafts
from viralcore.boosts.service.engines import Engines
from viralcore.boosts.service.estimates import History
from viralcore.boosts.service.figures import BoostFigures
from viralcore.boosts.service.orders import Orders
from viralcore.boosts.service.panels import PanelDesk
from viralcore.boosts.service.placing import Placing
from viralcore.boosts.service.polling import Polling
from viralcore.boosts.service.steering import Steering
from viralcore.core.db import Database, Tx
from viralcore.core.effects import EffectKind
from viralcore.core.events import Event, Subscription
from viralcore.core.figures import FigureReader
from viralcore.core.http import HttpClients
from viralcore.core.jobs import Job
from viralcore.ledger.api import Ledger
from viralcore.payments.api import Payments
from viralcore.payments.events import InvoicePaid
from viralcore.users.api import Users

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BoostsModule:
    """What bootstrap registers and hands on. `warnings`: plans that may cost more than they bring, in plain words."""

    service: BoostsService
    warnings: tuple[str, ...]
    figures: FigureReader
    effects: tuple[EffectKind, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    jobs: tuple[Job, ...] = ()


def _custom_bought(customs: Customs) -> Callable[[Tx, str, Event], Awaitable[None]]:
    """Hears of paid invoices: a custom plan may have ended while its invoice was open."""

    async def heard(tx: Tx, _: str, event: Event) -> None:
        if isinstance(event, InvoicePaid) and event.item_kind == "credits":
            await customs.bought(tx, event.item_ref, event.invoice_id)

    return heard


def http_panels(config: BoostsConfig, clients: HttpClients) -> tuple[Panel, ...]:
    """A client for every panel with a key."""
    found: list[Panel] = []
    for panel in config.panels:
        key = config.api_key(panel)
        if key is None:
            continue
        client = clients.provider(
            panel.name,
            config.base_url(panel),
            pace_per_second=panel.pace_per_second,
            parallelism=panel.parallelism,
            connect_timeout=panel.connect_seconds,
            read_timeout=panel.read_seconds,
        )
        dialect = config.dialects[panel.dialect]
        found.append(HttpPanel(panel.name, client, key=key, dialect=dialect, statuses=config.statuses))
    return tuple(found)


def build(
    *,
    db: Database,
    config: BoostsConfig,
    clients: HttpClients,
    ledger: Ledger,
    users: Users,
    payments: Payments,
    panels: Sequence[Panel] | None = None,
) -> BoostsModule:
    """`panels`: others than those of the settings, for tests."""
    in_use = http_panels(config, clients) if panels is None else tuple(panels)
    engines = Engines()
    catalogue = Catalogue(config, engines.channels)
    warnings = catalogue.warnings()
    if not in_use:
        warnings = (*warnings, "no SMM panel has an API key: orders will wait, and be refunded in the end")
    for warning in warnings:
        log.warning("plan_warning", warning=warning)
    desk = PanelDesk(db, config, in_use)
    delivery = Delivery(db, config, desk, ledger)
    polling = Polling(db, config, desk, delivery)
    placing = Placing(catalogue, engines)
    customs = Customs(db, catalogue, config.custom, ledger, users)
    drafts = Drafts(db, config, catalogue, customs, placing, ledger, users)
    history = History(db, config.estimates)
    orders = Orders(db, delivery, engines, users, history)
    steering = Steering(db, orders, delivery, engines, history)
    at_once = {panel.name: panel.parallelism for panel in config.panels}
    return BoostsModule(
        service=BoostsService(
            db,
            catalogue,
            customs=customs,
            drafts=drafts,
            orders=orders,
            steering=steering,
            desk=desk,
            payments=payments,
            users=users,
        ),
        warnings=warnings,
        figures=BoostFigures(db).read,
        effects=tuple(PanelAdd(panel, delivery, parallelism=at_once.get(panel.name, 1)) for panel in in_use),
        subscriptions=(Subscription(InvoicePaid, "boosts.custom_bought", _custom_bought(customs)),),
        jobs=jobs(config, delivery, polling, desk, drafts),
    )
