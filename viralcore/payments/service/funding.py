"""What people put into their wallet themselves: top-ups, and money moved in from the affiliate balance."""

from __future__ import annotations

from typing import Any

from viralcore.core.db import Tx
from viralcore.core.money import USD, Money, exact
from viralcore.ledger.api import AFFILIATE, BONUS, Entry, InsufficientFunds, Ledger, user_account
from viralcore.payments.api import BadAmount, Item, WalletOffer
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.service.invoicing import Invoicing
from viralcore.users.api import Users

TOPUP = Item(kind="topup", ref="topup", title="Wallet top-up")


class Funding:
    """Opens invoices through `Invoicing`; moves money by one posting."""

    def __init__(self, *, ledger: Ledger, users: Users, config: PaymentsConfig, invoicing: Invoicing) -> None:
        self._ledger = ledger
        self._users = users
        self._config = config.wallet
        self._invoicing = invoicing

    def offer(self) -> WalletOffer:
        return WalletOffer(
            minimum=exact(self._config.minimum, USD),
            maximum=exact(self._config.maximum, USD),
            presets=tuple(exact(preset, USD) for preset in self._config.presets),
            shares=self._config.shares,
        )

    async def top_up(self, tx: Tx, *, key: str, user_id: int, amount: Money) -> int:
        """The invoice's id. Raises BadAmount, TooManyInvoices, users Blocked."""
        offer = self.offer()
        if not offer.minimum <= amount <= offer.maximum:
            raise BadAmount(minimum=offer.minimum.minor, maximum=offer.maximum.minor)
        return await self._invoicing.open(
            tx, key=key, user_id=user_id, item=TOPUP, quantity=1, unit_price=amount.decimal, grants=()
        )

    async def move(self, tx: Tx, *, key: str, user_id: int, amount: Money) -> Money:
        """Affiliate money becomes bonus money: it pays no commission twice. Raises BadAmount, ledger InsufficientFunds,
        users Blocked."""
        if amount.asset != USD or amount.minor <= 0:
            raise BadAmount(minimum=1, maximum=exact(self._config.maximum, USD).minor)
        affiliate, bonus = user_account(user_id, AFFILIATE), user_account(user_id, BONUS)

        async def run() -> dict[str, Any]:
            await self._users.require_active(tx, user_id=user_id)
            available = (await self._ledger.balance(account=affiliate, tx=tx)).available
            if available < amount.minor:
                raise InsufficientFunds(account=AFFILIATE, asset=USD, available=available, needed=amount.minor)
            await self._ledger.post(
                tx,
                key=f"payments.move:{user_id}:{key}",
                kind="transfer",
                entries=[Entry(affiliate, -amount.minor), Entry(bonus, amount.minor)],
                description="Moved from the affiliate balance to the wallet",
            )
            return {"moved": amount.minor}

        inputs = {"user_id": user_id, "amount": amount.minor}
        done = await tx.once(scope="payments.move_to_wallet", key=key, inputs=inputs, run=run)
        return Money(int(done["moved"]), USD)
