"""What the clock calls: banks, terms, transfers that may go, and what became of those that went."""

from __future__ import annotations

from viralcore.core.jobs import Job
from viralcore.withdrawals.config import WithdrawalsConfig
from viralcore.withdrawals.service.asking import Asking
from viralcore.withdrawals.service.banks import BankList
from viralcore.withdrawals.service.dispatching import Dispatching
from viralcore.withdrawals.service.reconciling import Reconciling
from viralcore.withdrawals.service.renewing import Renewing
from viralcore.withdrawals.service.solvency import SolvencyWatch

READINGS, TERMS, SEND, ASK, COMPARE = 25, 45, 55, 65, 75


def jobs(
    config: WithdrawalsConfig,
    banks: BankList,
    renewing: Renewing,
    dispatching: Dispatching,
    asking: Asking,
    reconciling: Reconciling,
    solvency: SolvencyWatch,
) -> tuple[Job, ...]:
    sending = config.sending
    return (
        Job("withdrawals.banks", 60 * config.banks.retry_minutes, banks.refresh, order=READINGS),
        Job("withdrawals.terms", config.terms.look_seconds, renewing.run, order=TERMS),
        Job("withdrawals.dispatch", sending.dispatch_seconds, dispatching.run, dispatching.next_due, order=SEND),
        Job("withdrawals.poll", sending.poll_seconds, asking.poll, asking.next_poll, order=ASK),
        Job("withdrawals.compare", 3600, reconciling.daily, reconciling.next_due, order=COMPARE),
        Job("withdrawals.solvency", 60 * config.solvency.check_minutes, solvency.look, order=COMPARE),
    )
