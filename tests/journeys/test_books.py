"""A story of payouts, and then every log line and the whole database are searched for what must stand nowhere.

Requests are made through the doors, in a process of their own, as the screens make them; the bot sends, asks, hears
webhooks and compares the books.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.shopper import Shopper, pass_time, polite
from tests.journeys.story import sandbox_of, says
from tests.support.sandbox import Sandbox
from viralcore import bootstrap
from viralcore.bot.turn import Doors
from viralcore.core.clock import FileClock
from viralcore.core.db import Database
from viralcore.core.embedded import find_binaries
from viralcore.core.money import usd
from viralcore.core.registry import Registry
from viralcore.ledger import module as ledger
from viralcore.ledger.api import Entry, house_account, user_account
from viralcore.sandbox.check import settings_of
from viralcore.users.api import Profile
from viralcore.withdrawals.api import CheckView

pytestmark = pytest.mark.timeout(300)
PAID, FAILED, NOBODY = "0123456781", "0987654322", "0555444399"
SECRETS = re.compile(r"TOKEN|API_KEY|SECRET|ENCRYPTION_KEYS|FINGERPRINT_KEY|PASSWORD|DSN")
PATIENCE = 30.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("leaks")


@pytest.fixture(scope="module")
def sandbox(folder: Path) -> Iterator[Sandbox]:
    with sandbox_of(folder) as running:
        yield running


def environment(sandbox: Sandbox) -> dict[str, str]:
    """What the bot was told, as its own process knows it."""
    pid = sandbox.about()["bot"]["pid"]
    told = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(line.split("=", 1) for line in told if "=" in line)


class Counter:
    """Somebody who asks for money, and the owner who lets it go."""

    def __init__(self, sandbox: Sandbox, doors: Doors, db: Database) -> None:
        self.sandbox = sandbox
        self.doors = doors
        self.db = db
        self.owner = int(sandbox.about()["owner_id"])
        self._keys = count(1)

    def key(self) -> str:
        return f"leak{next(self._keys)}"

    async def person(self, user_id: int) -> None:
        users = self.doors.users
        await users.meet(key=self.key(), profile=Profile(user_id, f"P{user_id}"))
        await users.accept_terms(key=self.key(), user_id=user_id, version=users.terms_version())

    async def earn(self, user_id: int, dollars: str) -> None:
        amount = usd(dollars).minor
        async with self.db.transaction() as tx:
            entries = [Entry(user_account(user_id, "affiliate"), amount), Entry(house_account("revenue"), -amount)]
            await ledger.build(self.db).service.post(
                tx, key=self.key(), kind="commission", entries=entries, description="earned"
            )

    async def check(self, user_id: int, account: str) -> CheckView:
        door = self.doors.withdrawals
        bank = (await until(lambda: door.search_banks(text="gtb")))[0]
        asked = await door.check(
            key=self.key(),
            user_id=user_id,
            source="affiliate",
            amount=usd("20"),
            bank_id=bank.id,
            account_number=account,
        )

        async def answered() -> CheckView | None:
            found = await door.get_check(user_id=user_id, check_id=asked.id)
            return None if found.state == "asking" else found

        return await until(answered)

    async def sent(self, user_id: int, account: str) -> str:
        """Asked for, approved, at the bank; its reference."""
        door = self.doors.withdrawals
        check = await self.check(user_id, account)
        assert check.state == "ready", check.reason
        request = await door.request(key=self.key(), user_id=user_id, check_id=check.id)
        card = await door.desk.card(withdrawal_id=request.id, actor=self.owner)
        assert card.account_number == account
        for _ in range(card.request.needed):
            await door.desk.approve(key=self.key(), actor=self.owner, withdrawal_id=request.id)
        reference = f"vc-w{request.id}-a1"
        await until(lambda: self._at_the_bank(reference))
        return reference

    async def _at_the_bank(self, reference: str) -> bool:
        book = await asyncio.to_thread(self.sandbox.call, "GET", "/bank/transfers")
        return any(one["reference"] == reference for one in book)

    async def decide(self, user_id: int, reference: str, status: str, state: str) -> None:
        await asyncio.to_thread(self.sandbox.call, "POST", f"/bank/transfers/{reference}", status=status)
        number = int(reference.removeprefix("vc-w").split("-")[0])

        async def ended() -> bool:
            found = await self.doors.withdrawals.get(user_id=user_id, withdrawal_id=number)
            return found.state == state

        await until(ended)


async def until(asked: Any) -> Any:
    """What somebody else brings about: asked for until it is there."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = await asked()
        if found:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError("it did not happen")


@asynccontextmanager
async def counter_of(sandbox: Sandbox, told: dict[str, str]) -> AsyncIterator[Counter]:
    settings = settings_of(told)
    db = Database(told["DATABASE_URL"], FileClock(Path(told["CLOCK_FILE"])), Registry())
    async with bootstrap.doors(settings) as doors:
        await db.start()
        try:
            yield Counter(sandbox, doors, db)
        finally:
            await db.stop()


async def story(sandbox: Sandbox, told: dict[str, str]) -> None:
    async with counter_of(sandbox, told) as counter:
        await counter.person(counter.owner)
        await counter.doors.users.open_session(key=counter.key(), actor=counter.owner)
        for user in (2001, 2002):
            await counter.person(user)
            await counter.earn(user, "40")
        assert (await counter.check(2001, NOBODY)).state == "failed"
        await asyncio.to_thread(sandbox.call, "POST", "/bank", duplicate_webhooks=True, envelope="mixed")
        await counter.decide(2001, await counter.sent(2001, PAID), "SUCCESSFUL", "completed")
        await asyncio.to_thread(sandbox.call, "POST", "/bank", swallow_next=1)
        await counter.decide(2002, await counter.sent(2002, FAILED), "FAILED", "failed")
        await counter.doors.withdrawals.watch.compare_now(key=counter.key(), actor=counter.owner)


