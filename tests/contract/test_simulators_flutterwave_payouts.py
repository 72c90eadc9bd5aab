"""The simulated bank's paying side: recorded shapes, a reference pays once, and it ends only when somebody says so."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.clock import FakeClock
from tests.support.worlds import client, control_client, seeded, shape
from viralcore.core.nursery import Nursery
from viralcore.core.providers.flutterwave import read_hook
from viralcore.sandbox.worlds.flutterwave import FlutterwaveWorld
from viralcore.sandbox.worlds.flutterwave_banks import ROWS, banks
from viralcore.sandbox.worlds.flutterwave_payouts import ENDS, SHORT

RECORDED = Path(__file__).parents[1] / "fixtures" / "flutterwave"
SENT = {
    "account_bank": "058",
    "account_number": "0123456789",
    "amount": 15000.5,
    "currency": "NGN",
    "reference": "vc-w1-a1",
    "narration": "viralcore",
    "beneficiary_name": "ADAEZE OKORO",
}


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text())


def alike(found: Any) -> Any:
    """Shapes in which numbers are one kind, and what may be null or a list is not looked into."""
    if isinstance(found, dict):
        return {key: alike(item) for key, item in found.items() if key not in ("meta", "approver", "debit_currency")}
    if isinstance(found, list):
        return [alike(found[0])] if found else []
    return "number" if type(found) in (int, float) else type(found).__name__


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def world(clock: FakeClock) -> AsyncIterator[FlutterwaveWorld]:
    nursery = Nursery()
    yield FlutterwaveWorld(clock.now, seeded(), nursery=nursery, bot="http://127.0.0.1:9")
    await nursery.stop(1.0)


async def ask(world: FlutterwaveWorld, method: str, path: str, **more: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {world.key}"} | more.pop("headers", {})
    async with client(world.app) as http:
        return await http.request(method, "/v3" + path, headers=headers, **more)


async def send(world: FlutterwaveWorld, **fields: Any) -> httpx.Response:
    body = {name: value for name, value in (SENT | fields).items() if value is not None}
    return await ask(world, "POST", "/transfers", json=body)


async def control(world: FlutterwaveWorld, method: str, path: str, **body: Any) -> httpx.Response:
    async with control_client(world) as http:
        return await http.request(method, f"/sandbox/bank{path}", json=body if method == "POST" else None)


async def decide(world: FlutterwaveWorld, status: str, reference: str = "vc-w1-a1", **more: Any) -> httpx.Response:
    return await control(world, "POST", f"/transfers/{reference}", status=status, **more)


def hooks(world: FlutterwaveWorld) -> list[dict[str, Any]]:
    return [json.loads(hook.body) for hook in world.courier.waiting]


async def test_a_transfer_is_queued_in_the_recorded_shape(world: FlutterwaveWorld, clock: FakeClock) -> None:
    answer = await send(world)
    assert (answer.status_code, alike(answer.json())) == (200, alike(recorded("transfer_create_200_live_2024.json")))
    data = answer.json()["data"]
    assert (data["status"], data["amount"], data["fee"], data["bank_name"]) == ("NEW", 15000.5, 26.875, "GTBank Plc")
    clock.advance(6)
    told = (await ask(world, "GET", f"/transfers/{data['id']}")).json()
    assert alike(told) == alike(recorded("transfer_get_200_successful_live_2024.json"))
    assert list(told["data"]) == list(recorded("transfer_get_200_successful_live_2024.json")["data"])
    assert told["data"]["status"] == "PENDING"
    clock.advance(86_400 * 30)
    await world.tick(clock.now())
    assert (await ask(world, "GET", f"/transfers/{data['id']}")).json()["data"]["status"] == "PENDING"
    assert hooks(world) == []


async def test_somebody_decides_and_the_webhook_says_so(world: FlutterwaveWorld) -> None:
    await control(world, "POST", "", envelope="live")
    await send(world)
    answer = await decide(world, "SUCCESSFUL")
    assert (answer.status_code, answer.json()["status"]) == (200, "SUCCESSFUL")
    (event,) = hooks(world)
    wanted = recorded("webhook_transfer_completed_successful_live_2024.json")
    assert alike(event["data"]) == alike(wanted["data"])
    assert list(event["data"]) == list(wanted["data"])
    assert (event["event"], event["data"]["complete_message"]) == ("transfer.completed", "Transaction was successful")
    (told,) = (await control(world, "GET", "/transfers")).json()
    assert (told["reference"], told["amount"], told["decided"]) == ("vc-w1-a1", "15000.50", True)
    assert (await decide(world, "FAILED")).status_code == 409


async def test_a_failure_gives_the_money_back_and_has_its_words(world: FlutterwaveWorld) -> None:
    before = world.book.available
    await control(world, "POST", "", envelope="legacy")
    await send(world)
    assert world.book.available == before - Decimal("15000.5") - Decimal("26.875")
    answer = await decide(world, "failed", message="DISBURSE FAILED: Destination bank is unavailable")
    assert answer.json()["message"] == "DISBURSE FAILED: Destination bank is unavailable"
    assert world.book.available == before
    (event,) = hooks(world)
    wanted = recorded("webhook_transfer_failed_insufficient_funds_2020_legacy.json")
    assert alike(event["transfer"]) == alike(wanted["transfer"])
    hook = read_hook(event, b"")
    assert (hook.kind, hook.reference, hook.status) == ("transfer", "vc-w1-a1", "FAILED")
    await send(world, reference="vc-w2-a1")
    assert (await decide(world, "FAILED", "vc-w2-a1")).json()["message"] == ENDS[0]


async def test_a_reference_pays_once_for_ever(world: FlutterwaveWorld) -> None:
    await send(world)
    before = world.book.available
    for _ in range(2):
        again = await send(world, amount=1)
        assert (again.status_code, again.json()) == (400, recorded("transfer_create_400_duplicate_reference.json"))
    await decide(world, "FAILED")
    assert (await send(world)).status_code == 400
    assert len(world.payouts.transfers) == 1
    assert world.book.available > before
    (told,) = (await control(world, "GET", "/transfers")).json()
    assert told["sent_again"] == 3


async def test_an_empty_balance_is_a_late_failure(world: FlutterwaveWorld, clock: FakeClock) -> None:
    await control(world, "POST", "", balance="100")
    assert (await send(world)).json()["data"]["status"] == "NEW"
    assert world.next_due(clock.now()) == clock.now() + timedelta(minutes=2)
    assert (await decide(world, "SUCCESSFUL")).status_code == 409
    clock.advance(121)
    await world.tick(clock.now())
    (told,) = (await control(world, "GET", "/transfers")).json()
    assert (told["status"], told["message"] in SHORT) == ("FAILED", True)
    assert world.book.available == Decimal(100)
    assert len(hooks(world)) == 1


async def test_a_balance_that_is_filled_in_time_pays(world: FlutterwaveWorld) -> None:
    await control(world, "POST", "", balance="100")
    await send(world)
    await control(world, "POST", "", balance="20000")
    assert (await decide(world, "SUCCESSFUL")).status_code == 200
    assert world.book.available == Decimal("4972.625")
    assert (await ask(world, "GET", "/balances/NGN")).json()["data"]["available_balance"] == 4972.625


@pytest.mark.parametrize(
    ("fault", "name", "status"),
    [
        ({"whitelist": True}, "transfer_create_400_ip_whitelist.json", 400),
        ({"unapproved": True}, "merchant_approval_400.json", 400),
    ],
)
async def test_it_does_not_serve_us(world: FlutterwaveWorld, fault: dict[str, Any], name: str, status: int) -> None:
    await control(world, "POST", "", **fault)
    answer = await send(world)
    assert (answer.status_code, answer.json()) == (status, recorded(name))
    assert world.payouts.transfers == {}


async def test_other_refusals(world: FlutterwaveWorld) -> None:
    answer = await send(world, account_number="0123456797")
    assert (answer.status_code, answer.json()) == (400, recorded("transfer_create_400_blacklisted.json"))
    answer = await ask(world, "POST", "/transfers", json=SENT, headers={"authorization": "Bearer no"})
    assert (answer.status_code, answer.json()) == (401, recorded("auth_401_invalid_key.json"))
    for wrong in (
        {"account_bank": "GTBank Plc"},
        {"account_bank": "090603 "},
        {"account_bank": None},
        {"account_number": "12"},
        {"account_number": 123456789},
        {"amount": 0},
        {"amount": "1.005"},
        {"currency": "USD"},
        {"reference": None},
        {"reference": "x" * 101},
        {"narration": "x" * 101},
    ):
        answer = await send(world, **wrong)
        assert (answer.status_code, answer.json()["status"]) == (400, "error"), wrong
    assert world.payouts.transfers == {}


@pytest.mark.parametrize(
    ("fault", "status", "accepted"),
    [
        ({"outage": "503_slow", "slow_seconds": 0}, 503, 0),
        ({"outage": "503_slow_booked", "slow_seconds": 0}, 503, 1),
        ({"outage": "429"}, 429, 0),
        ({"outage": "html"}, 200, 0),
    ],
)
async def test_an_outage_with_and_without_having_accepted(
    world: FlutterwaveWorld, fault: dict[str, Any], status: int, accepted: int
) -> None:
    await control(world, "POST", "", **fault)
    answer = await send(world)
    assert answer.status_code == status
    assert len(world.payouts.transfers) == accepted
    if status == 503:
        assert answer.json() == recorded("gateway_503_timeout.json")
    if accepted:
        (told,) = (await control(world, "GET", "/transfers")).json()
        assert told["answered"] is False


async def test_a_lost_answer_has_been_accepted(world: FlutterwaveWorld) -> None:
    await control(world, "POST", "", swallow_next=1)
    with pytest.raises(ConnectionAbortedError):
        await send(world)
    assert list(world.payouts.transfers) == ["vc-w1-a1"]
    assert (await send(world, reference="vc-w2-a1")).status_code == 200


async def test_lists_by_reference_status_day_and_page(world: FlutterwaveWorld, clock: FakeClock) -> None:
    assert (await ask(world, "GET", "/transfers?reference=none")).json() == recorded(
        "transfers_by_reference_empty_200.json"
    )
    for number in range(23):
        await send(world, reference=f"vc-w{number}-a1", amount=100 + number)
    await decide(world, "FAILED", "vc-w3-a1")
    first = (await ask(world, "GET", "/transfers")).json()
    assert alike(first) == alike(recorded("transfers_list_200.json"))
    assert [row["reference"] for row in first["data"]] == [f"vc-w{number}-a1" for number in range(22, 12, -1)]
    assert first["meta"]["page_info"] == {"total": 23, "current_page": 1, "total_pages": 3}
    last = (await ask(world, "GET", "/transfers?page=3")).json()
    assert len(last["data"]) == 3
    one = (await ask(world, "GET", "/transfers?reference=vc-w3-a1")).json()["data"]
    assert [(row["reference"], row["status"]) for row in one] == [("vc-w3-a1", "FAILED")]
    assert len((await ask(world, "GET", "/transfers?status=failed")).json()["data"]) == 1
    day = clock.now().date() + timedelta(days=1)
    assert (await ask(world, "GET", f"/transfers?from={day}&to={day}")).json()["data"] == []
    assert (await ask(world, "GET", "/transfers?from=yesterday")).status_code == 400
    assert (await ask(world, "GET", "/transfers/999")).status_code == 404


async def test_fees_and_rates(world: FlutterwaveWorld) -> None:
    answer = (await ask(world, "GET", "/transfers/fee?amount=5000&currency=NGN&type=account")).json()
    assert shape(answer) == shape(recorded("transfer_fee_200.json"))
    assert answer["data"][0]["fee"] == 10.75
    fees = [
        (await ask(world, "GET", f"/transfers/fee?amount={amount}&currency=NGN")).json()["data"][0]["fee"]
        for amount in ("5000.01", "50000", "50000.01")
    ]
    assert fees == [26.875, 26.875, 53.75]
    rates = "/transfers/rates?amount={}&destination_currency={}&source_currency={}"
    answer = (await ask(world, "GET", rates.format(3000, "USD", "NGN"))).json()
    assert answer == recorded("transfers_rates_200_ngn_source.json")
    answer = (await ask(world, "GET", rates.format(1000, "NGN", "USD"))).json()
    assert alike(answer) == alike(recorded("transfers_rates_200.json"))
    assert (await ask(world, "GET", rates.format(1000, "NGN", "NGN"))).status_code == 400


async def test_banks_with_all_that_is_odd(world: FlutterwaveWorld) -> None:
    answer = (await ask(world, "GET", "/banks/NG")).json()
    assert shape(answer) == shape(recorded("banks_ng_200_live_excerpt.json"))
    rows = answer["data"]
    assert len(rows) == len({row["id"] for row in rows}) == ROWS
    told = {(row["id"], row["code"], row["name"]) for row in rows}
    live = recorded("banks_ng_200_live_excerpt.json")["data"]
    assert {(row["id"], row["code"], row["name"]) for row in live} <= told
    codes = [row["code"] for row in rows]
    assert codes == sorted(codes)
    assert len(codes) - len(set(codes)) == 3
    assert "090603 " in codes
    assert banks() is banks()


async def test_whose_account_it_is(world: FlutterwaveWorld) -> None:
    async def resolve(number: str, code: str = "058") -> httpx.Response:
        return await ask(world, "POST", "/accounts/resolve", json={"account_number": number, "account_bank": code})

    answer = await resolve("0690000032", "044")
    assert answer.json() == recorded("accounts_resolve_200.json")
    names = [(await resolve("0123456789")).json()["data"]["account_name"] for _ in range(2)]
    assert names[0] == names[1] != (await resolve("0123456788")).json()["data"]["account_name"]
    for number, code, name in (
        ("0123456799", "058", "accounts_resolve_400_invalid.json"),
        ("0000000000", "058", "accounts_resolve_400_invalid.json"),
        ("0123456789", "GTBank", "accounts_resolve_400_invalid.json"),
        ("0123456798", "058", "accounts_resolve_400_invalid_variant.json"),
        ("123456789", "058", "accounts_resolve_400_invalid_variant.json"),
    ):
        answer = await resolve(number, code)
        assert (answer.status_code, answer.json()) == (400, recorded(name))


async def test_one_that_waits_in_the_dashboard(world: FlutterwaveWorld, clock: FakeClock) -> None:
    await control(world, "POST", "", approval=True)
    data = (await send(world)).json()["data"]
    assert (data["requires_approval"], data["is_approved"]) == (1, 0)
    clock.advance(3600)
    assert (await ask(world, "GET", f"/transfers/{data['id']}")).json()["data"]["status"] == "NEW"


async def test_webhooks_come_often_in_disorder_and_may_lie(world: FlutterwaveWorld) -> None:
    await control(world, "POST", "", duplicate_webhooks=2, shuffle=True, lie=True, envelope="live")
    await send(world)
    await decide(world, "FAILED")
    told = hooks(world)
    assert len(told) == 3
    assert {(one["data"]["status"], one["data"]["amount"]) for one in told} == {("SUCCESSFUL", 150005.0)}
    assert len({hook.due for hook in world.courier.waiting}) > 1
    await control(world, "POST", "", webhooks=False)
    await send(world, reference="vc-w2-a1")
    await decide(world, "SUCCESSFUL", "vc-w2-a1")
    assert len(hooks(world)) == 3


async def test_a_storm_and_payouts_that_end_by_themselves(world: FlutterwaveWorld, clock: FakeClock) -> None:
    await control(world, "POST", "", storm=60, decide_after=60, fail_percent=30, slow_seconds=0, balance="9000000")
    seen: set[Any] = set()
    for number in range(60):
        try:
            seen.add((await send(world, reference=f"r{number}", amount=100)).status_code)
        except ConnectionAbortedError:
            seen.add("cut")
    assert seen == {200, 503, "cut"}
    accepted = len(world.payouts.transfers)
    assert 30 < accepted < 60
    clock.advance(61)
    await world.tick(clock.now())
    ends = [one.status for one in world.payouts.transfers.values()]
    assert set(ends) == {"SUCCESSFUL", "FAILED"}
    assert world.book.available == Decimal(9_000_000) - world.payouts.paid()
    assert [(one.reference, one.status) for one in world.books().payouts] == [
        (one.reference, one.status) for one in world.payouts.transfers.values()
    ]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/transfers/abc", {"status": "FAILED"}, 404),
        ("/transfers/vc-w1-a1", {"status": "MAYBE"}, 400),
        ("/transfers/vc-w1-a1", {}, 400),
        ("/transfers/vc-w1-a1", {"status": "FAILED", "message": 7}, 400),
        ("", {"storm": 101}, 400),
        ("", {"fail_percent": -1}, 400),
        ("", {"balance": "much"}, 400),
    ],
)
async def test_nonsense(world: FlutterwaveWorld, path: str, body: dict[str, Any], status: int) -> None:
    await send(world)
    answer = await control(world, "POST", path, **body)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert not world.payouts.transfers["vc-w1-a1"].decided


async def test_the_page_is_told(world: FlutterwaveWorld) -> None:
    await send(world)
    await send(world, reference="vc-w2-a1")
    told = world.snapshot()["bank"]
    assert [one["reference"] for one in told["transfers"]] == ["vc-w2-a1", "vc-w1-a1"]
    assert told["messages"][0] == ENDS[0]
