"""The simulated bank answers in recorded shapes: charges, transactions, balances, and the ways it fails."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.clock import FakeClock
from tests.support.worlds import client, control_client, seeded, served, shape
from viralcore.core.nursery import Nursery
from viralcore.sandbox.worlds.flutterwave import FlutterwaveWorld

RECORDED = Path(__file__).parents[1] / "fixtures" / "flutterwave"
CHARGE = {"tx_ref": "vc-1-a", "amount": "1500", "currency": "NGN", "email": "2001@pay.example.com"}
REFUSED_SHAPE = {"status": "str", "message": "str", "data": "NoneType"}


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text())


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


async def charge(world: FlutterwaveWorld, **fields: Any) -> httpx.Response:
    body = {name: value for name, value in (CHARGE | fields).items() if value is not None}
    return await ask(world, "POST", "/charges?type=bank_transfer", json=body)


async def account(world: FlutterwaveWorld, **fields: Any) -> dict[str, Any]:
    answer = await charge(world, **fields)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()["meta"]["authorization"]
    return found


async def control(world: FlutterwaveWorld, method: str, path: str, **body: Any) -> httpx.Response:
    async with control_client(world) as http:
        return await http.request(method, f"/sandbox/bank{path}", json=body if method == "POST" else None)


async def pay(world: FlutterwaveWorld, to: dict[str, Any], amount: str = "1500.00", **more: Any) -> int:
    body = {"account_number": to["transfer_account"], "amount": amount} | more
    answer = await control(world, "POST", "/pay", **body)
    assert answer.status_code == 200
    return int(answer.json()["id"])


async def verify(world: FlutterwaveWorld, number: int) -> dict[str, Any]:
    answer = await ask(world, "GET", f"/transactions/{number}/verify")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()["data"]
    return found


def numbers_alike(found: Any) -> Any:
    """Shapes in which a whole number and a fraction are the same."""
    return json.loads(json.dumps(shape(found)).replace('"int"', '"number"').replace('"float"', '"number"'))


async def test_a_charge_has_the_recorded_shape(world: FlutterwaveWorld) -> None:
    answer = (await charge(world)).json()
    assert shape(answer) == shape(recorded("charge_bank_transfer_200.json"))
    told = answer["meta"]["authorization"]
    assert (told["transfer_amount"], told["mode"]) == ("1500.00", "banktransfer")
    assert len(told["transfer_account"]) == 10


async def test_expiry_is_told_in_every_spelling_that_was_seen(world: FlutterwaveWorld, clock: FakeClock) -> None:
    ends = clock.now() + timedelta(seconds=1200)
    lagos = f"{(ends + timedelta(hours=1)).replace(microsecond=0, tzinfo=None)}+00:00"
    told = [(await account(world, expires=1200))["account_expiration"] for _ in range(3)]
    assert datetime.fromtimestamp(told[0] / 1000, UTC) == ends.replace(microsecond=ends.microsecond // 1000 * 1000)
    assert str(datetime.strptime(f"{told[1]} +0000", "%Y-%m-%d %I:%M:%S %p %z")) == lagos
    assert told[1].split(" ")[1][:1] != "0"  # the hour has no leading zero
    assert f"{told[2]}+00:00" == lagos
    await account(world)
    charges = list(world.book.charges.values())
    assert charges[3].expires_at - charges[3].at == timedelta(hours=1)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tx_ref": None}, "tx_ref is required"),
        ({"tx_ref": 7}, "tx_ref must be"),
        ({"amount": None}, "amount is required"),
        ({"amount": "abc"}, "amount must be a number"),
        ({"amount": True}, "amount must be a number"),
        ({"amount": 0}, "positive"),
        ({"amount": "-5"}, "amount must be"),
        ({"amount": "10.005"}, "2 decimal"),
        ({"currency": None}, "currency is required"),
        ({"currency": "USD"}, "must be NGN"),
        ({"email": None}, "email is required"),
        ({"email": "nobody"}, "valid email"),
        ({"expires": "soon"}, "expires"),
        ({"expires": 0}, "expires"),
    ],
)
async def test_a_charge_that_makes_no_sense(world: FlutterwaveWorld, fields: dict[str, Any], words: str) -> None:
    answer = await charge(world, **fields)
    assert answer.status_code == 400
    assert shape(answer.json()) == REFUSED_SHAPE
    assert words in answer.json()["message"]
    assert world.book.charges == {}


async def test_bodies_that_cannot_be_read(world: FlutterwaveWorld) -> None:
    as_json, transfer = {"content-type": "application/json"}, "/charges?type=bank_transfer"
    for answer in (
        await ask(world, "POST", transfer, headers=as_json, content=b"{"),
        await ask(world, "POST", transfer, headers=as_json, content=b"[]"),
        await ask(world, "POST", transfer, data=CHARGE),
        await ask(world, "POST", "/charges?type=card", json=CHARGE),
    ):
        assert (answer.status_code, shape(answer.json())) == (400, REFUSED_SHAPE)
    answer = await charge(world, is_permanent=True)
    assert (answer.status_code, answer.json()) == (400, recorded("virtual_account_create_400_no_bvn.json"))


async def test_the_key_is_checked(world: FlutterwaveWorld) -> None:
    for path in ("/balances/NGN", "/transactions/1/verify", "/nothing"):
        answer = await ask(world, "GET", path, headers={"authorization": "Bearer FLWSECK-other"})
        assert (answer.status_code, answer.json()) == (401, recorded("auth_401_invalid_key.json"))
    answer = await ask(world, "POST", "/charges?type=bank_transfer", json=CHARGE, headers={"authorization": ""})
    assert (answer.status_code, answer.json()["message"]) == (401, "Authorization required")
    assert world.book.charges == {}


async def test_verification_has_the_recorded_shape(world: FlutterwaveWorld) -> None:
    number = await pay(world, await account(world), "100")
    wanted = recorded("transaction_verify_bank_transfer_live_2024.json")
    for path in (f"/transactions/{number}/verify", f"/transactions/verify_by_reference?tx_ref={CHARGE['tx_ref']}"):
        answer = await ask(world, "GET", path)
        assert (answer.status_code, shape(answer.json())) == (200, shape(wanted))
        data = answer.json()["data"]
        same = ("amount", "charged_amount", "app_fee", "amount_settled", "currency", "status", "payment_type")
        assert {name: data[name] for name in same} == {name: wanted["data"][name] for name in same}
        assert list(data) == list(wanted["data"])


async def test_what_is_not_known_is_a_400(world: FlutterwaveWorld) -> None:
    await account(world)  # nobody has paid yet
    for path in ("7/verify", "abc/verify", "verify_by_reference?tx_ref=vc-1-a", "verify_by_reference"):
        answer = await ask(world, "GET", f"/transactions/{path}")
        assert (answer.status_code, answer.json()) == (400, recorded("transaction_verify_400_not_found.json"))


async def test_any_amount_in_any_currency_at_any_time(world: FlutterwaveWorld, clock: FakeClock) -> None:
    to = await account(world, expires=60)
    short, over = await pay(world, to, "1350.55"), await pay(world, to, "1650")
    clock.advance(3600)
    late, odd = await pay(world, to), await pay(world, to, "20", currency="USD")
    failed = await pay(world, to, status="failed")
    told = [await verify(world, number) for number in (short, over, late, odd, failed)]
    assert [(row["amount"], row["currency"], row["status"]) for row in told] == [
        (1350.55, "NGN", "successful"),
        (1650, "NGN", "successful"),
        (1500, "NGN", "successful"),
        (20, "USD", "successful"),
        (1500, "NGN", "failed"),
    ]
    assert {row["tx_ref"] for row in told} == {"vc-1-a"}
    assert len({row["id"] for row in told}) == 5
    newest = (await ask(world, "GET", "/transactions/verify_by_reference?tx_ref=vc-1-a")).json()["data"]
    assert newest["id"] == failed
    books = world.books().payments
    assert [(one.id, one.amount, one.currency, one.status) for one in books[:2]] == [
        (str(short), 135_055, "NGN", "successful"),
        (str(over), 165_000, "NGN", "successful"),
    ]
    assert [(one.currency, one.status) for one in books[3:]] == [("USD", "successful"), ("NGN", "failed")]


async def test_fees_are_as_noisy_as_the_real_ones(world: FlutterwaveWorld) -> None:
    to = await account(world)
    rows = [await verify(world, await pay(world, to, f"{naira}.33")) for naira in range(30, 60)]
    assert any(len(repr(row["app_fee"])) > 12 for row in rows)
    for row in rows:
        assert abs(Decimal(str(row["app_fee"])) - Decimal(str(row["amount"])) * Decimal("0.014")) < Decimal("0.0001")


async def test_a_payer_may_have_to_pay_the_fee_on_top(world: FlutterwaveWorld) -> None:
    await control(world, "POST", "", payer_pays_fee=True)
    to = await account(world, amount="1")
    assert to["transfer_amount"] == "1.02"  # as seen
    row = await verify(world, await pay(world, to, "1.02"))
    assert (row["amount"], row["charged_amount"], row["amount_settled"]) == (1, 1.02, 1)


async def test_undecided_for_a_while(world: FlutterwaveWorld, clock: FakeClock) -> None:
    await control(world, "POST", "", pending_first=90, webhooks=False)
    number = await pay(world, await account(world))
    row = await verify(world, number)
    assert (row["status"], row["amount_settled"]) == ("pending", None)
    assert world.next_due(clock.now()) == clock.now() + timedelta(seconds=90)
    assert [one.status for one in world.books().payments] == ["pending"]
    clock.advance(90)
    assert (await verify(world, number))["status"] == "successful"
    assert world.next_due(clock.now()) is None


async def test_transactions_are_listed_newest_first(world: FlutterwaveWorld, clock: FakeClock) -> None:
    first, other = await account(world), await account(world, tx_ref="vc-2-b")
    numbers = [await pay(world, first) for _ in range(12)] + [await pay(world, other, status="failed")]
    answer = (await ask(world, "GET", "/transactions?tx_ref=vc-1-a&page=2")).json()
    assert answer["meta"] == {"page_info": {"total": 12, "current_page": 2, "total_pages": 2}}
    assert [row["id"] for row in answer["data"]] == [str(numbers[1]), str(numbers[0])]
    assert "customer" not in answer["data"][0]
    assert answer["data"][0]["customer_email"] == CHARGE["email"]
    failed = (await ask(world, "GET", "/transactions?status=failed")).json()
    assert [row["tx_ref"] for row in failed["data"]] == ["vc-2-b"]
    today = clock.now().date()
    later = (await ask(world, "GET", f"/transactions?from={today + timedelta(days=1)}")).json()
    assert (later["data"], later["meta"]["page_info"]["total"]) == ([], 0)
    assert (await ask(world, "GET", "/transactions?page=x")).status_code == 400


async def test_balances_have_the_recorded_shapes(world: FlutterwaveWorld) -> None:
    one = await ask(world, "GET", "/balances/NGN")
    assert numbers_alike(one.json()) == numbers_alike(recorded("balances_ngn_200.json"))
    every = (await ask(world, "GET", "/balances")).json()
    wanted = recorded("balances_200.json")
    assert numbers_alike(every) == numbers_alike(wanted)
    assert [row["currency"] for row in every["data"]] == [row["currency"] for row in wanted["data"]]
    before = Decimal(str(one.json()["data"]["ledger_balance"]))
    await pay(world, await account(world), "1000")
    await control(world, "POST", "", balance="77.50")
    after = (await ask(world, "GET", "/balances/ngn")).json()["data"]
    assert Decimal(str(after["ledger_balance"])) - before == Decimal("986")
    assert after["available_balance"] == 77.5
    assert (await ask(world, "GET", "/balances/XXX")).status_code == 400


async def test_a_webhook_can_be_sent_again(world: FlutterwaveWorld) -> None:
    number = await pay(world, await account(world))
    answer = await ask(world, "POST", f"/transactions/{number}/resend-hook")
    assert (answer.status_code, answer.json()) == (200, recorded("transaction_resend_hook_200.json"))
    assert len(world.courier.waiting) == 2
    assert (await ask(world, "POST", "/transactions/9/resend-hook")).status_code == 400


@pytest.mark.parametrize(("how", "booked"), [("503_slow", 0), ("503_slow_booked", 1)])
async def test_the_gateway_gives_up(world: FlutterwaveWorld, how: str, booked: int) -> None:
    await control(world, "POST", "", outage=how, slow_seconds=0)
    answer = await charge(world)
    assert (answer.status_code, answer.json()) == (503, recorded("gateway_503_timeout.json"))
    assert [one.answered for one in world.book.charges.values()] == [False] * booked


@pytest.mark.parametrize(("kind", "status"), [(True, 503), ("html", 200), ("429", 429), ("bad_json", 200)])
async def test_an_outage_books_nothing(world: FlutterwaveWorld, kind: object, status: int) -> None:
    await control(world, "POST", "", outage=kind)
    assert (await charge(world)).status_code == status
    assert world.book.charges == {}
    await control(world, "POST", "", outage=False)
    assert (await charge(world)).status_code == 200


@pytest.mark.parametrize("how", [True, "hang"])
async def test_a_lost_answer_leaves_an_open_account(world: FlutterwaveWorld, how: object) -> None:
    await control(world, "POST", "", swallow_next=how)
    async with served(world.app) as url, httpx.AsyncClient(timeout=30) as http:
        target = world.environment(url)["FLUTTERWAVE_BASE_URL"] + "/charges?type=bank_transfer"
        headers = {"authorization": f"Bearer {world.key}"}
        refused = await http.post(target, json=CHARGE | {"amount": 0}, headers=headers)
        assert refused.status_code == 400  # nothing was done, so nothing is lost
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadTimeout)):
            await http.post(target, json=CHARGE, headers=headers, timeout=1)
        assert (await http.post(target, json=CHARGE, headers=headers)).status_code == 200
    charges = (await control(world, "GET", "/charges")).json()
    assert [(one["tx_ref"], one["answered"]) for one in charges] == [("vc-1-a", False), ("vc-1-a", True)]
    assert charges[0]["account_number"] != charges[1]["account_number"]


async def test_the_book_of_charges(world: FlutterwaveWorld, clock: FakeClock) -> None:
    to = await account(world, expires=600)
    number = await pay(world, to, "10")
    (told,) = (await control(world, "GET", "/charges")).json()
    assert (told["account_number"], told["amount"], told["expired"]) == (to["transfer_account"], "1500.00", False)
    assert [(one["id"], one["amount"], one["status"]) for one in told["payments"]] == [(number, "10.00", "successful")]
    clock.advance(600)
    assert (await control(world, "GET", "/charges")).json()[0]["expired"] is True
    assert world.snapshot()["bank"]["charges"][0]["tx_ref"] == "vc-1-a"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/pay", {"account_number": "1234567890", "amount": "5"}, 404),
        ("/pay", {"account_number": "12", "amount": "5"}, 404),
        ("/pay", {"amount": "5"}, 400),
        ("/pay", {"account_number": "OURS", "amount": "0"}, 400),
        ("/pay", {"account_number": "OURS", "amount": "1.005"}, 400),
        ("/pay", {"account_number": "OURS", "amount": "many"}, 400),
        ("/pay", {"account_number": "OURS", "amount": "5", "currency": "naira"}, 400),
        ("/pay", {"account_number": "OURS", "amount": "5", "status": "pending"}, 400),
        ("", {"outage": "fire"}, 400),
        ("", {"webhooks": "never"}, 400),
        ("", {"duplicate_webhooks": 21}, 400),
        ("", {"pending_first": -1}, 400),
        ("", {"rain": True}, 400),
        ("/transfers/abc", {"status": "FAILED"}, 404),
    ],
)
async def test_nonsense(world: FlutterwaveWorld, path: str, body: dict[str, Any], status: int) -> None:
    if body.get("account_number") == "OURS":
        body = body | {"account_number": (await account(world))["transfer_account"]}
    answer = await control(world, "POST", path, **body)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert world.book.payments == {}
