"""What people do that is not quite what was asked: every screen says what to do, and the way back is where one was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.bot.town import OWNER, Person, Town
from tests.integration.payments.shop import OURS, PAYER, USDT, raw
from tests.support.clock import FakeClock
from viralcore.boosts.api import BadProof, CannotCancel, ClaimView, CustomSpec, LinkView, StaffCardView
from viralcore.core.db import Database
from viralcore.core.errors import DomainError
from viralcore.core.money import USD, Money
from viralcore.core.registry import Registry
from viralcore.core.screen import Action, decode, encode
from viralcore.payments.domain.chain import Movement
from viralcore.texts.actions import AskQuantity, CancelOrder, ConfirmAssign, ConfirmRefund, Go
from viralcore.texts.order_actions import ConfirmCustom, ConfirmEndCustom
from viralcore.texts.panel_actions import AskPanel, ConfirmService
from viralcore.texts.reply_actions import ConfirmReplyMoney
from viralcore.texts.withdrawal_actions import ConfirmSwitch
from viralcore.withdrawals.api import NoRate, PayoutsPaused, RequestOpen, TooMany

COMMISSION = """INSERT INTO referrals.commissions
(key, referrer_id, buyer_id, invoice_id, item_ref, cents, to_balance_cents, at)
VALUES ('k', {ada}, {ben}, 1, 'custom-{plan}', 100, 100, now())"""
PHOTO = [{"file_id": "p", "file_unique_id": "u", "width": 90, "height": 90}]
PDF = {"file_id": "d", "file_unique_id": "v", "file_name": "receipt.pdf", "mime_type": "application/pdf"}


@pytest.fixture
async def town(database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[Town]:
    here = await Town(database, clock, registry).start()
    yield here
    await here.stop()


async def boss_of(town: Town) -> Person:
    boss = Person(town, OWNER)
    await boss.says("/start")
    await boss.presses("I agree")
    await boss.says("/admin")
    return boss


async def shown(person: Person) -> str:
    return (await person.home())[1].text


async def sends(person: Person, **body: Any) -> str:
    message = {"message_id": 1, "date": 1, "chat": {"id": person.id, "type": "private"}, "from": person.who, **body}
    await person.town.handle(person.town.item({"message": message}))
    return await shown(person)


async def acts(person: Person, action: Action) -> str:
    """Press what may not stand there, with the nonce of the home."""
    number, screen = await person.home()
    nonce = next(data for data in screen.buttons.values() if data)[1:9]
    await person.town.handle(person.press(encode(action, nonce), number))
    return await shown(person)


async def back(person: Person) -> str:
    """Where Back leads."""
    data = next(data for label, data in (await person.home())[1].buttons.items() if "Back" in label)
    action = decode(data).action
    assert isinstance(action, Go)
    return action.route


async def asked(person: Person, name: str, **data: Any) -> None:
    await person.town.bot.dialogues.ask(person.id, person.id, 0, name, **data)


async def question(person: Person) -> str | None:
    found = await person.town.bot.dialogues.current(person.id, person.id, 10**9)
    return None if found is None else found.name


# --- photos and files ------------------------------------------------------------------------------------------------


async def test_a_receipt_sent_as_a_file_is_asked_for_as_a_photo(town: Town) -> None:
    ada = await town.person()
    assert "only read text" in await sends(ada, document=PDF)
    await asked(ada, "proof", invoice=7)
    assert "not as a file" in await sends(ada, document=PDF)
    assert (await question(ada), await back(ada)) == ("proof", "pay:7")


async def test_a_photo_nobody_waits_for_is_said_not_to_be_kept(town: Town) -> None:
    ada = await town.person()
    told = await sends(ada, photo=PHOTO)
    assert "I was not waiting for a photo" in told
    assert "A receipt you sent before is not affected" in told
    await ada.presses("My Balance")


async def test_a_repost_without_a_link_is_asked_for_the_profile_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await town.person()
    now = town.clock.now()
    link = LinkView("x", "https://x.com/shop/status/1990000000000000001", "shop", "1990000000000000001")
    mine = ClaimView(
        id=3,
        post_id=1,
        order_id=1,
        user_id=ada.id,
        link=link,
        metrics=("reposts",),
        state="claimed",
        proofs=(),
        reason="",
        again=False,
        claimed_at=now,
        expires_at=now,
        submitted_at=None,
        decided_at=None,
        decided_by=None,
        group_id=None,
    )

    async def claim(**_: Any) -> ClaimView:
        return mine

    async def refused(**_: Any) -> Any:
        raise BadProof(reason="no_link")

    monkeypatch.setattr(town.boosts.service.crowd, "claim", claim)
    monkeypatch.setattr(town.boosts.service.crowd, "submit", refused)
    await asked(ada, "task_proof", claim=3)
    await ada.says("here it is")
    assert "the link of <b>your profile</b>" in await shown(ada)
    assert "for a repost: of your profile" in await shown(ada)


# --- a Confirm that comes too late -----------------------------------------------------------------------------------


async def custom_plan(town: Town, person: Person) -> int:
    made = await town.boosts.service.custom.create(
        key=f"c{person.id}",
        actor=OWNER,
        user_id=person.id,
        spec=CustomSpec(title="Secret launch", likes=100, price=Decimal("1.20"), preset=5),
        give=3,
        reason="as agreed",
    )
    return int(made.id)


async def late(town: Town, what: str, ada: Person) -> Action:
    """A Confirm whose question is not open any more."""
    if what == "assign":
        town.chain.mine(Movement(0, USDT, PAYER, OURS.lower(), raw("20")))
        await town.money.parts.watcher.run()
        return ConfirmAssign(1, f"u{ada.id}")
    if what == "refund":
        await ada.gets_money(1500)
        await ada.says("/buy t3 10")
        await ada.presses("Wallet")
        return ConfirmRefund(int(await town.one("SELECT max(id) FROM payments.invoices")), 1500, 0)
    if what == "end":
        return ConfirmEndCustom(await custom_plan(town, ada), 3)
    return {
        "custom": ConfirmCustom(ada.id, 0),
        "switch": ConfirmSwitch("mode", "manual"),
        "service": ConfirmService("smmflare", "x:likes"),
        "money": ConfirmReplyMoney(ada.id, "bonus", 500),
    }[what]


async def test_a_confirm_after_its_time_says_that_nothing_was_done(town: Town) -> None:
    boss, ada = await boss_of(town), await town.person()
    for what in ("assign", "refund", "custom", "end", "switch", "service", "money"):
        told = await acts(boss, await late(town, what, ada))
        assert "That took too long, so nothing was done" in told, what


# --- reasons ---------------------------------------------------------------------------------------------------------


async def test_a_bonus_with_too_long_a_reason_is_asked_again_before_confirm(town: Town) -> None:
    boss, ada = await boss_of(town), await town.person()
    await asked(boss, "reply_money", user=ada.id, kind="bonus", kobo=0, reason="")
    await boss.says("500 " + "very good " * 40)
    assert "at most 300 letters" in await shown(boss)
    assert not [label for label in (await boss.home())[1].buttons if "Confirm" in label]
    assert await question(boss) == "reply_money"
    await boss.says("500 very good")
    assert [label for label in (await boss.home())[1].buttons if "Confirm" in label]


async def test_replies_rejected_with_too_long_a_reason_are_asked_about_again(town: Town) -> None:
    boss, ada = await boss_of(town), await town.person()
    await town.boosts.service.replies.promote(key="p", actor=OWNER, user_id=ada.id)
    one = await town.boosts.service.replies.submit_links(
        key="s", user_id=ada.id, text="https://x.com/ada/status/1990000000000000007"
    )
    await asked(boss, "reply_reason", submission=one.id)
    await boss.says("no " * 200)
    assert "at most 300 letters" in await shown(boss)
    assert (await question(boss), await back(boss)) == ("reply_reason", f"rs:{one.id}")


async def test_a_reason_against_a_receipt_may_quote_a_link(town: Town) -> None:
    boss = await boss_of(town)
    await asked(boss, "proof_reason", proof=99)
    await boss.says("It shows https://x.com/ada/status/1990000000000000007 and no transfer")
    assert "was not found" in await shown(boss)


# --- plans -----------------------------------------------------------------------------------------------------------


async def test_an_unknown_plan_is_said_over_the_shop(town: Town) -> None:
    ada = await town.person()
    for typed in ("/buy nosuch", "/buy nosuch 10"):
        await ada.says(typed)
        assert "no such plan" in await shown(ada), typed
        await ada.presses("Twitter/X")


async def test_nobody_reads_the_name_of_a_plan_made_for_another(town: Town) -> None:
    await boss_of(town)
    ada, thief = await town.person(), await town.person()
    plan = f"custom-{await custom_plan(town, ada)}"
    assert "Secret launch" in await acts(ada, AskQuantity(plan))
    assert "no such plan" in await acts(thief, AskQuantity(plan))
    for typed in (f"/buy {plan}", f"/buy {plan} 1", f"/buy {plan} 999999999"):
        await thief.says(typed)
        assert "Secret launch" not in await shown(thief), typed
        assert await question(thief) is None, typed


async def test_who_referred_a_buyer_reads_no_name_of_a_private_plan(town: Town) -> None:
    await boss_of(town)
    ada, ben = await town.person(), await town.person()
    plan = await custom_plan(town, ben)
    async with town.db.transaction() as tx:
        await tx.conn.exec_driver_sql(COMMISSION.format(ada=ada.id, ben=ben.id, plan=plan))
    for where in ("earnings", "commissions"):
        told = await acts(ada, Go(where))
        assert "a custom plan" in told, where
        assert "Secret launch" not in told, where


# --- the way back ----------------------------------------------------------------------------------------------------


async def test_an_order_that_cannot_be_cancelled_is_shown_with_the_reason(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await town.person()
    await ada.gets_credits(1)
    await ada.says(ada.link())
    await ada.presses("Confirm")
    order = int(await town.one("SELECT max(id) FROM boosts.orders"))
    await acts(ada, Go(f"ocancel:{order}"))
    assert await back(ada) == f"order:{order}"

    async def sent_already(**_: Any) -> Any:
        raise CannotCancel(order_id=order, state="sending")

    monkeypatch.setattr(town.boosts.service, "cancel", sent_already)
    told = await acts(ada, CancelOrder(order))
    assert "can no longer be cancelled" in told
    assert ada.link() in told


async def test_back_from_a_refused_cancel_at_a_panel_leads_to_the_order_there(town: Town) -> None:
    boss, ada = await boss_of(town), await town.person()
    await ada.gets_credits(1)
    await ada.says(ada.link())
    await ada.presses("Confirm")
    order = int(await town.one("SELECT max(id) FROM boosts.orders"))
    await acts(boss, AskPanel(int(await town.one("SELECT min(id) FROM boosts.phases")), "cancel"))
    assert await back(boss) == f"porder:{order}"


async def test_back_from_a_top_up_leads_to_the_balance(town: Town) -> None:
    ada = await town.person()
    await ada.presses("My Balance", "Top up", "$10")
    assert await back(ada) == "balance"


async def test_a_withdrawal_refused_for_now_keeps_amount_and_bank(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    await town.withdrawals.parts.banks.refresh()
    ada = await town.person()
    await ada.gets_money(4000, "affiliate")
    for words in ("/withdraw", "20", "access"):
        await ada.says(words)
    await ada.presses("Access Bank")
    bank = (await town.bot.dialogues.current(ada.id, ada.id, 10**9)).data["bank"]  # type: ignore[union-attr]

    refusals: list[DomainError] = []

    async def refused(**_: Any) -> Any:
        raise refusals[-1]

    for door in ("check", "quote"):
        monkeypatch.setattr(town.withdrawals.service, door, refused)
    for refusal in (NoRate(), PayoutsPaused(), TooMany(limit=5)):
        refusals.append(refusal)
        await asked(ada, "withdraw_account", source="affiliate", amount=2000, bank=bank)
        await ada.says("0123456781")
        assert await back(ada) == f"withdraw:affiliate:2000:{bank}", refusal
        await asked(ada, "withdraw_bank", source="affiliate", amount=2000)
        await ada.says("access")
        assert await back(ada) == "withdraw:affiliate:2000", refusal


async def test_an_open_request_is_said_at_the_bank_step_too(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    await town.withdrawals.parts.banks.refresh()
    ada = await town.person()
    await ada.gets_money(4000, "affiliate")
    for words in ("/withdraw", "20"):
        await ada.says(words)

    async def refused(**_: Any) -> Any:
        raise RequestOpen(withdrawal_id=1)

    monkeypatch.setattr(town.withdrawals.service, "quote", refused)
    await ada.says("access")
    assert "Withdraw" in await shown(ada)
    assert await back(ada) != "home"


# --- staff -----------------------------------------------------------------------------------------------------------


async def test_the_list_of_cards_reads_all_people_at_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    boss, people = await boss_of(town), [await town.person() for _ in range(3)]
    real, calls = town.doors.users.get_many, []

    async def waiting(**_: Any) -> tuple[StaffCardView, ...]:
        return tuple(card(number, one.id) for number, one in enumerate(people, 1))

    async def count(**_: Any) -> int:
        return len(people)

    async def counted(**given: Any) -> Any:
        calls.append(given)
        return await real(**given)

    monkeypatch.setattr(town.boosts.service.staff, "waiting", waiting)
    monkeypatch.setattr(town.boosts.service.staff, "count", count)
    monkeypatch.setattr(town.doors.users, "get_many", counted)
    assert "Ada" in await acts(boss, Go("cards"))
    assert len(calls) == 1


def card(number: int, buyer: int) -> StaffCardView:
    return StaffCardView(
        id=number,
        order_id=number,
        user_id=buyer,
        plan_id="tg_automation",
        plan_title="Telegram automation bot",
        metric="months",
        quantity=1,
        delivered=0,
        link="https://t.me/channel",
        answers={"channel": "@channel"},
        goods=True,
        state="taken",
        version=1,
        taken_by=OWNER,
        taken_at=None,
        decided_by=None,
        decided_at=None,
        reason="",
        created_at=datetime(2026, 3, 2, tzinfo=UTC),
        refunded=Money(0, USD),
    )
