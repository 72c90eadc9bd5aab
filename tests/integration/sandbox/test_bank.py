"""The bank in a running sandbox: nothing is quiet while a webhook is on its way, and the clock brings late ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.stage import Set, toy_sandbox
from tests.support.worlds import client


@pytest.fixture
async def stage() -> AsyncIterator[Set]:
    async with toy_sandbox() as running:
        yield running


async def call(stage: Set, method: str, path: str, **body: Any) -> Any:
    answer = await stage.http.request(method, f"/sandbox{path}", json=body if method == "POST" else None)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def account(stage: Set) -> str:
    async with client(stage.bank.app) as http:
        body = {"tx_ref": "vc-1", "amount": "1500", "currency": "NGN", "email": "2001@pay.example.com"}
        headers = {"authorization": f"Bearer {stage.bank.key}"}
        answer = await http.post("/v3/charges?type=bank_transfer", json=body, headers=headers)
    return str(answer.json()["meta"]["authorization"]["transfer_account"])


def numbers(stage: Set) -> Counter[int]:
    told = [json.loads(body) for body in stage.bot.hooks]
    return Counter(one.get("data", one)["id"] for one in told)


async def test_settling_waits_for_webhooks(stage: Set) -> None:
    to = await account(stage)
    await call(stage, "POST", "/bank", duplicate_webhooks=2, shuffle=True)
    paid = [(await call(stage, "POST", "/bank/pay", account_number=to, amount="1500"))["id"] for _ in range(10)]
    assert (await call(stage, "POST", "/settle", timeout_seconds=20))["quiet"]
    assert numbers(stage) == dict.fromkeys(paid, 3)
    books = await call(stage, "GET", "/books")
    wanted = {"tx_ref": "vc-1", "amount": 150_000, "currency": "NGN", "status": "successful"}
    assert books["payments"] == [{"id": str(number), **wanted} for number in paid]


async def test_the_clock_brings_late_webhooks(stage: Set) -> None:
    to = await account(stage)
    await call(stage, "POST", "/bank", webhooks="late")
    sent = await call(stage, "POST", "/bank/pay", account_number=to, amount="1500")
    assert sent["tx_ref"] == "vc-1"
    assert (await call(stage, "POST", "/settle", timeout_seconds=5))["quiet"]
    assert stage.bot.hooks == []
    assert (await call(stage, "POST", "/clock", advance_seconds=1900))["quiet"]
    assert numbers(stage) == {sent["id"]: 1}
