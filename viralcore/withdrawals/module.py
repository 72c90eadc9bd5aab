"""Builds withdrawals from what it depends on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

from viralcore.boosts.api import Boosts
from viralcore.core.clock import Clock
from viralcore.core.crypto import Cipher
from viralcore.core.db import Database
from viralcore.core.effects import EffectKind
from viralcore.core.events import Subscription
from viralcore.core.figures import FigureReader
from viralcore.core.http import HttpClients
from viralcore.core.jobs import Job
from viralcore.core.providers.flutterwave import Flutterwave
from viralcore.ledger.api import Ledger
from viralcore.referrals.api import Referrals
from viralcore.users.api import Users
from viralcore.withdrawals.adapters.flutterwave import FlutterwavePayouts
from viralcore.withdrawals.config import WithdrawalsConfig
from viralcore.withdrawals.jobs import jobs
from viralcore.withdrawals.ports import NoOrigins, Origins, Payouts
from viralcore.withdrawals.service.asking import AskEffect, Asking
from viralcore.withdrawals.service.banks import BankList
from viralcore.withdrawals.service.books import BooksService
from viralcore.withdrawals.service.checking import CheckEffect, Checking
from viralcore.withdrawals.service.deciding import Deciding
from viralcore.withdrawals.service.desk import DeskService
from viralcore.withdrawals.service.dispatching import Dispatching
from viralcore.withdrawals.service.door import WithdrawalsService
from viralcore.withdrawals.service.ending import Ending
from viralcore.withdrawals.service.figures import WithdrawalFigures
from viralcore.withdrawals.service.house import House, Sealing
from viralcore.withdrawals.service.judging import Judging
from viralcore.withdrawals.service.origins import ReferralOrigins
from viralcore.withdrawals.service.reconciling import CompareEffect, Reconciling
from viralcore.withdrawals.service.renewing import Renewing
from viralcore.withdrawals.service.requesting import Requesting
from viralcore.withdrawals.service.returning import Returning
from viralcore.withdrawals.service.sending import Sending, TransferEffect
from viralcore.withdrawals.service.settling import Settling
from viralcore.withdrawals.service.solvency import SolvencyWatch
from viralcore.withdrawals.service.watch import WatchService
from viralcore.withdrawals.subscribers import subscriptions


@dataclass(frozen=True, slots=True)
class Parts:
    """The inside, for this module's own tests."""

    banks: BankList
    checking: Checking
    dispatching: Dispatching
    sending: Sending
    settling: Settling
    asking: Asking
    renewing: Renewing
    reconciling: Reconciling
    solvency: SolvencyWatch
    deciding: Deciding


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """What bootstrap registers. `payouts`: the provider, for whoever compares its books with ours."""

    service: WithdrawalsService
    effects: tuple[EffectKind, ...]
    subscriptions: tuple[Subscription, ...]
    jobs: tuple[Job, ...]
    figures: FigureReader
    payouts: Payouts | None
    parts: Parts


def build(
    *,
    db: Database,
    clock: Clock,
    ledger: Ledger,
    users: Users,
    live: Callable[[], Awaitable[Decimal | None]],
    http: HttpClients,
    config: WithdrawalsConfig,
    cipher: Cipher | None,
    referrals: Referrals,
    boosts: Boosts | None = None,
) -> Withdrawals:
    """Withdrawals through Flutterwave, where there is a key. `live`: naira per dollar."""
    payouts: Payouts | None = None
    if config.flutterwave_api_key is not None:
        # The same account and limits as payments has; whoever comes first sets the pace.
        client = http.provider("flutterwave", config.flutterwave_base_url)
        payouts = FlutterwavePayouts(Flutterwave(client, config.flutterwave_api_key), config.payout)
    return assemble(
        db=db,
        clock=clock,
        ledger=ledger,
        users=users,
        live=live,
        config=config,
        cipher=cipher,
        payouts=payouts,
        origins=ReferralOrigins(referrals),
        boosts=boosts,
    )


def assemble(
    *,
    db: Database,
    clock: Clock,
    ledger: Ledger,
    users: Users,
    live: Callable[[], Awaitable[Decimal | None]],
    config: WithdrawalsConfig,
    cipher: Cipher | None,
    payouts: Payouts | None,
    origins: Origins | None = None,
    boosts: Boosts | None = None,
) -> Withdrawals:
    """Withdrawals over any provider."""
    house = House(
        db=db,
        clock=clock,
        config=config,
        ledger=ledger,
        users=users,
        live=live,
        origins=origins or NoOrigins(),
        payouts=payouts,
        sealing=Sealing(cipher),
    )
    banks, checking = BankList(house), Checking(house)
    judging = Judging(house)
    returning = Returning(house, judging)
    ending, dispatching = Ending(house), Dispatching(house, returning)
    settling = Settling(house, ending, dispatching)
    sending = Sending(house, settling, returning)
    asking = Asking(house, settling)
    requesting = Requesting(house, checking, ending, dispatching)
    renewing = Renewing(house, requesting, judging)
    deciding = Deciding(house, ending, dispatching, judging, returning, asking)
    desk = DeskService(house, deciding, dispatching)
    reconciling, solvency = Reconciling(house), SolvencyWatch(house, settling, boosts)
    watch = WatchService(reconciling, solvency)
    service = WithdrawalsService(house, banks, checking, requesting, desk, BooksService(house, settling), watch)
    return Withdrawals(
        service=service,
        effects=(
            CheckEffect(checking),
            TransferEffect(sending, payouts, parallelism=config.sending.at_once),
            AskEffect(asking, parallelism=config.sending.asks_at_once),
            CompareEffect(reconciling),
        ),
        subscriptions=subscriptions(asking),
        jobs=jobs(config, banks, renewing, dispatching, asking, reconciling, solvency),
        figures=WithdrawalFigures(house).read,
        payouts=payouts,
        parts=Parts(banks, checking, dispatching, sending, settling, asking, renewing, reconciling, solvency, deciding),
    )
