"""Flutterwave's envelope, values, signatures and webhooks, against every recorded answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from viralcore.core.http import Answer, BreakerOpen, NoAnswer, NotSent, parse_json
from viralcore.core.providers import flutterwave as fw
from viralcore.core.providers.flutterwave import Declined, Flutterwave, Granted, Hook, Unclear, Unsent

RECORDED = Path(__file__).parents[2] / "fixtures" / "flutterwave"
SECRET = SecretStr("a-secret-hash")


def recorded(name: str) -> Any:
    return parse_json((RECORDED / f"{name}.json").read_text())


@pytest.mark.parametrize(
    ("name", "status", "family"),
    [
        ("auth_401_invalid_key", 401, "authorization"),
        ("merchant_approval_400", 400, "setup"),
        ("transfer_create_400_ip_whitelist", 400, "setup"),
        ("transfer_create_400_duplicate_reference", 400, "duplicate"),
        ("transaction_verify_400_not_found", 400, "not_found"),
        ("accounts_resolve_400_invalid", 400, "validation"),
        ("virtual_account_create_400_no_bvn", 400, "validation"),
    ],
)
def test_a_no_of_theirs_has_a_family(name: str, status: int, family: str) -> None:
    said = fw.read_reply(Answer(status, recorded(name), {}))
    assert isinstance(said, Declined)
    assert said.family == family
    assert said.message


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"status": "failed"}),
        (200, "<html>"),
        (200, []),
        (200, None),
        (302, ""),
        (403, "<html>blocked by a gateway</html>"),
        (404, {"error": "no route"}),
        (400, {"status": "success", "data": {}}),
    ],
)
def test_what_is_not_their_envelope_is_neither_yes_nor_no(status: int, body: Any) -> None:
    assert isinstance(fw.read_reply(Answer(status, body, {})), Unclear)


def test_too_many_requests_is_a_no_whoever_says_it() -> None:
    assert fw.read_reply(Answer(429, "slow down", {})) == Declined("busy", "")
    assert fw.read_reply(Answer(429, {"status": "error", "message": "x"}, {})) == Declined("busy", "x")


def test_an_error_under_status_200_is_a_no() -> None:
    assert fw.read_reply(Answer(200, {"status": "error", "message": "amount is required"}, {})) == Declined(
        "validation", "amount is required"
    )


class Client:
    """Stands for a `ProviderClient`."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    async def read_json(self, method: str, path: str, **more: Any) -> Answer:
        return self._next(method, path, more)

    async def send(self, method: str, path: str, **more: Any) -> Answer:
        return self._next(method, path, more)

    def _next(self, method: str, path: str, more: dict[str, Any]) -> Answer:
        self.asked.append((method, path, more))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Answer) else Answer(200, answer, {})


@pytest.mark.parametrize(
    ("failure", "reply"),
    [
        (NotSent("flutterwave", "connect_error"), Unsent("connect_error")),
        (BreakerOpen("flutterwave"), Unsent("breaker_open")),
        (NoAnswer("flutterwave", "read_timeout"), Unclear("read_timeout")),
        (NoAnswer("flutterwave", "server_error", status=503), Unclear("server_error")),
    ],
)
async def test_silence_says_what_it_proves(failure: Exception, reply: object) -> None:
    client = Client(failure, failure)
    flutterwave = Flutterwave(client, SECRET)  # type: ignore[arg-type]
    assert await flutterwave.read("balances") == reply
    assert await flutterwave.send("charges", {}) == reply


async def test_the_key_is_in_the_header_and_nowhere_else() -> None:
    client = Client({"status": "success", "data": 1}, {"status": "success", "data": None})
    flutterwave = Flutterwave(client, SECRET)  # type: ignore[arg-type]
    assert await flutterwave.read("transfers", reference="vc-w1-a1") == Granted(1, {"status": "success", "data": 1})
    await flutterwave.send("charges", {"a": 1}, type="bank_transfer")
    headers = {"Authorization": "Bearer a-secret-hash"}
    assert client.asked == [
        ("GET", "transfers", {"params": {"reference": "vc-w1-a1"}, "headers": headers}),
        ("POST", "charges", {"params": {"type": "bank_transfer"}, "json": {"a": 1}, "headers": headers}),
    ]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (100, 10000),
        (Decimal("101.5"), 10150),
        ("1500.00", 150000),
        (Decimal("98.6000000001"), 9860),
        (Decimal("0.019"), 1),
        ("NaN", None),
        ("Infinity", None),
        ("N/A", None),
        ("", None),
        (None, None),
        (True, None),
        (0, None),
        (-5, None),
        ([], None),
        (10**16, None),
    ],
)
def test_amounts_as_they_send_them(given: Any, wanted: int | None) -> None:
    assert fw.minor_units(given) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("2024-03-21T17:40:08.000Z", datetime(2024, 3, 21, 17, 40, 8, tzinfo=UTC)),
        ("2024-03-21T18:40:08+01:00", datetime(2024, 3, 21, 17, 40, 8, tzinfo=UTC)),
        (1689847855598, datetime(2023, 7, 20, 10, 10, 55, 598000, tzinfo=UTC)),
        ("1689847855598", datetime(2023, 7, 20, 10, 10, 55, 598000, tzinfo=UTC)),
        ("2024-03-21 5:40:08 PM", datetime(2024, 3, 21, 17, 40, 8, tzinfo=UTC)),
        ("2024-03-21 12:40:08 AM", datetime(2024, 3, 21, 0, 40, 8, tzinfo=UTC)),
        ("2024-03-21 17:40:08", datetime(2024, 3, 21, 17, 40, 8, tzinfo=UTC)),
        ("N/A", None),
        ("", None),
        (None, None),
        (True, None),
        (10**30, None),
    ],
)
def test_times_as_they_send_them(given: Any, wanted: datetime | None) -> None:
    assert fw.moment(given) == wanted


