"""The paying adapter against everything Flutterwave was recorded to say about transfers, banks, accounts and fees."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.unit.core.test_flutterwave import Client
from tests.unit.withdrawals.payout_settings import PAYOUT
from viralcore.core.http import Answer, BreakerOpen, NoAnswer, NotSent, parse_json
from viralcore.core.json_text import write_json
from viralcore.core.money import NGN, Money, ngn
from viralcore.core.providers.flutterwave import Flutterwave
from viralcore.withdrawals import ports
from viralcore.withdrawals.adapters.flutterwave import FlutterwavePayouts
from viralcore.withdrawals.ports import (
    Balance,
    BankRow,
    Declined,
    DuplicateReference,
    NotResolved,
    PayoutsDown,
    Queued,
    Resolved,
    SendOutcome,
    Silent,
)

FIXTURES = Path(__file__).parents[2] / "fixtures" / "flutterwave"
REFERENCE = "TRANS-nvsuiysb3mrgg7"


def recorded(name: str) -> Any:
    return parse_json((FIXTURES / f"{name}.json").read_text())


def payouts(*answers: Any) -> tuple[FlutterwavePayouts, Client]:
    client = Client(*answers)
    return FlutterwavePayouts(Flutterwave(client, SecretStr("key")), PAYOUT), client  # type: ignore[arg-type]


async def sent(*answers: Any, reference: str = REFERENCE, **fields: Any) -> SendOutcome:
    asked = {"bank_code": "011", "account_number": "3000000011", "name": "ADAEZE OKORO", "amount": ngn("100")} | fields
    return await payouts(*answers)[0].send(reference=reference, narration="viralcore", **asked)


CREATED = recorded("transfer_create_200_live_2024")
FETCHED = recorded("transfer_get_200_successful_live_2024")
LIST = recorded("transfers_list_200")
EMPTY = recorded("transfers_by_reference_empty_200")


async def test_a_transfer_is_queued_and_what_is_asked_for_it() -> None:
    asked, client = payouts(CREATED)
    said = await asked.send(
        reference=REFERENCE,
        bank_code="011",
        account_number="3000000011",
        name="ADAEZE OKORO",
        amount=ngn("100"),
        narration="viralcore payout " + "x" * 200,
    )
    assert said == Queued("71780293", "new", ngn("10.75"))
    ((method, path, more),) = client.asked
    assert (method, path) == ("POST", "transfers")
    body = more["json"]
    assert len(body.pop("narration")) == 100
    assert body == {
        "account_bank": "011",
        "account_number": "3000000011",
        "amount": 100,
        "currency": "NGN",
        "debit_currency": "NGN",
        "beneficiary_name": "ADAEZE OKORO",
        "reference": REFERENCE,
    }


async def test_an_amount_is_a_number_of_exactly_its_digits() -> None:
    asked, client = payouts(CREATED)
    await asked.send(
        reference=REFERENCE, bank_code="011", account_number="3", name="A", amount=Money(10000000055, NGN), narration=""
    )
    body = client.asked[0][2]["json"]
    assert body["amount"] == Decimal("100000000.55")
    assert '"amount":100000000.55,' in write_json(body)


async def test_a_fee_is_rounded_up_to_the_kobo() -> None:
    said = await sent(recorded("transfer_create_200_new"), reference="akhlm-pstmnpyt-rfxxgjlsioens007_PMCKDU_1")
    assert said == Queued("396432", "new", ngn("26.88"))


@pytest.mark.parametrize(
    ("name", "status", "outcome"),
    [
        ("transfer_create_400_duplicate_reference", 400, DuplicateReference()),
        (
            "transfer_create_400_ip_whitelist",
            400,
            Declined("config", "Please enable IP Whitelisting to access this service"),
        ),
        (
            "transfer_create_400_blacklisted",
            400,
            Declined("account", "Payout was made to a blacklisted account number"),
        ),
        (
            "merchant_approval_400",
            400,
            Declined("config", "Merchant requires approval to use resource, please contact support"),
        ),
        ("auth_401_invalid_key", 401, Declined("config", "Invalid authorization key")),
    ],
)
async def test_a_no_as_recorded(name: str, status: int, outcome: SendOutcome) -> None:
    assert await sent(Answer(status, recorded(name), {})) == outcome


@pytest.mark.parametrize(
    ("status", "message", "outcome"),
    [
        (400, "Insufficient funds in wallet", Declined("passing", "Insufficient funds in wallet")),
        (400, "account_bank is required", Declined("final", "account_bank is required")),
        (400, "Words nobody has heard", Declined("final", "Words nobody has heard")),
        (404, "Cannot POST /v3/transfer", Declined("config", "Cannot POST /v3/transfer")),
        (429, "Too many", ports.NotSent("too_many")),
    ],
)
async def test_other_noes(status: int, message: str, outcome: SendOutcome) -> None:
    assert await sent(Answer(status, {"status": "error", "message": message, "data": None}, {})) == outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (NotSent("flutterwave", "connect_error"), ports.NotSent("connect_error")),
        (BreakerOpen("flutterwave"), ports.NotSent("breaker_open")),
        (NoAnswer("flutterwave", "read_timeout"), Silent("read_timeout")),
        (
            NoAnswer("flutterwave", "server_error", status=503, body=recorded("gateway_503_timeout")),
            Silent("server_error"),
        ),
        (Answer(200, "<html>", {}), Silent("http_200")),
        (Answer(403, "<html>a gateway", {}), Silent("http_403")),
        (Answer(200, {"status": "success", "message": "", "data": None}, {}), Silent("unreadable")),
        (Answer(200, {"status": "success", "data": {"id": 7, "reference": REFERENCE}}, {}), Silent("unreadable")),
        (
            Answer(200, {"status": "success", "data": {"id": 7, "reference": "other", "status": "NEW"}}, {}),
            Silent("another_reference"),
        ),
        (Answer(200, recorded("v4_transfer_create_200"), {}), Silent("another_reference")),
        (Answer(409, recorded("v4_transfer_duplicate_409"), {}), Silent("http_409")),
    ],
)
async def test_only_what_is_proven_is_an_outcome(answer: Any, outcome: SendOutcome) -> None:
    assert type(await sent(answer)) is type(outcome)
    if not isinstance(outcome, Silent):
        assert await sent(answer) == outcome


@pytest.mark.parametrize("code", ["Access Bank", "First Bank PLC", "044 ", "", "бб", "0" * 21])
async def test_a_name_is_never_sent_as_a_code(code: str) -> None:
    asked, client = payouts(CREATED)
    said = await asked.send(
        reference="r", bank_code=code, account_number="0690000031", name="A", amount=ngn(1), narration=""
    )
    assert said == Declined("final", "not a bank code")
    assert client.asked == []


@pytest.mark.parametrize(("number", "amount"), [("069000003x", 1), ("", 1), ("0690000031", 0), ("0690000031", -5)])
async def test_nonsense_is_not_sent(number: str, amount: int) -> None:
    said = await sent(CREATED, account_number=number, amount=Money(amount, NGN))
    assert isinstance(said, Declined)
    assert said.why == "final"


async def test_one_transfer_as_recorded() -> None:
    asked, client = payouts(FETCHED)
    record = await asked.by_id("71780490")
    assert record is not None
    assert client.asked[0][:2] == ("GET", "transfers/71780490")
    assert (record.status, record.amount, record.fee, record.currency) == ("successful", ngn(100), ngn("10.75"), "NGN")
    assert (record.bank_code, record.account_last4, record.why) == ("011", "0011", None)
    assert record.created_at == datetime(2024, 3, 21, 19, 50, 13, tzinfo=UTC)
    assert record.is_for(account_number="3000000011", bank_code="011", amount=ngn(100))
    assert not record.is_for(account_number="3000000012", bank_code="011", amount=ngn(100))
    assert not record.is_for(account_number="3000000011", bank_code="044", amount=ngn(100))
    assert not record.is_for(account_number="3000000011", bank_code="011", amount=ngn("100.01"))
    assert "3000000011" not in repr(record)


@pytest.mark.parametrize("provider_id", ["71780491", "../balances", "", "７"])
async def test_another_transfer_is_no_answer(provider_id: str) -> None:
    asked, client = payouts(FETCHED)
    if provider_id.isascii() and provider_id.isdigit():
        with pytest.raises(PayoutsDown):
            await asked.by_id(provider_id)
    else:
        assert await asked.by_id(provider_id) is None
        assert client.asked == []


async def test_a_transfer_that_is_not_there() -> None:
    asked, _ = payouts(Answer(404, {"status": "error", "message": "Transfer not found", "data": None}, {}))
    assert await asked.by_id("7") is None


async def test_nobody_knows_the_reference() -> None:
    assert await payouts(EMPTY)[0].by_reference("vc-w1-a1") == ()


async def test_all_transfers_of_a_page_and_what_their_words_mean() -> None:
    asked, client = payouts(LIST)
    page = await asked.page(since=date(2023, 2, 1), until=date(2023, 5, 31), page=1)
    assert client.asked[0][2]["params"] == {"from": "2023-02-01", "to": "2023-05-31", "page": "1"}
    assert (page.page, page.pages, page.unread, len(page.records)) == (1, 5, 0, 10)
    assert {record.status for record in page.records} == {"failed"}
    assert [record.why for record in page.records] == [
        "final", "final", "config", "config", "config", None, "config", "final", None, "config",
    ]  # fmt: skip
    assert page.records[6].amount == ngn(1222)


def reference_list(*references: str, pages: int = 1, **fields: Any) -> dict[str, Any]:
    body = deepcopy(LIST)
    rows = [body["data"][9] | {"reference": one} | fields for one in references]
    return body | {"data": rows, "meta": {"page_info": {"total": len(rows), "current_page": 1, "total_pages": pages}}}


async def test_a_reference_is_found_among_others_that_look_like_it() -> None:
    asked, _ = payouts(reference_list("vc-w1-a10", pages=2), reference_list("vc-w1-a1", "vc-w1-a1", pages=2))
    assert [record.reference for record in await asked.by_reference("vc-w1-a1")] == ["vc-w1-a1", "vc-w1-a1"]
    asked, _ = payouts(reference_list("vc-w1-a10"))
    assert await asked.by_reference("vc-w1-a1") == ()


async def test_a_list_that_does_not_heed_the_question_is_no_answer() -> None:
    asked, _ = payouts(*(reference_list("other", pages=900) for _ in range(PAYOUT.reference_pages)))
    with pytest.raises(PayoutsDown, match="not_filtered"):
        await asked.by_reference("vc-w1-a1")


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": None},
        {"amount": "NaN"},
        {"id": None},
        {"status": ""},
        {"currency": None},
        {"amount": Decimal("1.005")},
    ],
)
async def test_ours_that_cannot_be_read_is_not_the_same_as_none(fields: dict[str, Any]) -> None:
    asked, _ = payouts(reference_list("r", **fields))
    with pytest.raises(PayoutsDown, match="unreadable"):
        await asked.by_reference("r")


async def test_another_currency_may_have_parts_we_never_send() -> None:
    asked, _ = payouts(reference_list("r", amount=Decimal("1.005"), currency="USD"))
    (found,) = await asked.by_reference("r")
    assert (found.amount, found.fee) == (Money(100, "USD"), None)


@pytest.mark.parametrize("data", [None, {}, [7]])
async def test_what_is_no_list_of_transfers_is_no_answer(data: Any) -> None:
    with pytest.raises(PayoutsDown, match="unreadable"):
        await payouts(LIST | {"data": data})[0].page(since=date(2023, 2, 1), until=date(2023, 2, 2), page=1)


async def test_a_status_nobody_knows_is_no_end() -> None:
    asked, _ = payouts(reference_list("r", status="REVERSED"))
    assert [record.status for record in await asked.by_reference("r")] == ["pending"]
    asked, _ = payouts(reference_list("r", status="success"))
    assert [record.status for record in await asked.by_reference("r")] == ["successful"]


async def test_one_that_waits_for_a_person_in_the_dashboard() -> None:
    asked, _ = payouts(reference_list("r", status="NEW", requires_approval=1, is_approved=0))
    assert [record.waits_for_approval for record in await asked.by_reference("r")] == [True]


@pytest.mark.parametrize("meta", [None, {}, {"page_info": {}}, {"page_info": {"total_pages": "5"}}, [], 7])
async def test_a_list_without_its_length_is_no_answer(meta: Any) -> None:
    asked, _ = payouts(LIST | {"meta": meta})
    with pytest.raises(PayoutsDown, match="unreadable"):
        await asked.page(since=date(2023, 2, 1), until=date(2023, 2, 2), page=1)


async def test_an_account_resolves() -> None:
    asked, client = payouts(recorded("accounts_resolve_200"))
    assert await asked.resolve(bank_code="044", account_number="0690000032") == Resolved("Pastor Bright")
    ((method, path, more),) = client.asked
    assert (method, path) == ("POST", "accounts/resolve")
    assert more["json"] == {"account_number": "0690000032", "account_bank": "044"}


@pytest.mark.parametrize("name", ["accounts_resolve_400_invalid", "accounts_resolve_400_invalid_variant"])
async def test_an_account_that_does_not(name: str) -> None:
    said = await payouts(Answer(400, recorded(name), {}))[0].resolve(bank_code="044", account_number="0690000032")
    assert isinstance(said, NotResolved)
    assert said.words.startswith("Sorry, ")


@pytest.mark.parametrize(
    "answer",
    [
        NoAnswer("flutterwave", "read_timeout"),
        NotSent("flutterwave", "connect_error"),
        Answer(401, recorded("auth_401_invalid_key"), {}),
        Answer(400, recorded("merchant_approval_400"), {}),
        Answer(400, {"status": "error", "message": "Service temporarily unavailable", "data": None}, {}),
        Answer(200, {"status": "success", "data": {"account_number": "0690000099", "account_name": "Other"}}, {}),
        Answer(200, {"status": "success", "data": {"account_number": "0690000032", "account_name": ""}}, {}),
        Answer(200, {"status": "success", "data": None}, {}),
    ],
)
async def test_no_answer_about_an_account_is_not_a_no(answer: Any) -> None:
    with pytest.raises(PayoutsDown):
        await payouts(answer)[0].resolve(bank_code="044", account_number="0690000032")


async def test_fees_are_asked_for() -> None:
    asked, client = payouts(recorded("transfer_fee_200"))
    assert await asked.fee(ngn("5000.50")) == ngn("26.88")
    assert client.asked[0][2]["params"] == {"amount": "5000.50", "currency": "NGN", "type": "account"}


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        [{"currency": "USD", "fee_type": "value", "fee": 1}],
        [{"currency": "NGN", "fee_type": "percentage", "fee": 1}],
        [{"currency": "NGN", "fee_type": "value", "fee": None}],
        [{"currency": "NGN", "fee_type": "value", "fee": -1}],
    ],
)
async def test_a_fee_is_never_guessed(data: Any) -> None:
    with pytest.raises(PayoutsDown):
        await payouts({"status": "success", "message": "", "data": data})[0].fee(ngn(5000))


@pytest.mark.parametrize("name", ["banks_ng_200", "banks_ng_200_live_excerpt"])
async def test_banks_as_recorded(name: str) -> None:
    asked, client = payouts(recorded(name))
    rows = await asked.banks()
    assert client.asked[0][:2] == ("GET", "banks/NG")
    assert len(rows) == len(json.loads((FIXTURES / f"{name}.json").read_text())["data"])
    assert all(row.code == row.code.strip() for row in rows)
    assert len({row.id for row in rows}) == len(rows)


async def test_rows_that_are_no_banks_are_left_out() -> None:
    rows = [
        {"id": "1", "code": "044", "name": "A"},
        {"id": 2, "code": "", "name": "B"},
        None,
        {"id": 3, "code": "5", "name": " "},
    ]
    good = {"id": 2055, "code": "090603 ", "name": "Macrod  MFB"}
    asked, _ = payouts({"status": "success", "message": "", "data": [*rows, good]})
    assert await asked.banks() == (BankRow(2055, "090603", "Macrod MFB"),)


@pytest.mark.parametrize("data", [None, {}, "none"])
async def test_banks_that_are_no_list_are_no_answer(data: Any) -> None:
    with pytest.raises(PayoutsDown, match="unreadable"):
        await payouts({"status": "success", "message": "", "data": data})[0].banks()


async def test_what_we_have_there() -> None:
    asked, client = payouts(recorded("balances_ngn_200"))
    assert await asked.balance("NGN") == Balance(ngn(2168880), ngn("253125.82"))
    assert client.asked[0][:2] == ("GET", "balances/NGN")
    asked, _ = payouts(recorded("balances_200"))
    assert (await asked.balance("NGN")).available.asset == "NGN"


@pytest.mark.parametrize(
    "data", [None, [], {}, {"currency": "USD", "available_balance": 1}, {"currency": "NGN", "available_balance": None}]
)
async def test_a_balance_that_cannot_be_read(data: Any) -> None:
    with pytest.raises(PayoutsDown):
        await payouts({"status": "success", "message": "", "data": data})[0].balance("NGN")


@pytest.mark.parametrize("value", [float("nan"), Decimal("NaN"), object()])
def test_what_is_no_json_is_not_written(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        write_json({"amount": value, "other": [Decimal("1.50"), "é"]})


def test_json_with_decimals_anywhere() -> None:
    assert write_json({"a": [Decimal("1.50"), {"b": Decimal("1E+3")}], "c": 'é"', "d": None}) == (
        '{"a":[1.50,{"b":1000}],"c":"é\\"","d":null}'
    )
