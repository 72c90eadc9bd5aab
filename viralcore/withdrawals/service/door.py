"""The door for the person who withdraws. Implements `withdrawals.api.Withdrawals`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from viralcore.core.db import Tx
from viralcore.core.errors import NotFound
from viralcore.core.money import Money
from viralcore.withdrawals.api import (
    AccountView,
    BadAccount,
    BankView,
    CheckView,
    QuoteView,
    Source,
    SourceView,
    WithdrawalView,
)
from viralcore.withdrawals.repository import accounts, requests
from viralcore.withdrawals.service.banks import BankList
from viralcore.withdrawals.service.books import BooksService
from viralcore.withdrawals.service.checking import Checking
from viralcore.withdrawals.service.desk import DeskService
from viralcore.withdrawals.service.house import SCOPE, House, page_size
from viralcore.withdrawals.service.requesting import Requesting
from viralcore.withdrawals.service.views import account_view, withdrawal_view, withdrawal_views
from viralcore.withdrawals.service.watch import WatchService

MOST_ACCOUNTS = 10


class WithdrawalsService:
    def __init__(
        self,
        house: House,
        banks: BankList,
        checking: Checking,
        requesting: Requesting,
        desk: DeskService,
        books: BooksService,
        watch: WatchService,
    ) -> None:
        self.desk = desk
        self.books = books
        self.watch = watch
        self._house = house
        self._banks = banks
        self._checking = checking
        self._requesting = requesting

    async def sources(self, *, user_id: int) -> tuple[SourceView, ...]:
        return await self._checking.sources(user_id)

    async def quote(self, *, user_id: int, source: Source, amount: Money) -> QuoteView:
        return await self._checking.quote(user_id, source, amount)

    async def search_banks(self, *, text: str, limit: int = 8) -> tuple[BankView, ...]:
        return await self._banks.search(text, page_size(limit))

    async def bank(self, *, bank_id: int) -> BankView:
        return await self._banks.bank(bank_id)

    async def accounts(self, *, user_id: int) -> tuple[AccountView, ...]:
        async with self._house.db.read() as conn:
            return tuple(account_view(one) for one in await accounts.saved_accounts(conn, user_id, MOST_ACCOUNTS))

    async def forget_account(self, *, key: str, user_id: int, account_id: int) -> None:
        async with self._house.db.transaction() as tx:

            async def run() -> Mapping[str, Any]:
                found = (await accounts.get_accounts(tx.conn, [account_id])).get(account_id)
                if found is None or found.user_id != user_id:
                    raise NotFound(what="account")
                await accounts.forget_account(tx.conn, account_id)
                return {}

            inputs = {"user_id": user_id, "account_id": account_id}
            await tx.once(scope=f"{SCOPE}.forget_account", key=key, inputs=inputs, run=run)

    async def check(
        self, *, key: str, user_id: int, source: Source, amount: Money, bank_id: int, account_number: str
    ) -> CheckView:
        try:
            bank = await self._banks.bank(bank_id)
        except NotFound:
            raise BadAccount(problem="bank") from None
        return await self._checking.check(
            key=key, user_id=user_id, source=source, amount=amount, bank=bank, account_number=account_number
        )

    async def check_saved(self, *, key: str, user_id: int, source: Source, amount: Money, account_id: int) -> CheckView:
        return await self._checking.check_saved(
            key=key, user_id=user_id, source=source, amount=amount, account_id=account_id
        )

    async def get_check(self, *, user_id: int, check_id: int) -> CheckView:
        return await self._checking.get(user_id, check_id)

    async def request(self, *, key: str, user_id: int, check_id: int) -> WithdrawalView:
        return await self._requesting.request(key=key, user_id=user_id, check_id=check_id)

    async def cancel(self, *, key: str, user_id: int, withdrawal_id: int) -> WithdrawalView:
        return await self._requesting.cancel(key=key, user_id=user_id, withdrawal_id=withdrawal_id)

    async def confirm_again(self, *, key: str, user_id: int, withdrawal_id: int, rate: Decimal) -> WithdrawalView:
        return await self._requesting.confirm_again(key=key, user_id=user_id, withdrawal_id=withdrawal_id, rate=rate)

    async def history(
        self, *, user_id: int, before_id: int | None = None, limit: int = 20
    ) -> tuple[WithdrawalView, ...]:
        async with self._house.db.read() as conn:
            found = await requests.history(conn, user_id, before_id=before_id, limit=page_size(limit))
            return await withdrawal_views(conn, self._house.config, found)

    async def get(self, *, user_id: int, withdrawal_id: int) -> WithdrawalView:
        async with self._house.db.read() as conn:
            request = await requests.get(conn, withdrawal_id)
            if request is None or request.user_id != user_id:
                raise NotFound(what="withdrawal")
            return await withdrawal_view(conn, self._house.config, request)

    # --- for whoever rotates the keys --------------------------------------------------------------------------------

    async def rotate(self, tx: Tx, *, after_id: int, limit: int = 200) -> tuple[int, int]:
        """Account numbers under the newest key. (the last id looked at, how many)."""
        rows = await accounts.sealed_accounts(tx.conn, after_id=after_id, limit=limit)
        for account_id, sealed in rows:
            await accounts.reseal(tx.conn, account_id, before=sealed, sealed=self._house.sealing.rotate(sealed))
        return (rows[-1][0] if rows else after_id), len(rows)