def dump(told: dict[str, str]) -> str:
    binaries, libraries = find_binaries(told.get("PG_BIN"))
    env = {**os.environ, **({"LD_LIBRARY_PATH": str(libraries)} if libraries else {})}
    made = subprocess.run(
        [str(binaries / "pg_dump"), "--data-only", told["DATABASE_URL"]],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return made.stdout


def test_nothing_of_it_stands_in_a_log_or_in_the_database(sandbox: Sandbox, folder: Path) -> None:
    told = environment(sandbox)
    asyncio.run(story(sandbox, told))
    sandbox.settle()
    assert sandbox.check() == []
    # before an older log line or body is tidied away: everything that was ever written is still there
    stored = dump(told)
    logs = {path.name: path.read_text(errors="replace") for path in folder.rglob("*.log")}
    keys = {name: part for name, value in told.items() if SECRETS.search(name) for part in value.split(",") if part}
    assert {"TELEGRAM_BOT_TOKEN", "FLUTTERWAVE_API_KEY", "FLUTTERWAVE_WEBHOOK_SECRET", "ENCRYPTION_KEYS"} <= set(keys)
    hidden = keys | {"paid into": PAID, "failed": FAILED, "nobody's": NOBODY}
    for name, value in hidden.items():
        assert value not in stored, f"{name} stands in the database"
        for log, lines in logs.items():
            assert value not in lines, f"{name} stands in {log}"
    # that the search would find something: what may be stored is
    assert "vc-w1-a1" in stored
    assert PAID[-4:] in stored
    assert "http_call" in logs["bot.log"]
    for table in ("payments.webhooks", "withdrawals.accounts"):
        assert "gAAAAA" in stored.split(f"COPY {table} ", 1)[1].split("\\.", 1)[0], table


@pytest.fixture(scope="module")
def owner(sandbox: Sandbox) -> Shopper:
    person = Shopper(sandbox, sandbox.about()["owner_id"])
    person.ask("/start")
    return person


def foreign_transfer(told: dict[str, str], reference: str) -> None:
    """Somebody pays through our account at the bank, and it is not us."""
    key = {"authorization": f"Bearer {told['FLUTTERWAVE_API_KEY']}"}
    body = {"account_bank": "058", "account_number": "0123456781", "amount": 15000, "currency": "NGN"}
    answer = httpx.post(f"{told['FLUTTERWAVE_BASE_URL']}/transfers", json=body | {"reference": reference}, headers=key)
    assert answer.status_code == 200


def test_a_transfer_that_is_not_ours_is_a_task_until_somebody_explains_it(sandbox: Sandbox, owner: Shopper) -> None:
    group, told = sandbox.about()["admin_group"], environment(sandbox)
    foreign_transfer(told, "salary-march")
    sandbox.call("POST", "/bank/transfers/salary-march", status="SUCCESSFUL")
    pass_time(sandbox, 28 * 3600)  # past the hour of tomorrow's comparison, whatever the time is now
    report = sandbox.wait_for(group, lambda m: "The books of the day" in m["text"] and "Differences that" in m["text"])
    polite(report, "Compared at", "Differences that wait for somebody: 2")  # the transfer, and what left the balance
    card = sandbox.wait_for(group, "salary-march")
    polite(card, "we did not send it", "₦15,000, arrived", "account ending in 6781")
    assert "0123456781" not in card["text"]
    polite(owner.ask("/admin"), "Admin Panel")
    sandbox.press(owner.id, "Accept with a reason", chat=group, message_id=card["message_id"])
    sandbox.wait_for(group, "Why is difference")
    sandbox.answer(owner.id, "Salary of March, paid by hand", group)
    sandbox.wait_for(group, "is accepted")
    closed = sandbox.wait_for(group, lambda m: m["message_id"] == card["message_id"] and "Accepted by" in m["text"])
    says(closed, "Salary of March, paid by hand")
    assert not closed["buttons"]
    polite(owner.go("Books", until="Compared at"), "Differences that wait for somebody: 1", "We hold what we owe")
    polite(owner.go("Differences", until="explanation"), "More left the bank balance")
    assert sandbox.check() == ["payout salary-march: 15000.00 NGN were sent and belong to no withdrawal"]


def test_short_of_money_payouts_stop_until_an_owner_lets_them_go_on(sandbox: Sandbox, owner: Shopper) -> None:
    told = environment(sandbox)

    async def earn() -> None:
        async with counter_of(sandbox, told) as counter:
            await counter.earn(2001, "9000")

    asyncio.run(earn())
    pass_time(sandbox, 1900)
    group = sandbox.about()["admin_group"]
    says(sandbox.wait_for(group, "We hold less than we owe"), "Automatic payouts are stopped")
    polite(owner.ask("/admin"), "Admin Panel")
    shown = owner.go("Books", "Owed and held", until="We owe")
    polite(shown, "less than we owe", "Automatic payouts are stopped", "Affiliate balances")
    polite(owner.go("Let automatic payouts go on", until="Why may"), "go on now")
    polite(owner.ask("A transfer from the wallets is under way"), "Automatic payouts go on")
    pass_time(sandbox, 1900)
    owner.ask("/admin")
    shown = owner.go("Books", "Owed and held", until="We owe")
    assert "less than we owe" in shown["text"]
    assert "are stopped" not in shown["text"]
