"""Builds payments from what it depends on."""

from __future__ import annotations

from dataclasses import dataclass

from viralcore.core.clock import Clock
from viralcore.core.db import Database
from viralcore.core.effects import EffectKind
from viralcore.core.events import Subscription
from viralcore.core.figures import FigureReader
from viralcore.core.http import HttpClients
from viralcore.core.jobs import Job
from viralcore.ledger.api import Ledger
from viralcore.payments.adapters.binance import Binance
from viralcore.payments.adapters.coingecko import CoinGecko
from viralcore.payments.adapters.networks import chains
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.ports import Chain, PriceSource
from viralcore.payments.service.assigning import Assigning, StrayWatch
from viralcore.payments.service.booking import Booking
from viralcore.payments.service.claiming import Claiming, VerifyEffect
from viralcore.payments.service.crediting import Crediting
from viralcore.payments.service.door import PaymentsService
from viralcore.payments.service.figures import PaymentFigures
from viralcore.payments.service.finance import FinanceService
from viralcore.payments.service.fulfilment import Fulfilment
from viralcore.payments.service.funding import Funding
from viralcore.payments.service.invoicing import Invoicing
from viralcore.payments.service.pricing import Pricing
from viralcore.payments.service.refunding import Refunding
from viralcore.payments.service.verifying import Verifier
from viralcore.payments.service.watching import Watcher
from viralcore.users.api import Users

PRICES_FIRST, CHAINS_NEXT, THEN_INVOICES, LAST_STRAYS = 10, 20, 30, 40


@dataclass(frozen=True, slots=True)
class Payments:
    """What bootstrap registers. `parts` is for tests of this module alone."""

    service: PaymentsService
    effects: tuple[EffectKind, ...]
    subscriptions: tuple[Subscription, ...]
    jobs: tuple[Job, ...]
    figures: FigureReader
    parts: Parts


@dataclass(frozen=True, slots=True)
class Parts:
    """The inside, for this module's own tests."""

    pricing: Pricing
    invoicing: Invoicing
    crediting: Crediting
    verifier: Verifier
    claiming: Claiming
    watcher: Watcher


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
    key = config.cm_api_key.get_secret_value() if config.cm_api_key else None
    return assemble(
        db=db,
        clock=clock,
        ledger=ledger,
        users=users,
        config=config,
        chains=chains(http, config),
        first=CoinGecko(coingecko, key=key, pro="pro-api" in config.coingecko_base_url),
        second=Binance(binance),
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
) -> Payments:
    """Payments over any chains and price sources."""
    pricing = Pricing(db=db, clock=clock, config=config, first=first, second=second)
    fulfilment = Fulfilment(ledger=ledger)
    booking = Booking(ledger=ledger, config=config, pricing=pricing, fulfilment=fulfilment)
    crediting = Crediting(db=db, config=config, booking=booking)
    verifier = Verifier(db=db, clock=clock, config=config, chains=chains, crediting=crediting, pricing=pricing)
    watcher = Watcher(db=db, config=config, chains=chains, verifier=verifier, crediting=crediting)
    claiming = Claiming(db=db, clock=clock, config=config, verifier=verifier)
    invoicing = Invoicing(
        db=db,
        clock=clock,
        ledger=ledger,
        users=users,
        config=config,
        pricing=pricing,
        fulfilment=fulfilment,
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
    funding = Funding(ledger=ledger, users=users, config=config, invoicing=invoicing)
    service = PaymentsService(
        db=db,
        clock=clock,
        config=config,
        invoicing=invoicing,
        claiming=claiming,
        funding=funding,
        finance=finance,
        ledger=ledger,
    )
    jobs = (
        Job("payments.prices", config.prices.check_seconds, pricing.refresh, order=PRICES_FIRST),
        Job("payments.watch", config.watcher.seconds, watcher.run, order=CHAINS_NEXT),
        Job("payments.invoices", 30, invoicing.expire_due, invoicing.next_expiry, order=THEN_INVOICES),
        Job("payments.strays", config.stray.check_seconds, strays.run, strays.next_due, order=LAST_STRAYS),
    )
    return Payments(
        service=service,
        effects=(VerifyEffect(claiming),),
        subscriptions=(),
        jobs=jobs,
        figures=PaymentFigures(db).read,
        parts=Parts(pricing, invoicing, crediting, verifier, claiming, watcher),
    )
