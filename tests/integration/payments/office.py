"""Finance at work in the shop: real rights and audit, people, stray money, paid invoices."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests.integration.payments.shop import Shop
from viralcore.core.money import usd
from viralcore.ledger.api import CREDITS, Entry, house_account, user_account
from viralcore.payments.api import InvoiceView, RefundView, StaffReceiptView
from viralcore.users import module as users
from viralcore.users.api import Profile
from viralcore.users.config import UsersConfig

SETTINGS = Path(__file__).parents[3] / "settings/users.toml"
BOSS, CLERK, HELPER, ADA, BEN = 1000, 1001, 1002, 7, 8


class Office(Shop):
    """A shop whose users are real: BOSS owns it, CLERK is finance, HELPER support; ADA and BEN buy."""

    async def start(self) -> Office:
        config = UsersConfig.model_validate(tomllib.loads(SETTINGS.read_text()))
        self.people = users.build(self.db, self.clock, config).service
        finance = self.door.finance
        finance._assigning._users = self.people
        finance._refunding._users = self.people
        for user_id, name in ((BOSS, "Olu"), (CLERK, "Sade"), (HELPER, "Tunde"), (ADA, "Ada"), (BEN, "Ben")):
            await self.people.meet(key=f"m{user_id}", profile=Profile(user_id, name, name.lower()))
        await self.people.ensure_owners([BOSS])
        for user_id, role in ((CLERK, "finance"), (HELPER, "support")):
            await self.people.grant_role(key=f"g{user_id}", actor=0, user_id=user_id, role=role, reason="test")  # type: ignore[arg-type]
        await self.sessions()
        await super().start()
        return self

    async def sessions(self) -> None:
        for user_id in (BOSS, CLERK, HELPER):
            await self.people.open_session(key=self.key(), actor=user_id)

    async def stray(self, amount: str = "20", asset: str = "USDT") -> int:
        """Money nobody's invoice explains; its receipt."""
        self.send(amount, asset)
        await self.watch()
        return (await self.door.finance.list_receipts(limit=1))[0].receipt.id

    async def give_wallet(self, receipt: int, user: int = ADA, **named: Any) -> StaffReceiptView:
        facts = {"key": self.key(), "actor": CLERK, "reason": "she wrote to us", **named}
        return await self.door.finance.assign_to_wallet(receipt_id=receipt, user_id=user, **facts)

    async def give_invoice(self, receipt: int, invoice: int, **named: Any) -> StaffReceiptView:
        facts = {"key": self.key(), "actor": CLERK, "reason": "she wrote to us", **named}
        return await self.door.finance.assign_to_invoice(receipt_id=receipt, invoice_id=invoice, **facts)

    async def refund(self, invoice: int, amount: str, seen: str = "0", **named: Any) -> RefundView:
        facts = {"key": self.key(), "actor": CLERK, "reason": "not happy", **named}
        return await self.door.finance.refund(invoice_id=invoice, amount=usd(amount), seen=usd(seen), **facts)

    async def most(self, invoice: int) -> int:
        return (await self.door.finance.invoice(invoice_id=invoice)).most.minor

    async def bought(self, user: int = ADA, *, wallet: int = 1500, bonus: int = 0, **more: Any) -> InvoiceView:
        """An invoice paid from the wallet, with so much money."""
        if wallet:
            await self.give(user, wallet)
        if bonus:
            await self.give(user, bonus, "wallet_bonus")
        invoice = await self.open(user, **more)
        return await self.door.pay_from_wallet(key=self.key(), user_id=user, invoice_id=invoice.id)

    async def use(self, posts: int, user: int = ADA, asset: str = "t3") -> str:
        """Orders take credits; the key of the posting."""
        key = f"boost:{self.key()}"
        legs = (
            Entry(user_account(user, CREDITS, asset), -posts),
            Entry(house_account("credits_used", asset), posts),
        )
        async with self.db.transaction() as tx:
            await self.ledger.post(tx, key=key, kind="boost", entries=legs, description="orders")
        return key

    async def come_back(self, posts: int = 1, price: str = "1.50", user: int = ADA) -> None:
        """Cancelled orders give credits back, each by itself."""
        for _ in range(posts):
            legs = (
                Entry(user_account(user, CREDITS, "t3"), 1, Decimal(price)),
                Entry(house_account("credits_used", "t3"), -1),
            )
            async with self.db.transaction() as tx:
                await self.ledger.post(
                    tx, key=f"return:{self.key()}", kind="refund", entries=legs, description="cancelled"
                )

    async def bonus(self, user: int = ADA) -> int:
        return (await self.ledger.balance(account=user_account(user, "wallet_bonus"))).balance

    async def audit(self, action: str) -> list[dict[str, Any]]:
        query = "SELECT actor, subject, before, after, reason FROM users.audit_log WHERE action = :action ORDER BY id"
        async with self.db.read() as conn:
            return [dict(row._mapping) for row in await conn.execute(text(query), {"action": action})]
