"""What the service makes of the answers of the ledger's functions, without a database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from viralcore.core.errors import KeyReused, NotFound
from viralcore.ledger import repository
from viralcore.ledger.api import Entry, NewPosting, TrialBalance, house_account, user_account
from viralcore.ledger.service import LedgerService

WALLET = user_account(7, "wallet")
ENTRIES = (Entry(WALLET, 100), Entry(house_account("bank"), -100))


class FakeDb:
    """`reads_own_writes`: the caller is inside a transaction."""

    reads_own_writes = False
    reads = 0

    def together(self, name: str, work: Any) -> Callable[..., Any]:
        async def alone(owner: str) -> Any:
            return f"with others: {owner}"

        return alone

    @asynccontextmanager
    async def read(self) -> AsyncIterator[str]:
        self.reads += 1
        yield "a connection of its own"


def tx() -> Any:
    return SimpleNamespace(conn="the transaction's", now=None, wait_for_disk=lambda: None)


def answering(monkeypatch: pytest.MonkeyPatch, name: str, said: Any) -> None:
    async def answer(*given: Any, **named: Any) -> Any:
        return said(given[0]) if callable(said) else said

    monkeypatch.setattr(repository, name, answer)


def service(db: FakeDb | None = None) -> LedgerService:
    return LedgerService(db or FakeDb())  # type: ignore[arg-type]


@pytest.mark.parametrize(("outcome", "error"), [("no_hold", NotFound), ("key_reused", KeyReused), ("?", KeyReused)])
async def test_what_is_no_posting_raises(monkeypatch: pytest.MonkeyPatch, outcome: str, error: type[Exception]) -> None:
    answering(monkeypatch, "post", (outcome, None, (), {}))
    answering(monkeypatch, "hold_of", (WALLET, 100))
    with pytest.raises(error):
        await service().capture(
            tx(),
            key="k",
            hold_id=1,
            kind="withdrawal",
            entries=(Entry(WALLET, -100), Entry(house_account("fx"), 100)),
            description="paid",
        )


async def test_an_answer_nobody_knows_is_not_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "post_many", [("surprised", None, ())])
    with pytest.raises(RuntimeError, match="surprised"):
        await service().post_many(tx(), [NewPosting("k", "deposit", ENTRIES, "money in")])


async def test_balances_are_read_where_the_caller_s_own_writes_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    db = FakeDb()
    asked = service(db)
    answering(monkeypatch, "balances", lambda conn: f"by {conn}")
    answering(monkeypatch, "balance", lambda conn: f"by {conn}")
    assert await asked.balances(user_id=7) == "with others: user:7"
    db.reads_own_writes = True
    assert await asked.balances(user_id=7) == "by a connection of its own"
    assert await asked.balance(account=WALLET) == "by a connection of its own"
    assert await asked.balance(account=WALLET, tx=tx()) == "by the transaction's"
    assert db.reads == 2


async def test_lots_are_read_inside_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "lots", lambda conn: f"by {conn}")
    answering(monkeypatch, "lots_taken", lambda conn: f"by {conn}")
    assert await service().lots(tx(), account=WALLET) == "by the transaction's"
    assert await service().lots_taken(tx(), key="k") == "by the transaction's"


@pytest.mark.parametrize("balanced", [True, False])
async def test_figures_are_the_trial_balance(monkeypatch: pytest.MonkeyPatch, balanced: bool) -> None:
    asked = service()
    rows = (("user:wallet", "USD", 500), ("house:network:bsc", "USD", -500))

    async def trial() -> TrialBalance:
        return TrialBalance(rows=rows, balanced=balanced)

    monkeypatch.setattr(asked, "trial_balance", trial)
    found = [(one.name, one.value, dict(one.labels or {})) for one in await asked.figures()]
    assert found == [
        ("viralcore_ledger_balanced", int(balanced), {}),
        ("viralcore_ledger_owed_minor", 500, {"account": "wallet", "asset": "USD"}),
        ("viralcore_ledger_house_minor", -500, {"account": "network:bsc", "asset": "USD"}),
    ]


async def test_a_function_that_gives_no_row_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        async def execute(self, statement: str, values: Any) -> Any:
            return self

        async def fetchone(self) -> None:
            return None

    answering(monkeypatch, "raw_connection", lambda conn: Nothing())
    with pytest.raises(RuntimeError, match="no answer"):
        await repository._call(None, "SELECT 1", ())  # type: ignore[arg-type]
