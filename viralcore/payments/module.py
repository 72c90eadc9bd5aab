"""Builds payments from what it depends on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import structlog
from pydantic import SecretStr
from starlette.routing import Route

from viralcore.core.clock import Clock
from viralcore.core.db import Database
from viralcore.core.effects import EffectKind
from viralcore.core.events import Subscription
from viralcore.core.figures import FigureReader
from viralcore.core.http import HttpClients
from viralcore.core.inbox import Inbox
from viralcore.core.jobs import Job
from viralcore.core.metrics import Metrics
from viralcore.core.providers.flutterwave import Flutterwave
from viralcore.ledger.api import Ledger
from viralcore.payments.adapters.bank import FlutterwaveBank
from viralcore.payments.adapters.binance import Binance
from viralcore.payments.adapters.coingecko import CoinGecko
from viralcore.payments.adapters.exchange_rate import ExchangeRate
from viralcore.payments.adapters.networks import chains
from viralcore.payments.adapters.webhook import Webhook
from viralcore.payments.config import Bank as BankSettings
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.ports import Bank, Chain, FxSource, PriceSource
from viralcore.payments.service.assigning import Assigning, StrayWatch
from viralcore.payments.service.bank_crediting import BankCrediting
from viralcore.payments.service.bank_watching import BankWatcher, VerifyPaymentEffect
from viralcore.payments.service.booking import Booking
from viralcore.payments.service.charging import ChargeEffect, Charging
from viralcore.payments.service.claiming import Claiming, VerifyEffect
from viralcore.payments.service.crediting import Crediting
from viralcore.payments.service.door import PaymentsService
from viralcore.payments.service.exchange import Exchange
from viralcore.payments.service.figures import PaymentFigures
from viralcore.payments.service.finance import FinanceService
from viralcore.payments.service.fulfilment import Fulfilment
from viralcore.payments.service.funding import Funding
from viralcore.payments.service.hooks import SOURCE, Hooks
from viralcore.payments.service.invoicing import Invoicing
from viralcore.payments.service.pricing import Pricing
from viralcore.payments.service.proofs import Proofs
from viralcore.payments.service.refunding import Refunding
from viralcore.payments.service.returning import Returning
from viralcore.payments.service.verifying import Verifier
from viralcore.payments.service.watching import Watcher
from viralcore.users.api import Users

log = structlog.get_logger(__name__)

PRICES_FIRST, CHAINS_NEXT, THEN_INVOICES, THEN_STRAYS, LAST = 10, 20, 30, 40, 900


@dataclass(frozen=True, slots=True)
class Payments:
    """What bootstrap registers. `parts` is for tests of this module alone."""

    service: PaymentsService
    effects: tuple[EffectKind, ...]
    subscriptions: tuple[Subscription, ...]
    jobs: tuple[Job, ...]
    figures: FigureReader
    parts: Parts
    webhook_secret: SecretStr | None

    def listen(self, inbox: Inbox, metrics: Metrics) -> Route:
        """Handle what Flutterwave tells us; the route it tells it to."""
        hooks = self.parts.naira.hooks
        inbox.handle(SOURCE, hooks.handle)
        accept = partial(hooks.accept, inbox)
        return Webhook(accept, secret=self.webhook_secret, source=SOURCE, metrics=metrics).route


@dataclass(frozen=True, slots=True)
class Parts:
    """The inside, for this module's own tests."""

    pricing: Pricing
    invoicing: Invoicing
    crediting: Crediting
    verifier: Verifier
    claiming: Claiming
    watcher: Watcher
    exchange: Exchange
    naira: Naira


@dataclass(frozen=True, slots=True)
class Naira:
    """Everything about bank transfers."""

    charging: Charging
    crediting: BankCrediting
    watcher: BankWatcher
    hooks: Hooks
    proofs: Proofs

    def effects(self, settings: BankSettings) -> tuple[EffectKind, ...]:
        return ChargeEffect(self.charging), VerifyPaymentEffect(self.watcher, parallelism=settings.verify_at_once)

    def jobs(self, settings: BankSettings) -> tuple[Job, ...]:
        look = self.watcher
        return (
            Job("payments.bank_poll", settings.poll_seconds, look.poll, look.next_poll, order=CHAINS_NEXT),
            Job("payments.webhooks", 86400, self.hooks.prune, order=LAST),
        )


def build(
    *,
    db: Database,
    clock: Clock,
    ledger: Ledger,
    users: Users,
    http: HttpClients,
    config: PaymentsConfig,
) -> Payments:
    """Payments over the real chain and price sources named in `config`."""
    coingecko = http.provider("coingecko", config.coingecko_base_url, connect_timeout=5, read_timeout=10)
    binance = http.provider("binance", config.price_second_base_url, connect_timeout=5, read_timeout=10)
    rates = http.provider("exchangerate", config.exchange_url, connect_timeout=5, read_timeout=10)
    key = config.cm_api_key.get_secret_value() if config.cm_api_key else None
    naira = config.bank.manual or config.flutterwave_api_key is not None
    fx_key = config.exchange_api_key.get_secret_value() if config.exchange_api_key else None
    return assemble(
        db=db,
        clock=clock,
        ledger=ledger,
        users=users,
        config=config,
        chains=chains(http, config),
        first=CoinGecko(coingecko, key=key, pro="pro-api" in config.coingecko_base_url),
        second=Binance(binance),
        fx=ExchangeRate(rates, key=fx_key) if naira else None,
        bank=_bank(http, config),
    )


