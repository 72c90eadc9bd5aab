"""What every use case of withdrawals stands on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

from viralcore.core.clock import Clock
from viralcore.core.crypto import Cipher
from viralcore.core.db import Connection, Database
from viralcore.core.errors import NotFound
from viralcore.core.one_line import one_line
from viralcore.ledger.api import Ledger
from viralcore.users.api import Users
from viralcore.withdrawals.api import Mode, NoRate, ReasonMissing
from viralcore.withdrawals.config import WithdrawalsConfig
from viralcore.withdrawals.domain.accounts import PURPOSE, identity
from viralcore.withdrawals.domain.states import Account, Request
from viralcore.withdrawals.domain.terms import payout_rate
from viralcore.withdrawals.ports import Origins, Payouts
from viralcore.withdrawals.repository import accounts, requests
from viralcore.withdrawals.repository.attempts import Switches

RIGHT = "withdrawals.decide"
SWITCH = "switches"
LONGEST_PAGE = 100
LONGEST_REASON = 300
SCOPE = "withdrawals"


class Sealing:
    """Account numbers as they are stored: encrypted, and a fingerprint by which equal ones are found. `cipher` None: a
    tool without keys, which can neither take nor show one."""

    def __init__(self, cipher: Cipher | None) -> None:
        self._cipher = cipher

    @property
    def _keys(self) -> Cipher:
        if self._cipher is None:
            raise RuntimeError("account numbers need ENCRYPTION_KEYS and FINGERPRINT_KEY")
        return self._cipher

    def seal(self, number: str) -> str:
        return self._keys.encrypt(number)

    def open(self, account: Account) -> str:
        return self._keys.decrypt(account.sealed)

    def rotate(self, sealed: str) -> str:
        return self._keys.rotate(sealed)

    def print(self, bank_code: str, number: str) -> str:
        return self._keys.fingerprint(PURPOSE, identity(bank_code, number))


@dataclass(frozen=True, slots=True)
class House:
    """What withdrawals is built from. `live`: naira per dollar, None while there is none to trust. `payouts` None:
    there is nobody who pays; everything is paid by hand."""

    db: Database
    clock: Clock
    config: WithdrawalsConfig
    ledger: Ledger
    users: Users
    live: Callable[[], Awaitable[Decimal | None]]
    origins: Origins
    payouts: Payouts | None
    sealing: Sealing

    async def rate(self) -> Decimal | None:
        """What a dollar is paid out at now."""
        return payout_rate(await self.live(), self.config.terms)

    async def dollar(self) -> Decimal:
        """The same, where nothing goes without. Raises NoRate."""
        rate = await self.rate()
        if rate is None:
            raise NoRate()
        return rate

    def mode(self, switches: Switches) -> Mode:
        """The mode in force: what staff switched, else the settings; by hand where there is nobody who pays."""
        return "manual" if self.payouts is None else switches.mode or self.config.mode


async def locked(conn: Connection, withdrawal_id: int) -> Request:
    """Raises NotFound."""
    found = await requests.get(conn, withdrawal_id, hold=True)
    if found is None:
        raise NotFound(what="withdrawal")
    return found


async def account_of(conn: Connection, request: Request) -> Account:
    return (await accounts.get_accounts(conn, [request.account_id]))[request.account_id]


def page_size(limit: int, longest: int = LONGEST_PAGE) -> int:
    return max(1, min(limit, longest))


def wanted(what: str, text: str) -> str:
    """The words of a decision that is not made without them. Raises ReasonMissing."""
    words = one_line(text, LONGEST_REASON)
    if not words:
        raise ReasonMissing(what=what)
    return words
