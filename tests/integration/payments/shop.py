"""A shop with a real database and ledger, over a chain and price sources that do as they are told."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests.support.clock import FakeClock
from viralcore.core.db import Database, Tx
from viralcore.core.registry import Registry
from viralcore.ledger import module as ledger_module
from viralcore.ledger.api import house_account, user_account
from viralcore.payments import module
from viralcore.payments.api import ClaimView, Grant, InvoiceView, Item
from viralcore.payments.config import PaymentsConfig
from viralcore.payments.domain.bank import BankPayment
from viralcore.payments.domain.chain import NATIVE, ChainTransaction, Movement
from viralcore.payments.domain.exchange import FxReading
from viralcore.payments.ports import (
    AccountGiven,
    Agreement,
    BankDown,
    BankLookup,
    ChainUnavailable,
    Found,
    Lookup,
    Missing,
    NoAccount,
    NotThere,
    PaidIn,
    Pending,
    Scan,
    StillPending,
    WillNotCome,
)

OURS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
PAYER = "0x" + "b" * 40
OTHER = "0x" + "c" * 40
USDT = "0x55d398326f99059ff775485246999027b3197955"
FAKE = "0x" + "f" * 40
SETTINGS = Path(__file__).parents[3] / "settings/payments.toml"


def settings(*, by_bank: bool = False, **changes: Any) -> PaymentsConfig:
    table = tomllib.loads(SETTINGS.read_text())
    table["networks"] = {"bsc": table["networks"]["bsc"]}  # its chain is the only one there is
    for path, value in changes.items():
        *folders, name = path.split("__")
        inner = table
        for folder in folders:
            inner = inner[folder]
        inner[name] = value
    environment = {
        "bsc_deposit_address": OURS,
        "bsc_rpc_url": ["http://a", "http://b"],
        "flutterwave_api_key": "FLWSECK_TEST-0123456789abcdef-X" if by_bank else None,
    }
    return PaymentsConfig.model_validate({**table, **environment})


@dataclass
class FakeChain:
    """The port `Chain`: a list of blocks, and what the nodes say instead of the truth."""

    clock: FakeClock
    network: str = "bsc"
    nodes: int = 2
    height: int = 1000
    final: int = 1000
    down: bool = False
    verdict: Agreement = "agrees"
    calls: int = 0
    known: dict[str, ChainTransaction] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)  # from the watcher
    numbers: Any = field(default_factory=lambda: count(1))

    def mine(
        self,
        *movements: Movement,
        success: bool = True,
        final: bool = True,
        block: int | None = None,
        at: datetime | None = None,
        contract_call: bool = False,
    ) -> str:
        canonical = "0x" + f"{next(self.numbers):064x}"
        self.height += 1
        self.known[canonical] = ChainTransaction(
            network="bsc",
            hash=canonical,
            success=success,
            final=False,
            block=block or self.height,
            block_time=(at or self.clock.now()).astimezone(UTC),
            movements=movements,
            contract_call=contract_call,
        )
        if final:
            self.final = self.height
        return canonical

    def finalize(self) -> None:
        self.final = self.height

    async def finalized(self) -> int:
        self._ask()
        return self.final

    async def scan(self, *, after: int, limit: int, fresh: int) -> Scan:
        self._ask()
        upto = min(self.final, after + limit)
        return Scan(
            max(upto, after), self._in(after + 1, upto), self.final - upto, self._in(self.final + 1, self.height)
        )

    def _in(self, first: int, last: int) -> tuple[str, ...]:
        return tuple(
            found.hash
            for found in self.known.values()
            if first <= found.block <= last
            and found.hash not in self.hidden
            and any(m.recipient == OURS.lower() and m.contract in (USDT, NATIVE) for m in found.movements)
        )

    async def transaction(self, canonical_hash: str) -> Lookup:
        self._ask()
        found = self.known.get(canonical_hash)
        if canonical_hash in self.pending:
            return Pending()
        if found is None:
            return Missing(2)
        return Found(replace(found, final=found.block <= self.final), "one")

    async def confirm(self, found: Found) -> Agreement:
        return self.verdict

    def _ask(self) -> None:
        self.calls += 1
        if self.down:
            raise ChainUnavailable("down")


@dataclass
class FakePrices:
    """The port `PriceSource`."""

    quotes: dict[str, Decimal]

    async def prices(self, names: Sequence[str]) -> dict[str, Decimal]:
        return {name: self.quotes[name] for name in names if name in self.quotes}


@dataclass
class FakeFx:
    """The port `FxSource`: a naira rate made this morning, unless told otherwise."""

    clock: FakeClock
    per_usd: Decimal = Decimal(1500)
    made_at: datetime | None = None
    silent: bool = False
    asked: int = 0

    async def rate(self, currency: str) -> FxReading | None:
        self.asked += 1
        if self.silent or currency != "NGN":
            return None
        today = self.clock.now().replace(hour=0, minute=0, second=1, microsecond=0)
        return FxReading(self.per_usd, self.made_at or today)


@dataclass
class FakeBank:
    """The port `Bank`: gives accounts, takes payments to them, and answers about them."""

    clock: FakeClock
    refuses: NoAccount | None = None
    down: bool = False
    unlisted: bool = False
    hide: set[str] = field(default_factory=set)  # ids the API does not know yet
    pending: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    asked_for: list[dict[str, Any]] = field(default_factory=list)
    accounts: dict[str, str] = field(default_factory=dict)  # number -> reference
    payments: dict[str, BankPayment] = field(default_factory=dict)
    calls: int = 0
    fee_raw: int = 0
    counter: Any = field(default_factory=lambda: count(1))

    async def account(self, **asked: Any) -> AccountGiven | NoAccount:
        self.calls += 1
        self.asked_for.append(asked)
        number = f"{next(self.counter):010d}"
        if self.refuses is None or self.refuses.reason == "silent":
            self.accounts[number] = asked["reference"]
        if self.refuses is not None:
            return self.refuses
        until = self.clock.now() + timedelta(seconds=asked["seconds"])
        return AccountGiven(number, "Mock Bank", f"FLW-{number}", asked["amount_raw"] + self.fee_raw, until)

    def pay(
        self, to: str, amount: Decimal | str | int, *, currency: str = "NGN", at: datetime | None = None
    ) -> BankPayment:
        """Money for an account number or a reference."""
        number = str(1_312_406_000 + next(self.counter))
        paid = BankPayment(
            number, self.accounts.get(to, to), currency, int(Decimal(amount) * 100), at or self.clock.now()
        )
        self.payments[number] = paid
        return paid

    async def payment(self, *, payment_id: str, reference: str) -> BankLookup:
        self.calls += 1
        if self.down:
            raise BankDown("server_error")
        found = self.payments.get(payment_id)
        if not payment_id:
            found = next((one for one in reversed(self.payments.values()) if one.reference == reference), None)
        if found is None or found.id in self.hide:
            return NotThere()
        if found.id in self.pending:
            return StillPending("pending")
        return WillNotCome("failed") if found.id in self.failed else PaidIn(found)

    async def numbers(self, *, reference: str) -> tuple[str, ...]:
        self.calls += 1
        if self.unlisted:
            raise BankDown("no_list")
        return tuple(one.id for one in self.payments.values() if one.reference == reference)


class FakeUsers:
    """What payments asks of users."""

    def __init__(self) -> None:
        self.blocked: set[int] = set()
        self.finance: set[int] = {1000, 1001}
        self.audited: list[dict[str, Any]] = []

    async def authorize(self, tx: Tx, *, actor: int, right: str) -> None:
        if actor not in self.finance or right != "payments.assign":
            from viralcore.users.api import NotAllowed

            raise NotAllowed(right=right)

    async def audit(self, tx: Tx, **row: Any) -> None:
        self.audited.append(row)

    async def require_active(self, tx: Tx, *, user_id: int) -> None:
        if user_id in self.blocked:
            from viralcore.users.api import Blocked

            raise Blocked


class Shop:
    """Payments, assembled; and short names for what tests do all the time."""

    def __init__(
        self,
        database: Database,
        clock: FakeClock,
        registry: Registry,
        *,
        config: PaymentsConfig | None = None,
        chain: FakeChain | None = None,
        bank: FakeBank | None = None,
    ) -> None:
        self.db = database
        self.clock = clock
        self.config = config or settings()
        self.chain = chain or FakeChain(clock)
        self.coingecko = FakePrices({"tether": Decimal("1.0003"), "binancecoin": Decimal(600)})
        self.binance = FakePrices({"BNBUSDT": Decimal("601.5")})
        self.fx = FakeFx(clock)
        self.bank = bank or FakeBank(clock)
        self.users = FakeUsers()
        self.ledger = ledger_module.build(database).service
        self.module = module.assemble(
            db=database,
            clock=clock,
            ledger=self.ledger,
            users=self.users,  # type: ignore[arg-type]
            config=self.config,
            chains={"bsc": self.chain},
            first=self.coingecko,
            second=self.binance,
            fx=self.fx,
            bank=self.bank,
        )
        self.door = self.module.service
        self.parts = self.module.parts
        if "payments.verify" not in registry.kinds:
            registry.add_kinds(*self.module.effects)
        self._keys = count(1)

    async def start(self) -> Shop:
        await self.parts.pricing.refresh()
        await self.parts.exchange.refresh()
        await self.parts.watcher.run()
        return self

    def key(self) -> str:
        return f"k{next(self._keys)}"

    async def open(
        self, user: int = 7, *, quantity: int = 10, kind: Any = "credits", price: str = "1.50"
    ) -> InvoiceView:
        grants = (Grant("t3", quantity, Decimal(price)),) if kind == "credits" else ()
        return await self.door.open_invoice(
            key=self.key(),
            user_id=user,
            item=Item(kind, "t3", "X Tier 3", {"plan": "t3"}),
            quantity=quantity,
            unit_price=Decimal(price),
            grants=grants,
        )

    async def quoted(self, user: int = 7, method: str = "bsc:USDT", **more: Any) -> InvoiceView:
        invoice = await self.open(user, **more)
        return await self.choose(invoice, method)

    async def choose(self, invoice: InvoiceView, method: str = "bsc:USDT") -> InvoiceView:
        return await self.door.choose_method(
            key=self.key(), user_id=invoice.user_id, invoice_id=invoice.id, method=method
        )

    def send(
        self, amount: Decimal | str, asset: str = "USDT", *, to: str = OURS, sender: str = PAYER, **more: Any
    ) -> str:
        contract = USDT if asset == "USDT" else NATIVE if asset == "BNB" else asset
        return self.chain.mine(Movement(0, contract, sender, to.lower(), raw(amount)), **more)

    async def by_bank(self, user: int = 7, **more: Any) -> InvoiceView:
        """An invoice to be paid to an account the bank has made for it."""
        return await self.choose_bank(await self.open(user, **more))

    async def choose_bank(self, invoice: InvoiceView) -> InvoiceView:
        await self.choose(invoice, "bank:NGN")
        await self.ask_bank()
        return await self.see(invoice)

    async def ask_bank(self) -> None:
        """Run what waits for the bank's answer, as the queue does."""
        async with self.db.read() as conn:
            rows = await conn.execute(text("SELECT id FROM payments.charges WHERE state = 'requested' ORDER BY id"))
            waiting = [row.id for row in rows]
        for charge_id in waiting:
            said = await self.parts.naira.charging.request(charge_id)
            async with self.db.transaction() as tx:
                await self.parts.naira.charging.record(tx, charge_id, said)

    async def told(self, payment: BankPayment, *, reference: str | None = None) -> tuple[int, str] | None:
        """What a webhook about a payment leads to."""
        since = self.clock.now().isoformat()
        named = payment.reference if reference is None else reference
        payload = {"id": payment.id, "reference": named, "since": since, "once": False}
        return await self.parts.naira.watcher.check(payload)

    async def paste(self, user: int, text_: str, invoice: int | None = None) -> ClaimView:
        claim = await self.door.submit_hash(key=self.key(), user_id=user, text=text_, invoice_id=invoice)
        await self.parts.claiming.check(claim.id)
        return await self.door.get_claim(user_id=user, claim_id=claim.id)

    async def watch(self) -> None:
        await self.parts.watcher.run()

    async def tick(self, seconds: float) -> None:
        """Turn the clock and run every job, as the scheduler does."""
        self.clock.advance(seconds)
        for job in sorted(self.module.jobs, key=lambda job: job.order):
            await job.run()

    async def see(self, invoice: InvoiceView) -> InvoiceView:
        return await self.door.get_invoice(user_id=invoice.user_id, invoice_id=invoice.id)

    async def wallet(self, user: int = 7) -> int:
        return (await self.ledger.balance(account=user_account(user, "wallet"))).balance

    async def credits(self, user: int = 7, asset: str = "t3") -> int:
        return (await self.ledger.balance(account=user_account(user, "credits", asset))).balance

    async def house(self, name: str, asset: str = "USD") -> int:
        return (await self.ledger.balance(account=house_account(name, asset))).balance

    async def give(self, user: int, cents: int, account: str = "wallet") -> None:
        from viralcore.ledger.api import Entry

        async with self.db.transaction() as tx:
            await self.ledger.post(
                tx,
                key=f"gift:{self.key()}",
                kind="adjustment",
                entries=[Entry(user_account(user, account), cents), Entry(house_account("fees"), -cents)],
                description="test",
            )

    async def events(self, name: str) -> list[dict[str, Any]]:
        query = "SELECT payload FROM core.events WHERE name = :name ORDER BY recorded_at, payload->>'invoice_id'"
        async with self.db.read() as conn:
            found = await conn.execute(text(query), {"name": f"payments.{name}.v1"})
            return [dict(row.payload) for row in found]

    async def count(self, table: str) -> int:
        async with self.db.read() as conn:
            return int((await conn.scalar(text(f"SELECT count(*) FROM payments.{table}"))) or 0)

    async def sound(self) -> None:
        """The books: ledger checks, and what the chain paid in equals what is booked."""
        assert await self.ledger.check() == ()
        receipts = await self.door.receipts()
        by_bank = [receipt for receipt in receipts if receipt.network == "bank"]
        booked = sum(receipt.usd.minor for receipt in receipts if receipt.usd and receipt.network != "bank")
        network = await self.house("network:bsc:USDT") + await self.house("network:bsc:BNB")
        assert network == -booked
        kobo = sum(int(receipt.amount * 100) for receipt in by_bank if receipt.asset == "NGN")
        assert await self.house("network:bank:NGN", "NGN") == -kobo
        assert await self.house("fx", "NGN") == kobo
        assert await self.house("fx") == -sum(receipt.usd.minor for receipt in by_bank if receipt.usd)
        stray = sum(receipt.usd.minor for receipt in receipts if receipt.usd and receipt.state == "suspense")
        assert await self.house("suspense") == stray


def raw(amount: Decimal | str) -> int:
    return int(Decimal(amount).scaleb(18))


async def bought(shop: Shop, user: int = 7) -> tuple[InvoiceView, str]:
    """An invoice and the hash of a final transfer that pays it exactly, not looked at yet."""
    invoice = await shop.quoted(user)
    assert invoice.quote is not None
    return invoice, shop.send(invoice.quote.amount)