def assemble(
    *,
    db: Database,
    clock: Clock,
    ledger: Ledger,
    users: Users,
    config: PaymentsConfig,
    chains: dict[str, Chain],
    first: PriceSource,
    second: PriceSource,
    fx: FxSource | None = None,
    bank: Bank | None = None,
) -> Payments:
    """Payments over any chains, price sources and bank."""
    exchange = Exchange(db=db, clock=clock, config=config, source=fx)
    pricing = Pricing(db=db, clock=clock, config=config, first=first, second=second, exchange=exchange)
    fulfilment = Fulfilment(ledger=ledger)
    booking = Booking(ledger=ledger, config=config, pricing=pricing, fulfilment=fulfilment)
    crediting = Crediting(db=db, config=config, booking=booking)
    verifier = Verifier(db=db, clock=clock, config=config, chains=chains, crediting=crediting, pricing=pricing)
    watcher = Watcher(db=db, config=config, chains=chains, verifier=verifier, crediting=crediting)
    claiming = Claiming(db=db, clock=clock, config=config, verifier=verifier)
    naira = _naira(db, clock, users, config, booking, bank)
    invoicing = Invoicing(
        db=db,
        clock=clock,
        ledger=ledger,
        users=users,
        config=config,
        pricing=pricing,
        fulfilment=fulfilment,
        charging=naira.charging,
        watched=chains,
    )
    finance = FinanceService(
        db=db,
        clock=clock,
        config=config,
        assigning=Assigning(config=config, users=users, booking=booking, crediting=crediting),
        refunding=Refunding(ledger=ledger, users=users),
    )
    strays = StrayWatch(db=db, config=config)
    service = PaymentsService(
        db=db,
        clock=clock,
        config=config,
        invoicing=invoicing,
        claiming=claiming,
        funding=Funding(ledger=ledger, users=users, config=config, invoicing=invoicing),
        finance=finance,
        ledger=ledger,
        bank=naira.watcher,
        proofs=naira.proofs,
        exchange=exchange,
        returning=Returning(ledger=ledger),
    )
    jobs = (
        Job("payments.prices", config.prices.check_seconds, pricing.refresh, order=PRICES_FIRST),
        Job("payments.watch", config.watcher.seconds, watcher.run, order=CHAINS_NEXT),
        Job("payments.invoices", 30, invoicing.expire_due, invoicing.next_expiry, order=THEN_INVOICES),
        Job("payments.strays", config.stray.check_seconds, strays.run, strays.next_due, order=THEN_STRAYS),
        Job("payments.fx", config.prices.check_seconds, exchange.refresh, order=PRICES_FIRST),
        *naira.jobs(config.bank),
    )
    parts = Parts(pricing, invoicing, crediting, verifier, claiming, watcher, exchange, naira)
    return Payments(
        service=service,
        effects=(VerifyEffect(claiming), *naira.effects(config.bank)),
        subscriptions=(),
        jobs=jobs,
        figures=PaymentFigures(db).read,
        parts=parts,
        webhook_secret=config.flutterwave_webhook_secret,
    )


def _naira(
    db: Database, clock: Clock, users: Users, config: PaymentsConfig, booking: Booking, bank: Bank | None
) -> Naira:
    crediting = BankCrediting(db=db, config=config, booking=booking)
    watcher = BankWatcher(db=db, clock=clock, config=config, bank=bank, crediting=crediting)
    return Naira(
        charging=Charging(db=db, clock=clock, config=config, bank=bank),
        crediting=crediting,
        watcher=watcher,
        hooks=Hooks(db=db, clock=clock, config=config, watcher=watcher),
        proofs=Proofs(db=db, users=users, crediting=crediting),
    )


def _bank(http: HttpClients, config: PaymentsConfig) -> Bank | None:
    """Flutterwave, where there is a key. Also while bank payments are switched off: what was asked for may come."""
    if config.flutterwave_api_key is None:
        return None
    if config.flutterwave_webhook_secret is None:
        log.warning(
            "no_webhook_secret", consequence="webhooks are refused; payments by bank are found by polling alone"
        )
    client = http.provider(
        "flutterwave",
        config.flutterwave_base_url,
        pace_per_second=config.bank.requests_per_second,
        parallelism=config.bank.requests_at_once,
        connect_timeout=config.bank.connect_seconds,
        read_timeout=config.bank.read_seconds,
    )
    return FlutterwaveBank(Flutterwave(client, config.flutterwave_api_key))
