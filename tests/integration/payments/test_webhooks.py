"""Flutterwave's webhooks over real HTTP: believed only when signed, kept first, and never more than a reason to ask."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import random
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.integration.payments.shop import FakeBank, Shop, settings
from tests.support.clock import FakeClock
from tests.support.queueing import settled, until
from tests.support.sizes import size
from viralcore.core.crypto import Cipher, new_key
from viralcore.core.db import Database
from viralcore.core.inbox import Inbox, InboxItem
from viralcore.core.metrics import Metrics
from viralcore.core.nursery import Nursery
from viralcore.core.queue import QueueEngine
from viralcore.core.registry import Registry
from viralcore.payments.adapters.webhook import MAX_BODY, Webhook
from viralcore.payments.api import InvoiceView
from viralcore.payments.domain.bank import BankPayment
from viralcore.payments.service.hooks import SOURCE
from viralcore.web.server import WebServer

pytestmark = pytest.mark.timeout(240)
SECRET = "a-secret-hash-0123456789"
PATH = "/webhooks/flutterwave"


@dataclass
class Till:
    """The shop with everything that runs by itself: HTTP in, inbox, queue."""

    shop: Shop
    engine: QueueEngine
    inbox: Inbox
    http: httpx.AsyncClient
    metrics: Metrics

    async def post(self, body: bytes, headers: dict[str, str] | None = None) -> int:
        headers = {"verif-hash": SECRET} if headers is None else headers
        return (await self.http.post(PATH, content=body, headers=headers)).status_code

    async def quiet(self) -> None:
        async def handled() -> bool:
            return await self.inbox.backlog() == 0

        await until(handled, 60)
        await settled(self.engine)

    async def rows(self, query: str) -> list[Any]:
        async with self.shop.db.read() as conn:
            return [tuple(row) for row in await conn.execute(text(query))]

    async def kept(self) -> int:
        return await self.shop.count("webhooks") + len(await self.rows("SELECT 1 FROM core.inbox"))


def build(
    database: Database, registry: Registry, clock: FakeClock, nursery: Nursery, secret: str | None
) -> tuple[Shop, Inbox, WebServer, Metrics]:
    database.cipher = Cipher([new_key()], "f" * 32)
    shop = Shop(database, clock, registry, bank=FakeBank(clock), config=settings(by_bank=True))
    inbox, metrics = Inbox(database, nursery, workers=32), Metrics()
    given = shop.config.model_validate({**shop.config.model_dump(), "flutterwave_webhook_secret": secret})
    route = type(shop.module)(
        **{
            **{name: getattr(shop.module, name) for name in shop.module.__dataclass_fields__},
            "webhook_secret": given.flutterwave_webhook_secret,
        }
    ).listen(inbox, metrics)
    return shop, inbox, WebServer(nursery, metrics, host="127.0.0.1", port=0, routes=[route]), metrics


@pytest.fixture
def secret() -> str | None:
    return SECRET


@pytest.fixture
async def till(
    database: Database,
    registry: Registry,
    clock: FakeClock,
    nursery: Nursery,
    engine: QueueEngine,
    secret: str | None,
) -> AsyncIterator[Till]:
    shop, inbox, server, metrics = build(database, registry, clock, nursery, secret)
    await shop.start()
    await engine.start()
    await inbox.start()
    await server.start()
    base = f"http://127.0.0.1:{server.port}"
    limits = httpx.Limits(max_connections=32)
    async with httpx.AsyncClient(base_url=base, timeout=60, trust_env=False, limits=limits) as http:
        yield Till(shop, engine, inbox, http, metrics)
    await server.stop()
    await inbox.stop()


def told(payment: BankPayment, *, event: str = "charge.completed", status: str = "successful", **more: Any) -> bytes:
    data = {"id": int(payment.id), "tx_ref": payment.reference, "status": status, "amount": 1, "currency": "NGN"}
    return json.dumps({"event": event, "data": {**data, **more}}).encode()


def legacy(payment: BankPayment) -> bytes:
    body = {
        "id": int(payment.id),
        "txRef": payment.reference,
        "status": "successful",
        "amount": 1,
        "event.type": "BANK_TRANSFER_TRANSACTION",
    }
    return json.dumps(body).encode()


def hmac_of(raw: bytes, key: str = SECRET) -> str:
    return base64.b64encode(hmac.new(key.encode(), raw, hashlib.sha256).digest()).decode()


def number(invoice: InvoiceView) -> str:
    assert invoice.quote is not None
    assert invoice.quote.account is not None
    return invoice.quote.account.number


async def bought(till: Till, user: int = 7) -> tuple[InvoiceView, BankPayment]:
    """An invoice with an account, and its exact payment, which nobody has told of."""
    invoice = await till.shop.choose(await till.shop.open(user), "bank:NGN")
    await till.quiet()
    invoice = await till.shop.see(invoice)
    return invoice, till.shop.bank.pay(number(invoice), "24000")


@pytest.mark.parametrize("how", ["plain", "digest", "both", "legacy"])
async def test_a_signed_webhook_buys(till: Till, how: str) -> None:
    invoice, paid = await bought(till)
    body = legacy(paid) if how == "legacy" else told(paid)
    headers = {"verif-hash": SECRET} if how != "digest" else {}
    if how in ("digest", "both"):
        headers["flutterwave-signature"] = hmac_of(body)
    assert await till.post(body, headers) == 200
    await till.quiet()
    assert (await till.shop.see(invoice)).state == "paid"
    ((event, kind, sealed),) = await till.rows("SELECT event, kind, sealed FROM payments.webhooks")
    assert (event, kind) == ("BANK_TRANSFER_TRANSACTION" if how == "legacy" else "charge.completed", "charge")
    cipher = till.shop.db.cipher
    assert cipher is not None
    assert cipher.decrypt(sealed) == body.decode()
    assert paid.reference not in sealed
    await till.shop.sound()


async def test_a_wrong_or_missing_signature_is_refused_and_nothing_is_kept(till: Till) -> None:
    invoice, paid = await bought(till)
    body = told(paid)
    before = await till.kept()
    for headers in (
        {},
        {"verif-hash": ""},
        {"verif-hash": SECRET + "x"},
        {"verif-hash": SECRET[:-1]},
        {"verif-hash": hmac_of(body)},
        {"flutterwave-signature": SECRET},
        {"flutterwave-signature": hmac_of(body, "another")},
        {"flutterwave-signature": hmac_of(body + b" ")},
        {"x-verif-hash": SECRET},
    ):
        assert await till.post(body, headers) == 401
    assert await till.post(b"not json", {}) == 401
    await till.quiet()
    assert await till.kept() == before
    assert (await till.shop.see(invoice)).state == "open"
    assert 'outcome="forged",source="flutterwave"} 10.0' in (await till.metrics.render()).decode()


class TestWithoutASecret:
    @pytest.fixture
    def secret(self) -> str | None:
        return None

    async def test_every_webhook_is_refused(self, till: Till) -> None:
        for headers in ({}, {"verif-hash": ""}, {"verif-hash": "None"}, {"flutterwave-signature": hmac_of(b"{}", "")}):
            assert await till.post(b"{}", headers) == 401
        assert await till.kept() == 0


async def test_huge_bodies_and_nonsense(till: Till) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 1000 + 2):
            yield b"x" * 1000

    answer = await till.http.post(PATH, content=endless(), headers={"verif-hash": SECRET})
    assert answer.status_code == 413
    assert await till.post(b"x" * (MAX_BODY + 1)) == 413
    assert await till.post(b"x" * (3 * 1024 * 1024)) == 413
    for body in (b"", b"{", b"\xff\xfe", b"NaN", b"[" * 100_000, b'{"a": 1e999999999}', b"id=1&status=successful"):
        assert await till.post(body) == 400, body[:20]
    assert await till.kept() == 0
    for body in (
        b"{}",
        b"[]",
        b"null",
        b'"x"',
        b'{"event": 5, "data": "x"}',
        b'{"event":"\\u0000","data":{"id":"\\ud800"}}',
    ):
        assert await till.post(body) == 200, body
    await till.quiet()
    assert await till.rows("SELECT count(*) FROM core.inbox WHERE state <> 'handled'") == [(0,)]
    assert await till.rows("SELECT count(*) FROM core.effects WHERE kind = 'payments.bank_verify'") == [(0,)]
    assert (await till.http.get(PATH)).status_code == 405


async def test_a_lie_in_a_signed_body_moves_nothing(till: Till) -> None:
    """The secret leaks easily: what a body says of money is never believed."""
    mine, _ = await bought(till)
    theirs, small = await bought(till, 8)
    till.shop.bank.payments.pop(small.id)
    small = till.shop.bank.pay(number(theirs), "100")
    await till.post(told(small, amount=24000, tx_ref="vc-c1", currency="NGN"))
    await till.post(told(BankPayment("999", "vc-c1", "NGN", 1, small.paid_at), amount=24000))
    await till.quiet()
    assert ((await till.shop.see(mine)).state, (await till.shop.see(theirs)).state) == ("open", "open")
    assert (await till.shop.wallet(7), await till.shop.wallet(8)) == (0, 6)
    await till.shop.sound()


async def test_the_same_news_is_one_row_and_other_news_another(till: Till) -> None:
    _, paid = await bought(till)
    for body in (told(paid), told(paid), told(paid, status="pending"), told(paid, event="charge.updated")):
        assert await till.post(body) == 200
    await till.quiet()
    assert await till.shop.count("webhooks") == 3
    assert await till.shop.count("receipts") == 1


async def test_transfers_are_left_for_whoever_pays_out(till: Till) -> None:
    body = json.dumps({"event": "transfer.completed", "data": {"id": 5, "reference": "vc-w1-a1", "status": "FAILED"}})
    for _ in range(2):
        assert await till.post(body.encode()) == 200
    await till.quiet()
    assert await till.shop.events("transfer_reported") == [{"reference": "vc-w1-a1", "transfer_id": "5"}]
    assert await till.rows("SELECT kind FROM payments.webhooks") == [("transfer",)]
    assert await till.rows("SELECT count(*) FROM core.effects") == [(0,)]


async def test_what_cannot_be_kept_is_not_confirmed(till: Till) -> None:
    _, paid = await bought(till)
    async with till.shop.db.transaction() as tx:
        await tx.conn.execute(text("RESET ROLE"))
        await tx.conn.execute(text("ALTER TABLE payments.webhooks RENAME TO gone"))
    assert await till.post(told(paid)) == 503
    assert await till.rows("SELECT count(*) FROM core.inbox") == [(0,)]
    async with till.shop.db.transaction() as tx:
        await tx.conn.execute(text("RESET ROLE"))
        await tx.conn.execute(text("ALTER TABLE payments.gone RENAME TO webhooks"))
    assert await till.post(told(paid)) == 200
    await till.quiet()
    assert await till.shop.count("receipts") == 1


async def test_bodies_are_forgotten_after_a_week(till: Till) -> None:
    _, paid = await bought(till)
    await till.post(told(paid))
    await till.quiet()
    till.shop.clock.advance(7 * 86400 - 1)
    await till.shop.parts.naira.hooks.prune()
    assert await till.shop.count("webhooks") == 1
    till.shop.clock.advance(2)
    await till.shop.parts.naira.hooks.prune()
    assert await till.shop.count("webhooks") == 0
    assert await till.post(told(paid)) == 200  # a straggler is one more question, and no more money
    await till.quiet()
    assert await till.shop.count("receipts") == 1


async def test_an_answer_that_is_late_is_waited_for(till: Till) -> None:
    invoice, paid = await bought(till)
    till.shop.bank.hide.add(paid.id)
    assert await till.post(told(paid)) == 200
    await till.quiet()
    till.shop.bank.hide.clear()
    for _ in range(3):
        till.shop.clock.advance(60)
        await till.engine.effects.release_due()
        await till.quiet()
    assert (await till.shop.see(invoice)).state == "paid"


async def test_a_webhook_that_is_handled_again_after_a_crash_is_asked_about_once(till: Till) -> None:
    """The inbox hands an item out again after a crash: what is stored twice has one key."""
    invoice, paid = await bought(till)
    assert await till.post(told(paid)) == 200
    await till.quiet()
    rows = await till.rows("SELECT id, external_id, order_key FROM core.inbox")
    facts = {"kind": "charge", "id": paid.id, "reference": paid.reference, "event": "charge.completed"}
    for number_, external_id, order_key in rows * 3:
        item = InboxItem(number_, SOURCE, external_id, order_key, facts, till.shop.clock.now(), 1)
        await till.shop.parts.naira.hooks.handle(item)
    await till.quiet()
    assert await till.rows("SELECT count(*) FROM core.effects WHERE kind = 'payments.bank_verify'") == [(1,)]
    assert (await till.shop.see(invoice)).state == "paid"
    assert await till.shop.count("receipts") == 1


async def _storm(till: Till, bodies: Sequence[bytes]) -> float:
    """Everything at once, 32 at a time; seconds until every credit is booked."""
    gate = asyncio.Semaphore(32)

    async def one(body: bytes) -> int:
        async with gate:
            return await till.post(body, {"flutterwave-signature": hmac_of(body)})

    began = time.perf_counter()
    statuses = await asyncio.gather(*(one(body) for body in bodies))
    taken = time.perf_counter() - began
    assert set(statuses) == {200}
    sys.stdout.write(f"\n{len(bodies)} webhooks confirmed in {taken:.2f} s: {len(bodies) / taken:.0f}/s\n")
    await till.quiet()
    return time.perf_counter() - began


async def test_two_thousand_webhooks_shuffled_and_repeated_are_exactly_the_right_credits(till: Till) -> None:
    """500 people (fewer in a quick run); some pay exactly, short, over, twice, in another currency, or to nobody."""
    order, shop = random.Random(7), till.shop
    opened = [await shop.choose(await shop.open(user), "bank:NGN") for user in range(1, size(500, 80) + 1)]
    await till.quiet()
    invoices = [await shop.see(invoice) for invoice in opened]
    wanted: dict[int, tuple[str, int]] = {}
    news: list[bytes] = []
    for place, invoice in enumerate(invoices):
        how = ("exact", "exact", "exact", "short", "over", "twice", "foreign", "pending")[place % 8]
        amount = {"short": "16000", "over": "32000"}.get(how, "24000")
        payments = [
            shop.bank.pay(number(invoice), amount, currency="GHS" if how == "foreign" else "NGN")
            for _ in range(2 if how == "twice" else 1)
        ]
        if how == "pending":
            shop.bank.failed.add(payments[0].id)
        wanted[invoice.user_id] = {
            "short": ("open", 1000),
            "over": ("paid", 500),
            "twice": ("paid", 1500),
            "foreign": ("open", 0),
            "pending": ("open", 0),
        }.get(how, ("paid", 0))
        for payment in payments:
            news += [told(payment), told(payment, status="pending"), legacy(payment)][: 1 + place % 3]
    news += [told(shop.bank.pay(f"PSA-{n}", "1600")) for n in range(20)]
    bodies = [body for body in news for _ in range(order.randint(1, 3))]
    bodies += order.choices(news, k=max(0, size(2000, 320) - len(bodies)))
    order.shuffle(bodies)
    seconds = await _storm(till, bodies)
    sys.stdout.write(f"{len(bodies)} webhooks booked in {seconds:.2f} s: {len(bodies) / seconds:.0f}/s\n")
    got = {}
    for invoice in invoices:
        seen = await shop.see(invoice)
        got[invoice.user_id] = (seen.state, await shop.wallet(invoice.user_id))
    assert got == wanted
    money = [payment for payment in shop.bank.payments.values() if payment.id not in shop.bank.failed]
    assert await till.rows("SELECT count(*), count(DISTINCT hash) FROM payments.receipts") == [(len(money),) * 2]
    assert await till.rows("SELECT state, count(*) FROM core.inbox GROUP BY 1") == [("handled", len(set(news)))]
    await sound(till)


async def sound(till: Till) -> None:
    """As `Shop.sound`, of more receipts than one page."""
    assert await till.shop.ledger.check() == ()
    ((kobo, cents),) = await till.rows(
        "SELECT sum(amount_raw) FILTER (WHERE asset = 'NGN')::bigint, sum(usd_cents)::bigint FROM payments.receipts"
    )
    assert await till.shop.house("network:bank:NGN", "NGN") == -kobo
    assert (await till.shop.house("fx", "NGN"), await till.shop.house("fx")) == (kobo, -cents)
    ((stray,),) = await till.rows("SELECT sum(usd_cents)::bigint FROM payments.receipts WHERE state = 'suspense'")
    assert await till.shop.house("suspense") == stray


def test_the_route_is_where_flutterwave_is_told_it_is() -> None:
    async def accept(*_: object) -> None: ...

    assert Webhook(accept, secret=None, source=SOURCE, metrics=Metrics()).route.path == PATH
