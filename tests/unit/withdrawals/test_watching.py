"""Comparing, solvency, terms, questions and decisions where what was there is gone, and how the module is put
together."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from tests.support.withdrawals import CIPHER, FakePayouts, settings
from tests.unit.withdrawals.backroom import FakeDb, FakeUsers, OneByOne, Said, Statements, house, kinds, row
from tests.unit.withdrawals.rows import NOW, account, attempt, check, request
from viralcore.core.effects import Refused, Succeeded
from viralcore.core.errors import NotFound
from viralcore.core.money import NGN, Money, usd
from viralcore.withdrawals import module
from viralcore.withdrawals.domain.comparing import Theirs
from viralcore.withdrawals.domain.states import Terms
from viralcore.withdrawals.ports import BankRow, TransferPage
from viralcore.withdrawals.repository import accounts, attempts, comparing, requests
from viralcore.withdrawals.repository.attempts import Switches
from viralcore.withdrawals.service.banks import BankList
from viralcore.withdrawals.service.checking import Checking
from viralcore.withdrawals.service.deciding import Deciding
from viralcore.withdrawals.service.judging import Judging
from viralcore.withdrawals.service.listing import Listing
from viralcore.withdrawals.service.reconciling import Reconciling
from viralcore.withdrawals.service.renewing import Renewing
from viralcore.withdrawals.service.requesting import Requesting
from viralcore.withdrawals.service.solvency import SolvencyWatch


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Statements:
    return Statements(monkeypatch)


class OnePage(FakePayouts):
    async def page(self, *, since: Any, until: Any, page: int) -> TransferPage:
        return TransferPage((), 1, 1, unread=2)


# --- comparing --------------------------------------------------------------------------------------------------------


async def test_when_the_next_comparison_is_due() -> None:
    assert await Reconciling(house(payouts=None)).next_due() is None
    made = house()
    at_hour = made.config.reconciliation.at_hour
    made.clock.set(NOW.replace(hour=at_hour, minute=0))
    assert await Reconciling(made).next_due() == NOW.replace(hour=at_hour) + timedelta(days=1)
    made.clock.set(NOW.replace(hour=at_hour) - timedelta(seconds=1))
    assert await Reconciling(made).next_due() == NOW.replace(hour=at_hour)


async def test_nobody_pays_nothing_is_read() -> None:
    assert await Reconciling(house(payouts=None)).asked() == Refused("no_provider")


async def test_the_day_is_asked_for_once_by_two_processes(said: Statements) -> None:
    made = house()
    made.clock.set(NOW.replace(hour=23))
    said.answer(comparing, last_day=None, add=OneByOne.of(5, None))
    for _ in range(2):
        await Reconciling(made).daily()
    assert [effect["key"] for effect in made.db.tx.effects] == ["5"]


async def test_rows_that_cannot_be_read_are_left_out() -> None:
    made = house(payouts=OnePage(lambda: NOW))
    since, theirs = await Listing(made, made.payouts).theirs(NOW.date())
    assert (theirs, since) == ([], NOW.date() - timedelta(days=made.config.reconciliation.days))


async def test_ours_that_are_only_in_their_list_are_looked_up(said: Statements) -> None:
    stored = attempt(provider_id="9", fee=None)
    known = {name: getattr(stored, name) for name in ("id", "n", "reference", "state", "provider_id", "fee")}
    said.answer(attempts, page=[], one_with_net=row(**known, request_id=1, net=100, sent_at=NOW, ended_at=None))
    listed = Theirs("9", stored.reference, "successful", Money(100, NGN), "0032", NOW)
    (found,) = await Reconciling(house())._ours(NOW.date(), [listed])
    assert (found.reference, found.net) == (stored.reference, Money(100, NGN))


async def test_a_comparison_ends_once(said: Statements) -> None:
    made = house()
    said.answer(comparing, count_open=0, end=OneByOne.of(True, False), get=None)
    for _ in range(2):
        await Reconciling(made).recorded(made.db.tx, 1, Refused("http_503"))
    assert kinds(made.db.tx.recorded) == ["ComparisonEnded"]


async def test_what_nobody_found_is_not_there(said: Statements) -> None:
    books = Reconciling(house())
    said.answer(comparing, difference=None, get=None, add=None, count_open=0)
    with pytest.raises(NotFound):
        await books.difference(difference_id=1)
    with pytest.raises(NotFound):
        await books.accept(key="k", actor=1, difference_id=1, reason="it is ours")
    said.answer(comparing, add=1)
    with pytest.raises(NotFound):
        await books.compare_now(key="k", actor=1)
    assert await books.comparison(None) is None


# --- solvency ---------------------------------------------------------------------------------------------------------


class FakeBoosts:
    def __init__(self, *panels: tuple[str, str | None, str, float | None]) -> None:
        self._panels = panels

    async def unspent(self) -> Money:
        return usd("3.21")

    async def panels(self) -> tuple[Any, ...]:
        return tuple(
            SimpleNamespace(
                name=name,
                balance=None if balance is None else Decimal(balance),
                currency=currency,
                checked_at=None if hours is None else NOW - timedelta(hours=hours),
            )
            for name, balance, currency, hours in self._panels
        )


async def test_a_panel_counts_while_its_balance_is_fresh_and_in_dollars() -> None:
    stale = settings().solvency.stale_hours
    boosts = FakeBoosts(
        ("good", "7.899", "USD", stale),
        ("old", "7", "USD", stale + 0.01),
        ("never", "7", "USD", None),
        ("unread", None, "USD", 0),
        ("rupees", "7", "INR", 0),
    )
    owed: dict[str, Money] = {}
    held: dict[str, Money] = {}
    unread = await SolvencyWatch(house(), Said(), boosts)._panels(owed, held)  # type: ignore[arg-type]
    assert (owed, held) == ({"orders": usd("3.21")}, {"good": usd("7.89")})
    assert unread == ("old", "never", "unread", "rupees")


async def test_what_is_owed_and_held_by_the_books() -> None:
    rows = (
        ("user:wallet", "USD", 500),
        ("user:credits", "t3", 9),
        ("user:reply", "NGN", -1),
        ("house:suspense", "USD", 7),
        ("house:suspense", "NGN", 0),
        ("house:network:bsc", "USD", -300),
        ("house:network:bank:flutterwave", "USD", -1),
        ("house:network:bsc", "NGN", -9),
    )
    made = house(ledger=Said(trial_balance=SimpleNamespace(rows=rows)))
    owed, held = await SolvencyWatch(made, Said(), None)._ledger()  # type: ignore[arg-type]
    assert (owed, held) == ({"wallet USD": usd(5), "suspense": usd("0.07")}, {"bsc": usd(3)})


async def test_nothing_is_told_before_the_first_look(said: Statements) -> None:
    said.answer(comparing, get_solvency=None)
    assert await SolvencyWatch(house(), Said(), None).view() is None  # type: ignore[arg-type]


# --- terms ------------------------------------------------------------------------------------------------------------


def renewing(asks: Said) -> tuple[Renewing, Any]:
    made = house()
    return Renewing(made, asks, Judging(made)), made  # type: ignore[arg-type]


async def test_all_that_wait_are_looked_at_and_one_that_breaks_stops_none(
    said: Statements, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viralcore.withdrawals.service.renewing.BATCH", 2)
    job, _ = renewing(Said())
    pages = OneByOne.of([request(), request(id=2)], [request(id=3)])
    said.answer(requests, pending=pages, get=OneByOne.of(None, request(state="rejected")))  # the first is gone
    await job.run()
    assert [named["after_id"] for named in said.changes("pending")] == [0, 2]
    assert len(said.changes("get")) == 3


async def test_what_is_decided_meanwhile_has_no_new_terms(said: Statements) -> None:
    asks = Said()
    job, made = renewing(asks)
    said.answer(requests, get=request(state="approved", asked_at=NOW - timedelta(days=30)))
    await job._one(1)
    assert (asks.names(), made.db.tx.recorded) == ([], [])


async def test_terms_that_leave_nothing_are_not_offered(said: Statements) -> None:
    made = house()
    said.answer(requests, set_values=None)
    old = request(terms_at=NOW - timedelta(days=9), amount=1, terms=Terms(Decimal(2000), 2000, 1500))
    assert await Judging(made).judge(made.db.tx, old) == "age"
    assert (said.changes("set_values"), made.db.tx.recorded) == ([], [])


# --- questions --------------------------------------------------------------------------------------------------------


async def test_a_question_that_is_answered_is_not_asked_again(said: Statements) -> None:
    made = house()
    said.answer(accounts, get_check=check(state="ready"), get_accounts={1: account()}, decide_check=True)
    assert await Checking(made).asked(1) == Succeeded()
    await Checking(made).answered(made.db.tx, 1, Succeeded({"holder": "X", "fee": 1}))
    said.answer(accounts, get_check=None)
    await Checking(made).answered(made.db.tx, 1, Refused("not_found"))
    assert (said.changes("decide_check"), made.db.tx.recorded) == ([], [])
    with pytest.raises(RuntimeError, match="vanished"):
        await Checking(made).asked(1)


@pytest.mark.parametrize(("fee", "state"), [(2_999_999, "ready"), (3_000_000, "failed")])
async def test_a_fee_that_leaves_nothing(said: Statements, fee: int, state: str) -> None:
    made = house()
    said.answer(accounts, get_check=check(), decide_check=True)
    await Checking(made).answered(made.db.tx, 1, Succeeded({"holder": "X", "fee": fee}))
    assert [event.state for event in made.db.tx.recorded] == [state]


async def test_a_list_of_banks_that_is_too_short_replaces_nothing(said: Statements) -> None:
    made = house()
    said.answer(attempts, get_desk=Switches(None, False, False, "", None), lock_desk=None, turn=None)
    said.answer(accounts, replace_banks=None)
    rows = tuple(BankRow(n, f"{n:03}", "A") for n in range(made.config.banks.fewest - 1))
    made.payouts.banks = Said(banks=rows).banks
    await BankList(made).refresh()
    assert said.changes("replace_banks") == []
    made.payouts.banks = Said(banks=(*rows, BankRow(999, "999", "B"))).banks
    await BankList(made).refresh()
    assert len(said.changes("replace_banks")) == 1


# --- decisions --------------------------------------------------------------------------------------------------------


def deciding(asks: Said) -> Deciding:
    return Deciding(house(), Said(), Said(), Said(), Said(), asks)  # type: ignore[arg-type]


async def test_without_an_attempt_there_is_nothing_to_ask_about_or_to_end(said: Statements) -> None:
    asks = Said()
    said.answer(requests, get=request(state="unconfirmed"))
    said.answer(attempts, of=[])
    await deciding(asks).ask_now(key="k", actor=1, withdrawal_id=1)
    assert asks.names() == []
    with pytest.raises(RuntimeError, match="without an attempt"):
        await deciding(asks).resolve(
            key="k", actor=1, withdrawal_id=1, decision="paid", reference="r", reason="seen at the bank"
        )


@pytest.mark.parametrize(("state", "changed"), [("failed", True), ("unknown", False)])
async def test_an_attempt_that_is_not_open_is_not_ended_by_hand(said: Statements, state: str, changed: bool) -> None:
    found = attempt(state=state)
    said.answer(requests, get=request(state="unconfirmed"))
    said.answer(attempts, of=[found], get=found, change=changed)
    with pytest.raises(RuntimeError, match="was not open"):
        await deciding(Said()).resolve(
            key="k", actor=1, withdrawal_id=1, decision="paid", reference="r", reason="seen at the bank"
        )


@pytest.mark.parametrize("found", [None, request(user_id=8)])
async def test_a_withdrawal_of_somebody_else_is_not_there(said: Statements, found: Any) -> None:
    made = house()
    said.answer(requests, get=found)
    asked = Requesting(made, Said(), Said(), Said())  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        await asked._view(made.db.tx, 7, 1)


# --- statements that must hit -----------------------------------------------------------------------------------------


class Missing:
    """A connection whose updates hit nothing."""

    async def execute(self, statement: Any) -> Any:
        return row(rowcount=0)


async def test_a_withdrawal_moves_only_where_it_may_and_was() -> None:
    with pytest.raises(ValueError, match="never goes"):
        await requests.move(Missing(), request(state="completed"), "failed")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="was not processing"):
        await requests.move(Missing(), request(), "completed")  # type: ignore[arg-type]


# --- the module -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, SecretStr("key")])
async def test_without_a_key_nobody_pays(key: SecretStr | None) -> None:
    made = house()
    built = module.build(
        db=FakeDb(),  # type: ignore[arg-type]
        clock=made.clock,
        ledger=made.ledger,
        users=FakeUsers(),  # type: ignore[arg-type]
        live=made.live,
        http=SimpleNamespace(provider=lambda name, url: SimpleNamespace()),  # type: ignore[arg-type]
        config=settings(flutterwave_api_key=key),
        cipher=CIPHER,
        referrals=SimpleNamespace(),
    )
    assert (built.payouts is None) is (key is None)


def test_money_in_settings_is_written_exactly() -> None:
    with pytest.raises(ValidationError, match="exact decimal"):
        settings(reconciliation={"tolerance": 0.5})
