"""The figures of payments: money that came in by network and outcome, claims, invoices, prices."""

from __future__ import annotations

from viralcore.core.db import Database
from viralcore.core.figures import Figure
from viralcore.payments.repository import bank, figures

_PAYMENTS = "Transfers that arrived: exact, tolerated, shortfall, excess, late (all credited), stray (in suspense)"
_WORTH = "What they were worth when they arrived, in cents"
_CLAIMS = "Hashes people named, by what became of them; refused and not_found are rejected"
_INVOICES = "Invoices by state and what they were paid with"
_ACCOUNTS = "Accounts asked of the bank: open (it gave one), failed (why), requested (not answered yet)"
_PRICE = "1 while a coin can be sold for: its price is fresh and the sources agree"


class PaymentFigures:
    """Reads the tables of payments."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def read(self) -> tuple[Figure, ...]:
        """All of them."""
        found: list[Figure] = []
        async with self._db.read() as conn:
            for network, asset, outcome, count, cents in await figures.receipts_by_outcome(conn):
                labels = {"network": network, "asset": asset, "outcome": outcome}
                found.append(Figure("viralcore_payments_total", _PAYMENTS, count, labels))
                found.append(Figure("viralcore_payments_usd_cents_total", _WORTH, cents, labels))
            for network, state, count in await figures.claims_by_state(conn):
                found.append(Figure("viralcore_claims", _CLAIMS, count, {"network": network, "state": state}))
            for method, state, count in await figures.invoices_by_state(conn):
                found.append(Figure("viralcore_invoices", _INVOICES, count, {"method": method, "state": state}))
            for state, reason, count in await bank.charges_by_state(conn):
                labels = {"state": state, "reason": reason}
                found.append(Figure("viralcore_bank_accounts", _ACCOUNTS, count, labels))
            for coin, state in await figures.price_states(conn):
                found.append(Figure("viralcore_price_ok", _PRICE, int(state == "ok"), {"coin": coin}))
        return tuple(found)
