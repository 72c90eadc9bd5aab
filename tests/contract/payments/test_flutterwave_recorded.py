"""The bank's adapter, and the exchange rate's, against what they were recorded to say."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from tests.contract.payments.nodes import FIXTURES
from tests.unit.core.test_flutterwave import Client
from viralcore.core.http import Answer, NoAnswer, NotSent, parse_json
from viralcore.core.providers.flutterwave import Flutterwave
from viralcore.payments.adapters.bank import FlutterwaveBank
from viralcore.payments.adapters.exchange_rate import ExchangeRate, read_rate
from viralcore.payments.domain.bank import BankPayment
from viralcore.payments.ports import (
    AccountGiven,
    BankDown,
    NoAccount,
    NotThere,
    PaidIn,
    StillPending,
    WillNotCome,
)


def recorded(folder: str, name: str) -> Any:
    return parse_json((FIXTURES / folder / f"{name}.json").read_text())


def bank(*answers: Any) -> tuple[FlutterwaveBank, Client]:
    client = Client(*answers)
    return FlutterwaveBank(Flutterwave(client, SecretStr("key"))), client  # type: ignore[arg-type]


async def account(*answers: Any) -> AccountGiven | NoAccount:
    return await bank(*answers)[0].account(reference="vc-c7", amount_raw=150000, email="7@x.example", seconds=4800)


CHARGE = recorded("flutterwave", "charge_bank_transfer_200")
VERIFIED = recorded("flutterwave", "transaction_verify_bank_transfer_live_2024")


async def test_an_account_and_what_is_asked_for_it() -> None:
    asked, client = bank(CHARGE)
    given = await asked.account(reference="vc-c7", amount_raw=150000, email="7@x.example", seconds=4800)
    assert given == AccountGiven(
        number="0067100155",
        bank="Mock Bank",
        provider_reference="MockFLWRef-1689847855598",
        transfer_raw=150000,
        expires_at=datetime(2023, 7, 20, 10, 10, 55, 598000, tzinfo=UTC),
    )
    ((method, path, more),) = client.asked
    assert (method, path, more["params"]) == ("POST", "charges", {"type": "bank_transfer"})
    assert more["json"] == {
        "tx_ref": "vc-c7",
        "amount": "1500.00",
        "currency": "NGN",
        "email": "7@x.example",
        "expires": 4800,
        "is_permanent": False,
    }
    assert json.dumps(more["json"])


@pytest.mark.parametrize(
    ("field", "value", "raw", "expires"),
    [
        ("transfer_amount", "1521.50", 152150, True),  # their fee is the payer's
        ("transfer_amount", "1400.00", 150000, True),  # never less than we asked
        ("transfer_amount", None, 150000, True),
        ("transfer_amount", "NaN", 150000, True),
        ("account_expiration", "N/A", 150000, False),
        ("account_expiration", "2023-07-20 11:10:55 AM", 150000, True),
    ],
)
async def test_variants_of_an_account(field: str, value: Any, raw: int, expires: bool) -> None:
    body = deepcopy(CHARGE)
    body["meta"]["authorization"][field] = value
    given = await account(body)
    assert isinstance(given, AccountGiven)
    assert (given.transfer_raw, given.expires_at is not None) == (raw, expires)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (NotSent("flutterwave", "connect_error"), "down"),
        (NoAnswer("flutterwave", "read_timeout"), "silent"),
        (Answer(429, {"status": "error", "message": "Too many requests"}, {}), "down"),
        (Answer(401, recorded("flutterwave", "auth_401_invalid_key"), {}), "config"),
        (Answer(400, recorded("flutterwave", "merchant_approval_400"), {}), "config"),
        (Answer(400, recorded("flutterwave", "virtual_account_create_400_no_bvn"), {}), "refused"),
        (Answer(502, "<html>", {}), "silent"),
        ({"status": "success", "message": "Charge initiated"}, "silent"),
        ({"status": "success", "meta": {"authorization": {"transfer_account": "0067100155"}}}, "silent"),
        (
            {"status": "success", "meta": {"authorization": {"transfer_account": "<b>", "transfer_bank": "X"}}},
            "silent",
        ),
        (recorded("flutterwave", "virtual_account_create_sandbox_nan"), "silent"),
    ],
)
async def test_no_account(answer: Any, reason: str) -> None:
    said = await account(answer)
    assert isinstance(said, NoAccount)
    assert said.reason == reason


async def test_a_payment_as_it_was_recorded() -> None:
    asked, client = bank(VERIFIED, VERIFIED)
    found = await asked.payment(payment_id="1312406045", reference="ignored")
    assert found == PaidIn(
        BankPayment(
            id="1312406045",
            reference="PSA-y04qd5as2dhcjrpo",
            currency="NGN",
            amount_raw=10000,
            paid_at=datetime(2024, 3, 21, 17, 40, 8, tzinfo=UTC),
        )
    )
    assert await asked.payment(payment_id="", reference="PSA-y04qd5as2dhcjrpo") == found
    assert [(path, more["params"]) for _, path, more in client.asked] == [
        ("transactions/1312406045/verify", None),
        ("transactions/verify_by_reference", {"tx_ref": "PSA-y04qd5as2dhcjrpo"}),
    ]


async def test_an_id_from_outside_never_becomes_a_path_of_its_own() -> None:
    asked, client = bank(VERIFIED)
    await asked.payment(payment_id="1/../../transfers", reference="vc-c7")
    assert client.asked[0][1] == "transactions/verify_by_reference"


async def test_all_payments_under_a_reference() -> None:
    rows = [{"id": 2, "tx_ref": "vc-c7"}, {"id": 1, "tx_ref": "vc-c7"}, {"id": 3, "tx_ref": "vc-c70"}, None, {"id": []}]
    asked, client = bank({"status": "success", "data": rows}, {"status": "success", "data": []})
    assert await asked.numbers(reference="vc-c7") == ("2", "1")
    assert await asked.numbers(reference="vc-c7") == ()
    assert client.asked[0][1:] == (
        "transactions",
        {"params": {"tx_ref": "vc-c7"}, "headers": client.asked[0][2]["headers"]},
    )
    for answer in ({"status": "success", "data": {}}, NoAnswer("flutterwave", "read_timeout"), Answer(403, "", {})):
        with pytest.raises(BankDown):
            await bank(answer)[0].numbers(reference="vc-c7")


def changed(**data: Any) -> Any:
    body = deepcopy(VERIFIED)
    body["data"].update(data)
    return body


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (changed(status="pending"), StillPending("pending")),
        (changed(status="SUCCESSFUL"), StillPending("SUCCESSFUL")),
        (changed(status=None), StillPending("")),
        (changed(status="failed"), WillNotCome("failed")),
        (Answer(400, recorded("flutterwave", "transaction_verify_400_not_found"), {}), NotThere()),
    ],
)
async def test_what_is_no_money_yet(answer: Any, wanted: object) -> None:
    assert await bank(answer)[0].payment(payment_id="1312406045", reference="") == wanted


@pytest.mark.parametrize(
    "answer",
    [
        NotSent("flutterwave", "breaker_open"),
        NoAnswer("flutterwave", "read_timeout"),
        Answer(401, recorded("flutterwave", "auth_401_invalid_key"), {}),
        Answer(429, "", {}),
        Answer(403, "<html>", {}),
        {"status": "success", "data": None},
        {"status": "success", "data": []},
        changed(amount=None),
        changed(amount="NaN"),
        changed(amount=0),
        changed(amount=-100),
        changed(created_at="N/A"),
        changed(currency=None),
        changed(id=None),
    ],
)
async def test_what_cannot_be_read_says_nothing_of_money(answer: Any) -> None:
    with pytest.raises(BankDown):
        await bank(answer)[0].payment(payment_id="1312406045", reference="")


# --- the exchange rate ------------------------------------------------------------------------------------------------

KEYED, KEYLESS = recorded("prices", "v6_exchangerate_api_latest_usd"), recorded("prices", "open_er_api_latest_eur_2025")


def test_the_two_hosts_name_their_rates_differently() -> None:
    keyed = deepcopy(KEYED)
    keyed["conversion_rates"]["NGN"] = Decimal("1530.5021")
    found = read_rate(keyed, "NGN")
    assert found is not None
    assert (found.per_usd, found.source_at) == (Decimal("1530.5021"), datetime(2020, 3, 27, tzinfo=UTC))
    keyless = {**deepcopy(KEYLESS), "base_code": "USD"}
    found = read_rate(keyless, "NGN")
    assert found is not None
    assert (found.per_usd, found.source_at.date().isoformat()) == (Decimal("1781.314725"), "2025-08-13")


@pytest.mark.parametrize(
    "name",
    [
        "open_er_api_429",
        "open_er_api_latest_eur_2025",  # another base: a rate of the euro
        "v6_error_inactive_account",
        "v6_error_invalid_key",
        "v6_error_malformed_request",
        "v6_error_no_key",
        "v6_error_plan_upgrade_required",
        "v6_error_unsupported_code",
        "v6_exchangerate_api_latest_usd",  # without naira
        "v6_exchangerate_api_pair",
    ],
)
def test_every_other_recording_gives_no_rate(name: str) -> None:
    assert read_rate(recorded("prices", name), "NGN") is None


def usd(**changes: Any) -> Any:
    body = {"result": "success", "base_code": "USD", "time_last_update_unix": 1755043351, "rates": {"NGN": 1500}}
    return {**body, **changes}


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        usd(result="error"),
        usd(rates=None),
        usd(rates={"NGN": 0}),
        usd(rates={"NGN": -1}),
        usd(rates={"NGN": True}),
        usd(rates={"NGN": "NaN"}),
        usd(time_last_update_unix=None),
        usd(time_last_update_unix="1755043351"),
        usd(time_last_update_unix=0),
        usd(time_last_update_unix=10**12),
    ],
)
def test_nonsense_is_no_rate(body: Any) -> None:
    assert read_rate(usd(), "NGN") is not None
    assert read_rate(body, "NGN") is None


@pytest.mark.parametrize(("key", "path"), [("abc", "abc/latest/USD"), (None, "latest/USD")])
async def test_the_key_is_part_of_the_path(key: str | None, path: str) -> None:
    client = Client(usd())
    assert await ExchangeRate(client, key=key).rate("NGN") is not None  # type: ignore[arg-type]
    assert client.asked[0][:2] == ("GET", path)


@pytest.mark.parametrize(
    "answer",
    [
        NotSent("exchangerate", "connect_error"),
        NoAnswer("exchangerate", "read_timeout"),
        Answer(403, usd(), {}),
        Answer(200, {"result": "error", "error-type": "quota-reached"}, {}),
        Answer(403, "<html>Forbidden</html>", {}),
    ],
)
async def test_trouble_is_no_rate_and_raises_nothing(answer: Any) -> None:
    assert await ExchangeRate(Client(answer), key=None).rate("NGN") is None  # type: ignore[arg-type]
