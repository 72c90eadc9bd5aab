"""Builds boosts from its dependencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from viralcore.boosts.adapters.panel import HttpPanel
from viralcore.boosts.config import BoostsConfig
from viralcore.boosts.domain.plans import Catalogue
from viralcore.boosts.jobs import PanelAdd, PanelAsk, care_jobs, crowd_job, jobs
from viralcore.boosts.ports import Panel
from viralcore.boosts.service.boosts import BoostsService
from viralcore.boosts.service.care import Care
from viralcore.boosts.service.claims import Claims
from viralcore.boosts.service.corrections import Corrections
from viralcore.boosts.service.crowd import CrowdService
from viralcore.boosts.service.crowd_engine import CrowdEngine
from viralcore.boosts.service.custom import Customs
from viralcore.boosts.service.delivery import Delivery
from viralcore.boosts.service.drafts import Drafts
from viralcore.boosts.service.engines import Engines, LineEngine
from viralcore.boosts.service.estimates import History
from viralcore.boosts.service.figures import BoostFigures
from viralcore.boosts.service.givebacks import GiveBacks
from viralcore.boosts.service.goods import GoodsDesk
from viralcore.boosts.service.groups import Groups
from viralcore.boosts.service.orders import Orders
from viralcore.boosts.service.panels import PanelDesk
from viralcore.boosts.service.placing import Placing
from viralcore.boosts.service.polling import Polling
from viralcore.boosts.service.replies import RepliesService
from viralcore.boosts.service.reply_pay import ReplyPay
from viralcore.boosts.service.requests import Requests
from viralcore.boosts.service.shelves import Shelves
from viralcore.boosts.service.staff import StaffDesk, StaffEngine
from viralcore.boosts.service.steering import Steering
from viralcore.boosts.service.stuck import Stuck
from viralcore.boosts.service.syncing import Syncing
from viralcore.boosts.service.unspent import Unspent
from viralcore.boosts.subscribers import Subscribers, reply_subscriptions, subscriptions
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
    reply_pay: ReplyPay
    effects: tuple[EffectKind, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    jobs: tuple[Job, ...] = ()


def _custom_bought(customs: Customs) -> Subscription:
    """Hears of paid invoices: a custom plan may have ended while its invoice was open."""

    async def heard(tx: Tx, _: str, event: Event) -> None:
        if isinstance(event, InvoicePaid) and event.item_kind == "credits":
            await customs.bought(tx, event.item_ref, event.invoice_id)

    return Subscription(InvoicePaid, "boosts.custom_bought", heard)


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


def _effects(
    config: BoostsConfig, in_use: Sequence[Panel], delivery: Delivery, requests: Requests
) -> tuple[EffectKind, ...]:
    at_once = {panel.name: panel.parallelism for panel in config.panels}
    adds = [PanelAdd(panel, delivery, parallelism=at_once.get(panel.name, 1)) for panel in in_use]
    return (*adds, *(PanelAsk(panel, requests) for panel in in_use))


def _workers(
    db: Database, config: BoostsConfig, delivery: Delivery, registry: Groups
) -> tuple[CrowdEngine, StaffEngine]:
    """The groups, and the team that stands behind them unless settings say otherwise."""
    team = StaffEngine(config.staff)
    behind = team if config.staff.crowd_lines else None
    return CrowdEngine(db, config.crowd, delivery=delivery, registry=registry, team=behind), team


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        log.warning("plan_warning", warning=warning)


def build(
    *,
    db: Database,
    config: BoostsConfig,
    clients: HttpClients,
    ledger: Ledger,
    users: Users,
    payments: Payments,
    panels: Sequence[Panel] | None = None,
    engines_in_use: Sequence[LineEngine] | None = None,
) -> BoostsModule:
    """`panels`, `engines_in_use`: others than those of the settings, for tests."""
    in_use = http_panels(config, clients) if panels is None else tuple(panels)
    shelves = Shelves(config, [panel.name for panel in in_use])
    desk = PanelDesk(db, config, in_use, shelves)
    back = GiveBacks(ledger, payments)
    delivery = Delivery(db, config, desk, back)
    registry = Groups(db, users, likes_group=config.likes_group)
    crowd, team = _workers(db, config, delivery, registry)
    workers = (crowd, team) if engines_in_use is None else engines_in_use
    engines = Engines(*workers, crowd_falls=config.staff.crowd_lines)
    catalogue = Catalogue(config, engines.channels)
    warnings = catalogue.warnings()
    if not in_use:
        warnings = (*warnings, "no SMM panel has an API key: orders will wait, and be refunded in the end")
    _warn(warnings)
    shelves.on_change(catalogue.lay)
    polling = Polling(db, config, desk, delivery, Corrections(delivery, desk, back))
    placing = Placing(catalogue, engines, delivery)
    customs = Customs(db, catalogue, config.custom, ledger, users, payments)
    drafts = Drafts(db, config, catalogue, customs, placing, ledger, users, shelves)
    history = History(db, config.estimates)
    orders, pay = Orders(db, delivery, engines, users, history), ReplyPay(db, config.replies, ledger, users)
    steering = Steering(db, orders, delivery, engines, history)
    claims = Claims(db, config.crowd, engine=crowd, users=users, max_link_length=config.drafts.max_link_length)
    people = CrowdService(db, registry=registry, claims=claims, engine=crowd)
    goods = GoodsDesk(db, config, catalogue, placing, shelves, payments=payments, users=users)
    staff = StaffDesk(db, config.staff, delivery, users)
    syncing, requests = Syncing(db, config, desk, users), Requests(db, config, desk, users)
    care = Care(db, config, desk, syncing, requests, Stuck(db, config, desk, delivery, users))
    return BoostsModule(
        service=BoostsService(
            db,
            catalogue,
            customs=customs,
            drafts=drafts,
            orders=orders,
            steering=steering,
            care=care,
            payments=payments,
            users=users,
            unspent=Unspent(db, config, shelves),
            goods=goods,
            staff=staff,
            crowd=people,
            replies=RepliesService(db, config.replies, pay, users),
        ),
        warnings=warnings,
        figures=BoostFigures(db, hours=config.schedule.figures_hours).read,
        reply_pay=pay,
        effects=_effects(config, in_use, delivery, requests),
        subscriptions=(
            *subscriptions(Subscribers(goods, crowd)),
            *reply_subscriptions(pay, people),
            _custom_bought(customs),
        ),
        jobs=(
            *jobs(config, delivery, polling, desk, drafts, goods, staff),
            *care_jobs(config, syncing, requests, care, polling),
            crowd_job(config, crowd),
        ),
    )
