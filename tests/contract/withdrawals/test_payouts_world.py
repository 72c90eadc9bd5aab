"""The paying adapter against the simulated bank, over real loopback HTTP: every way a transfer can go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from tests.support.clock import FakeClock
from tests.support.worlds import control_client, seeded, served
from tests.unit.withdrawals.payout_settings import BANKS, PAYOUT
from viralcore.core.http import HttpClients
from viralcore.core.money import Money, ngn
from viralcore.core.nursery import Nursery
from viralcore.core.providers.flutterwave import Flutterwave
from viralcore.sandbox.worlds.flutterwave import FlutterwaveWorld
from viralcore.sandbox.worlds.flutterwave_payouts import ENDS
from viralcore.withdrawals.adapters.flutterwave import FlutterwavePayouts
from viralcore.withdrawals.domain.banks import Bank, BankIndex
from viralcore.withdrawals.ports import (
    Declined,
    DuplicateReference,
    NotResolved,
    NotSent,
    PayoutsDown,
    Queued,
    Resolved,
    SendOutcome,
    Silent,
)

AMOUNT = ngn("14500.25")


@dataclass
class Town:
    clock: FakeClock
    world: FlutterwaveWorld
    payouts: FlutterwavePayouts

    async def faults(self, **body: Any) -> None:
        async with control_client(self.world) as http:
            assert (await http.post("/sandbox/bank", json=body)).status_code == 200

    async def decide(self, reference: str, status: str, message: str = "") -> None:
        async with control_client(self.world) as http:
            path = f"/sandbox/bank/transfers/{reference}"
            assert (await http.post(path, json={"status": status, "message": message})).status_code == 200

    async def send(self, reference: str = "vc-w1-a1", amount: Money = AMOUNT, **fields: Any) -> SendOutcome:
        asked = {"bank_code": "058", "account_number": "0123456789", "name": "ADAEZE OKORO"} | fields
        return await self.payouts.send(reference=reference, amount=amount, narration="viralcore", **asked)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        clock, nursery = FakeClock(), Nursery()
        stack.push_async_callback(nursery.stop, 1.0)
        world = FlutterwaveWorld(clock.now, seeded(), nursery=nursery, bot="http://127.0.0.1:9")
        base = await stack.enter_async_context(served(world.app))
        http = HttpClients(clock)
        stack.push_async_callback(http.close)
        told = world.environment(base)
        client = http.provider("flutterwave", told["FLUTTERWAVE_BASE_URL"], connect_timeout=1, read_timeout=0.6)
        key = SecretStr(told["FLUTTERWAVE_API_KEY"])
        yield Town(clock, world, FlutterwavePayouts(Flutterwave(client, key), PAYOUT))


async def test_queued_found_decided(town: Town) -> None:
    assert await town.payouts.by_reference("vc-w1-a1") == ()
    async with town.payouts.slot():
        said = await town.send()
    assert isinstance(said, Queued)
    assert (said.status, said.fee) == ("new", ngn("26.88"))
    (found,) = await town.payouts.by_reference("vc-w1-a1")
    assert found == await town.payouts.by_id(said.provider_id)
    assert found.is_for(account_number="0123456789", bank_code="058", amount=ngn("14500.25"))
    assert found.created_at == town.clock.now()
    town.clock.advance(10)
    assert [one.status for one in await town.payouts.by_reference("vc-w1-a1")] == ["pending"]
    await town.decide("vc-w1-a1", "SUCCESSFUL")
    (found,) = await town.payouts.by_reference("vc-w1-a1")
    assert (found.status, found.complete_message, found.why) == ("successful", "Transaction was successful", None)


async def test_every_end_there_is_has_a_meaning_or_is_for_staff(town: Town) -> None:
    meanings = {}
    for number, words in enumerate(ENDS):
        reference = f"vc-w{number}-a1"
        await town.send(reference)
        await town.decide(reference, "FAILED", words)
        (found,) = await town.payouts.by_reference(reference)
        assert (found.status, found.complete_message) == ("failed", words)
        meanings[words.removeprefix("DISBURSE FAILED: ")] = found.why
    assert meanings == {
        "Invalid account number": "account",
        "This transaction could not be completed at this time": "passing",
        "Destination bank is unavailable": "passing",
        "Insufficient funds in customer wallet": "passing",
        "Insufficient funds in customer balance": "passing",
        "Insufficient funds": "passing",
        "Unable to obtain user details": None,
        "wallet currently restricted. please contact administrator": "config",
        "You can only spend NGN 100.00 at once": "config",
        "A fatal error occured while proccesing your request.": None,
        "Payout was made to a blacklisted account number": "account",
    }


async def test_sent_again_is_found_and_never_paid_twice(town: Town) -> None:
    await town.send()
    assert await town.send() == DuplicateReference()
    assert len(await town.payouts.by_reference("vc-w1-a1")) == 1


@pytest.mark.parametrize(
    ("fault", "accepted"),
    [
        ({"outage": "503"}, 0),
        ({"outage": "503_slow", "slow_seconds": 0}, 0),
        ({"outage": "503_slow_booked", "slow_seconds": 0}, 1),
        ({"outage": "503_slow_booked", "slow_seconds": 2}, 1),
        ({"outage": "html"}, 0),
        ({"outage": "bad_json"}, 0),
        ({"outage": "drop"}, 0),
        ({"swallow_next": 1}, 1),
    ],
)
async def test_silence_is_only_left_by_asking(town: Town, fault: dict[str, Any], accepted: int) -> None:
    await town.faults(**fault)
    assert isinstance(await town.send(), Silent)
    await town.faults(outage=False)
    assert len(await town.payouts.by_reference("vc-w1-a1")) == accepted
    again = await town.send()  # the same reference: refused exactly when it was accepted before
    assert isinstance(again, DuplicateReference if accepted else Queued)
    assert len(town.world.payouts.transfers) == 1


async def test_other_noes(town: Town) -> None:
    await town.faults(outage="429")
    assert await town.send() == NotSent("too_many")
    await town.faults(outage=False, whitelist=True)
    said = await town.send()
    assert isinstance(said, Declined)
    assert said.why == "config"
    await town.faults(whitelist=False)
    said = await town.send(account_number="0123456797")
    assert isinstance(said, Declined)
    assert said.why == "account"
    assert town.world.payouts.transfers == {}


async def test_our_balance_is_empty(town: Town) -> None:
    await town.faults(balance="100")
    assert isinstance(await town.send(), Queued)
    town.clock.advance(150)
    (found,) = await town.payouts.by_reference("vc-w1-a1")
    assert (found.status, found.why) == ("failed", "passing")
    assert (await town.payouts.balance("NGN")).available == ngn(100)


async def test_whole_days_page_by_page(town: Town) -> None:
    for number in range(12):
        await town.send(f"vc-w{number}-a1", ngn(100 + number))
    today = town.clock.now().date()
    first = await town.payouts.page(since=today, until=today, page=1)
    second = await town.payouts.page(since=today, until=today, page=2)
    assert (first.pages, len(first.records), len(second.records)) == (2, 10, 2)
    assert {one.amount.minor for one in (*first.records, *second.records)} == {(100 + n) * 100 for n in range(12)}
    later = today + timedelta(days=1)
    empty = await town.payouts.page(since=later, until=later, page=1)
    assert (empty.records, empty.pages) == ((), 0)


async def test_accounts_fees_banks(town: Town) -> None:
    assert isinstance(await town.payouts.resolve(bank_code="058", account_number="0123456789"), Resolved)
    said = await town.payouts.resolve(bank_code="058", account_number="0123456799")
    assert isinstance(said, NotResolved)
    assert await town.payouts.fee(ngn("5000.01")) == ngn("26.88")
    index = BankIndex([Bank(row.id, row.code, row.name) for row in await town.payouts.banks()], BANKS)
    found = {text: index.search(text, 3)[0].code for text in ("gtb", "kuda", "opay", "palmpay", "zenth", "macrod")}
    assert found == {
        "gtb": "058", "kuda": "090267", "opay": "100004", "palmpay": "100033", "zenth": "057", "macrod": "090603",
    }  # fmt: skip
    for code in found.values():
        assert isinstance(await town.payouts.resolve(bank_code=code, account_number="0123456789"), Resolved)


async def test_no_answer_is_no_answer(town: Town) -> None:
    await town.faults(outage="html")
    for asked in (
        town.payouts.by_reference("vc-w1-a1"),
        town.payouts.by_id("7"),
        town.payouts.banks(),
        town.payouts.balance("NGN"),
        town.payouts.fee(ngn(5)),
        town.payouts.resolve(bank_code="058", account_number="0123456789"),
    ):
        with pytest.raises(PayoutsDown):
            await asked