def hmac_of(raw: bytes, key: str = "a-secret-hash") -> str:
    return base64.b64encode(hmac.new(key.encode(), raw, hashlib.sha256).digest()).decode()


@pytest.mark.parametrize(
    ("plain", "digest", "wanted"),
    [
        ("a-secret-hash", None, True),
        (None, hmac_of(b"{}"), True),
        ("a-secret-hash", "nonsense", True),
        (None, None, False),
        ("", "", False),
        ("a-secret-hasH", None, False),
        ("a-secret-has", None, False),
        (None, "a-secret-hash", False),
        (hmac_of(b"{}"), None, False),
        (None, hmac_of(b"{} "), False),
        (None, hmac_of(b"{}", "another"), False),
        ("\udce9", "\udce9", False),
    ],
)
def test_a_signature(plain: str | None, digest: str | None, wanted: bool) -> None:
    assert fw.signed(b"{}", secret=SECRET, plain=plain, digest=digest) is wanted


def test_without_a_secret_nothing_is_believed() -> None:
    for secret in (None, SecretStr("")):
        assert not fw.signed(b"{}", secret=secret, plain="", digest=None)
        assert not fw.signed(b"{}", secret=secret, plain="a-secret-hash", digest=hmac_of(b"{}", ""))


@pytest.mark.parametrize(
    ("name", "event", "kind", "number", "reference", "status"),
    [
        (
            "webhook_charge_completed_bank_transfer_live_2024",
            *("charge.completed", "charge", "1312406045", "PSA-y04qd5as2dhcjrpo", "successful"),
        ),
        ("webhook_charge_completed_failed_live_2022", "charge.completed", "charge", "562412944", "1111", "failed"),
        (
            "webhook_transfer_completed_successful_live_2024",
            *("transfer.completed", "transfer", "71780490", "TRANS-nvsuiysb3mruuugg7", "SUCCESSFUL"),
        ),
        ("webhook_transfer_completed_failed_live_2022", "transfer.completed", "transfer", "19015073", "1116", "FAILED"),
        (
            "webhook_transfer_failed_insufficient_funds_2020_legacy",
            *("Transfer", "transfer", "4898213", "SMNY201207165305", "FAILED"),
        ),
        (
            "webhook_legacy_bank_transfer_2019",
            *("BANK_TRANSFER_TRANSACTION", "charge", "68376907", "Rave-Pages374737616222", "successful"),
        ),
    ],
)
def test_every_envelope_is_recognised(
    name: str, event: str, kind: str, number: str, reference: str, status: str
) -> None:
    raw = (RECORDED / f"{name}.json").read_bytes()
    assert fw.read_hook(recorded(name), raw) == Hook(
        f"{event}:{number}:{status}",
        event,
        kind,
        number,
        reference,
        status,  # type: ignore[arg-type]
    )


def test_v4_is_recognised_and_not_taken_for_ours() -> None:
    hook = fw.read_hook(recorded("v4_webhook_charge_completed"), b"")
    assert (hook.external_id, hook.event, hook.kind) == ("v4:wbk_W5p6ktwU0jQ8RO4By860", "charge.completed", "other")


@pytest.mark.parametrize("body", [None, [], "x", 5, {}, {"event": None}, {"data": 1}, {"event": {"a": 1}, "data": []}])
def test_what_is_no_webhook_has_the_name_of_its_body(body: Any) -> None:
    hook = fw.read_hook(body, b"raw")
    assert (hook.kind, hook.external_id) == ("other", f"body:{hashlib.sha256(b'raw').hexdigest()}")


def test_words_are_what_a_database_takes() -> None:
    body = json.loads('{"event": "charge.\\u0000completed", "data": {"id": "\\ud800", "tx_ref": "' + "x" * 500 + '"}}')
    hook = fw.read_hook(body, b"")
    assert hook.event == "charge.completed"
    assert len(hook.reference) == 200
    assert (hook.id + hook.external_id).encode()
    assert fw.read_hook({"event": "charge.completed", "data": {"id": 10**300}}, b"").id == ""
