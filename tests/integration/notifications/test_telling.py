"""Who is told what of which event: once, in one message for one moment."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.integration.notifications.conftest import House
from tests.integration.notifications.doors import ADA, GROUP, HASH, OLU, ended, invoice, order, phase
from tests.integration.notifications.doors import stray as a_stray
from viralcore.boosts.events import (
    LinesFinished,
    OrderCreated,
    OrderFinished,
    OrderProgressed,
    PanelTrouble,
    PhaseResolved,
    PhaseUnknown,
)
from viralcore.core.money import usd
from viralcore.core.screen import decode, encode
from viralcore.ledger.events import LedgerProblemFound
from viralcore.notifications.domain import ALERTS, TOPICS, topic_of
from viralcore.notifications.service import ledger
from viralcore.notifications.service.books import BooksTeller
from viralcore.notifications.service.painting import Painter
from viralcore.notifications.service.payouts import PayoutTeller
from viralcore.payments.api import Item
from viralcore.payments.events import (
    BankTrouble,
    ClaimDecided,
    DepositConfirmed,
    DepositSeen,
    InvoiceClosedUnpaid,
    InvoicePaid,
    PricesStopped,
    ProofDecided,
    ProofSubmitted,
    StrayMoney,
)
from viralcore.texts.actions import PhaseNotPlaced, PhasePlaced
from viralcore.texts.topics import topic_name

SOURCES = Path(__file__).parents[3] / "viralcore/notifications"
SEEN = DepositSeen(invoice_id=12, user_id=ADA, network="bsc", hash=HASH)


def confirmed(outcome: str = "exact", usd_cents: int = 1500, to_wallet: int = 0) -> DepositConfirmed:
    return DepositConfirmed(
        receipt_id=4,
        invoice_id=12,
        user_id=ADA,
        network="bsc",
        asset="USDT",
        amount="15.0034",
        usd=usd_cents,
        to_wallet=to_wallet,
        outcome=outcome,
    )


def paid(method: str = "bsc:USDT") -> InvoicePaid:
    return InvoicePaid(
        invoice_id=12,
        user_id=ADA,
        item_kind="credits",
        item_ref="t3",
        quantity=10,
        total=1500,
        paid_cents=1500,
        method=method,
    )


async def test_a_paid_invoice_is_one_message_to_the_buyer_and_one_to_the_group(house: House) -> None:
    await house.happens(confirmed(), paid())
    assert len(house.ada()) == len(house.group()) == 1
    assert "15.0034 USDT on BSC (BEP-20), worth <b>$15.00</b>" in house.ada()[0]
    assert "You have <b>10 X Tier 3 posts</b>. Paste the link" in house.ada()[0]
    assert "Ada (@ada_l, <code>2001</code>)" in house.group()[0]


async def test_a_transfer_that_was_seen_is_brought_up_to_date_when_it_is_credited(house: House) -> None:
    await house.happens(SEEN)
    assert "We see your payment" in house.ada()[0]
    await house.happens(confirmed(), paid())
    assert house.chat.verbs(ADA) in (["send", "edit", "send"], ["send", "send", "edit"])
    assert "Your payment is final" in house.ada()[0]
    assert "Payment received" in house.ada()[1]


async def test_a_transfer_seen_after_it_was_credited_is_not_news(house: House) -> None:
    await house.happens(confirmed(), paid())
    await house.happens(SEEN)
    assert len(house.ada()) == 1


async def test_money_that_stays_in_the_wallet_is_told_to_the_cent(house: House) -> None:
    house.payments.invoices[12] = invoice(state="open", received=usd("10.00"), rest=usd("5.00"))
    await house.happens(confirmed("shortfall", 1000, 1000))
    assert "All of it, <b>$10.00</b>, is in your wallet" in house.ada()[0]
    assert "pay the remaining <b>$5.00</b>" in house.ada()[0]
    assert house.chat.labels(ADA)[0][0] == "▶️ Pay the rest"


async def test_a_topup_is_money_in_the_wallet(house: House) -> None:
    house.payments.invoices[12] = invoice(item=Item("topup", "wallet", "Wallet top-up"), quantity=1)
    await house.happens(confirmed("exact", 1500, 1500), paid())
    assert "<b>$15.00</b> is in your wallet, ready to spend." in house.ada()[0]
    assert len(house.ada()) == 1


async def test_paying_from_the_wallet_is_told(house: House) -> None:
    await house.happens(paid("wallet"))
    assert "$15.00 from your wallet for 10 X Tier 3 posts" in house.ada()[0]
    assert "paid from the wallet" in house.group()[0]


async def test_a_closed_invoice_says_how_to_go_on(house: House) -> None:
    house.payments.invoices[12] = invoice(state="expired", received=usd(0))
    await house.happens(InvoiceClosedUnpaid(invoice_id=12, user_id=ADA, state="expired"))
    assert "has expired" in house.ada()[0]
    assert house.group() == []


async def test_an_invoice_paid_late_before_the_message_went_is_not_called_closed(house: House) -> None:
    await house.happens(InvoiceClosedUnpaid(invoice_id=12, user_id=ADA, state="expired"))
    assert house.ada() == []
    assert await house.states() == ["dropped"]


def decided(state: str, reason: str) -> ClaimDecided:
    return ClaimDecided(claim_id=3, invoice_id=12, user_id=ADA, state=state, reason=reason)


async def test_a_pasted_hash_is_one_message_while_it_is_looked_at(house: House) -> None:
    house.payments.claim("checking", "unknown_tx")
    await house.happens(decided("checking", "unknown_tx"))
    house.payments.claim("checking", "not_final")
    await house.happens(decided("checking", "not_final"), SEEN)
    assert len(house.ada()) == 1
    assert "We wait until it cannot be taken back" in house.ada()[0]
    house.payments.claim("credited", "")
    await house.happens(confirmed(), paid(), decided("credited", ""))
    assert ["Your payment is final" in house.ada()[0], len(house.ada())] == [True, 2]


async def test_a_refused_hash_says_why_in_a_message_of_its_own(house: House) -> None:
    house.payments.claim("checking", "unknown_tx")
    await house.happens(decided("checking", "unknown_tx"))
    house.payments.claim("refused", "wrong_token")
    await house.happens(decided("refused", "wrong_token"))
    assert "We have looked at this transaction" in house.ada()[0]
    assert "a token that we do not take" in house.ada()[1]


async def test_stray_money_is_told_to_whoever_pasted_it_and_to_staff(house: House) -> None:
    house.payments.claim("suspense", "no_invoice")
    house.payments.finance.known[4] = a_stray(4)
    stray = StrayMoney(receipt_id=4, network="bsc", asset="USDT", amount="14.2", hash=HASH, user_id=ADA)
    await house.happens(stray, decided("suspense", "no_invoice"))
    assert ["fits none of your invoices" in one for one in house.ada()] == [True]
    assert "Pasted by Ada" in house.group()[0]


async def test_an_order_has_one_live_message_that_follows_it(house: House) -> None:
    created = OrderCreated(order_id=7, user_id=ADA)
    moved = OrderProgressed(order_id=7, user_id=ADA, state="in_progress")
    await house.happens(created)
    assert "The first part is sent at 02 Mar 2026, 09:30 UTC" in house.ada()[0]
    house.boosts.orders[7] = order("in_progress", 20, phases=(phase(1, state="sent"), phase(2)))
    await house.happens(moved)
    assert "20 of 75 likes" in house.ada()[0]
    assert "38 likes (sent, on its way)" in house.ada()[0]
    await house.happens(moved)
    assert house.chat.verbs(ADA) == ["send", "edit"]
    assert await house.states() == ["sent", "sent"]


async def test_progress_heard_before_the_creation_makes_the_message(house: House) -> None:
    await house.happens(OrderProgressed(order_id=7, user_id=ADA, state="sending"))
    await house.happens(OrderCreated(order_id=7, user_id=ADA))
    assert len(house.ada()) == 1


async def test_lines_are_told_while_the_order_goes_on(house: House) -> None:
    lines = (replace(order().lines[0], state="completed", delivered=75), order().lines[1])
    house.boosts.orders[7] = order("in_progress", lines=lines)
    await house.happens(LinesFinished(order_id=7, user_id=ADA, metrics="likes", state="completed"))
    assert "<b>Likes delivered</b>" in house.ada()[0]


async def test_lines_that_end_with_the_order_are_told_with_it(house: House) -> None:
    house.boosts.orders[7] = ended(order(), back=usd("0.75"))
    await house.happens(
        LinesFinished(order_id=7, user_id=ADA, metrics="likes", state="completed"),
        LinesFinished(order_id=7, user_id=ADA, metrics="comments", state="refunded"),
        OrderProgressed(order_id=7, user_id=ADA, state="completed"),
        OrderFinished(order_id=7, user_id=ADA, state="completed", refunded=75, credit_returned=False),
    )
    told = [one for one in house.ada() if "is complete" in one]
    assert len(house.ada()) == 2
    assert "Likes delivered: 75 likes" in told[0]
    assert "<b>$0.75</b> is back in your wallet for what was not delivered: $0.75 for comments" in told[0]


async def test_a_cancelled_order_only_changes_its_live_message(house: House) -> None:
    await house.happens(OrderCreated(order_id=7, user_id=ADA))
    house.boosts.orders[7] = order("cancelled", credit_returned=True)
    await house.happens(
        OrderProgressed(order_id=7, user_id=ADA, state="cancelled"),
        OrderFinished(order_id=7, user_id=ADA, state="cancelled", refunded=0, credit_returned=True),
    )
    assert len(house.ada()) == 1
    assert "The post is back in your plan" in house.ada()[0]
    assert len(house.group()) == 2


async def test_the_same_trouble_is_told_once_in_a_while(house: House) -> None:
    trouble = PanelTrouble(panel="smmflare", what="low_balance", detail="3.20 USD")
    await house.happens(trouble, trouble)
    await house.later(minutes=9)
    await house.happens(trouble)
    assert len(house.group()) == 1
    await house.happens(replace(trouble, panel="plugsmm"))
    assert len(house.group()) == 2
    await house.later(minutes=1)
    await house.happens(trouble)
    assert len(house.group()) == 3


async def test_stopped_prices_are_for_staff(house: House) -> None:
    await house.happens(PricesStopped(coin="BNB", reason="diverged"))
    assert "No quotes for BNB" in house.group()[0]


async def test_a_naira_rate_and_the_banks_trouble_are_for_staff(house: House) -> None:
    trouble = BankTrouble(what="config", detail="Invalid authorization key")
    await house.happens(PricesStopped(coin="NGN", reason="stale"), trouble, trouble)
    assert sorted("No naira rate" in text for text in house.group()) == [False, True]
    assert any("Invalid authorization key" in text for text in house.group())


async def test_a_stray_transfer_says_what_it_named(house: House) -> None:
    house.payments.finance.known[4] = a_stray(4)
    stray = StrayMoney(
        receipt_id=4,
        network="bank",
        asset="NGN",
        amount="1600",
        hash="1312406045",
        user_id=None,
        reference="PSA-1",
        reason="unknown_reference",
    )
    await house.happens(stray)
    assert all(words in house.group()[0] for words in ("₦1,600 by bank transfer", "1312406045", "PSA-1"))


async def test_a_photographed_receipt_is_a_card_until_somebody_decides(house: House) -> None:
    facts = {"proof_id": 3, "invoice_id": 12, "user_id": ADA}
    house.payments.proof()
    await house.happens(ProofSubmitted(**facts))
    assert house.chat.labels(GROUP) == [["✅ Approve", "✖️ Reject"]]
    house.payments.proof("rejected", "No date.", OLU)
    await house.happens(ProofDecided(**facts, actor=OLU, state="rejected"))
    assert "Rejected by Olu (@olu_owner, <code>1000</code>): No date." in house.group()[0]
    assert house.chat.labels(GROUP) == [[]]
    assert "No date." in house.ada()[0]


async def test_an_approved_receipt_is_told_by_its_deposit(house: House) -> None:
    facts = {"proof_id": 3, "invoice_id": 12, "user_id": ADA}
    house.payments.proof()
    await house.happens(ProofSubmitted(**facts))
    house.payments.proof("approved", "", OLU)
    await house.happens(ProofDecided(**facts, actor=OLU, state="approved"))
    assert "Accepted and credited by Olu" in house.group()[0]
    assert house.ada() == []


def resolved(how: str) -> PhaseResolved:
    return PhaseResolved(phase_id=51, order_id=7, actor=OLU, how=how)


UNKNOWN = PhaseUnknown(phase_id=51, order_id=7, panel="smmflare")


async def test_an_unknown_send_is_a_card_until_somebody_decides(house: House) -> None:
    house.boosts.silence(51)
    await house.happens(UNKNOWN)
    assert house.chat.labels(GROUP) == [["✅ It was placed", "🔁 It was not: send again"]]
    house.boosts.silence(51, "sent")
    house.boosts.orders[7] = order(phases=(phase(1, panel_order="991", state="sent"),))
    await house.happens(resolved("placed"))
    assert "Resolved by Olu (@olu_owner, <code>1000</code>): placed as <code>991</code>." in house.group()[0]
    assert house.chat.labels(GROUP) == [[]]


async def test_unknown_again_is_a_new_card_and_the_old_one_keeps_its_answer(house: House) -> None:
    house.boosts.silence(51)
    await house.happens(UNKNOWN)
    house.boosts.silence(51, "sending")
    await house.happens(resolved("not_placed"))
    house.boosts.silence(51)
    await house.happens(UNKNOWN)
    assert ["sent again." in house.group()[0], len(house.group())] == [True, 2]
    assert [len(buttons) for buttons in house.chat.labels(GROUP)] == [0, 2]


async def test_each_card_has_keys_of_its_own(house: House) -> None:
    """Else the answer to the second card would be taken for a double tap on the first."""
    house.boosts.silence(51)
    await house.happens(UNKNOWN)
    await house.happens(UNKNOWN)
    presses = {
        decode(encode(action(51), nonce)).key for nonce in house.chat.nonces for action in (PhasePlaced, PhaseNotPlaced)
    }
    assert len(presses) == 2 * len(set(house.chat.nonces)) == 4


async def test_where_staff_are_told_nothing_people_are_told_all_the_same(bare_house: House) -> None:
    bare_house.staff_told = False
    house = await bare_house.build().start()
    house.boosts.silence(51)
    await house.happens(confirmed(), paid(), UNKNOWN, resolved("placed"))
    assert len(house.ada()) == 1
    assert house.group() == house.chat.texts(OLU) == []


async def test_a_person_nobody_knows_is_no_obstacle(house: House) -> None:
    house.users.people.clear()
    await house.happens(OrderCreated(order_id=7, user_id=ADA))
    assert "Somebody" in house.group()[0]


async def test_books_that_do_not_agree_are_told_each_night(house: House) -> None:
    wrong = ("posting 7 does not sum to zero in USD <1>", "balance 3 is not its entries")
    await house.happens(LedgerProblemFound(total=5, problems=wrong))
    (told,) = house.group()
    assert "5 problem(s)" in told
    assert "in USD &lt;1&gt;" in told
    assert "and 3 more" in told
    await house.happens(LedgerProblemFound(total=1, problems=wrong[:1]))
    assert len(house.group()) == 2


async def test_history_is_a_persons_own_newest_first(house: House) -> None:
    await house.happens(paid("wallet"))
    await house.happens(OrderCreated(order_id=7, user_id=ADA))
    found = await house.module.service.history(user_id=ADA)
    assert [(one.template, one.state, one.attempts) for one in found] == [
        ("progress", "sent", 1),
        ("paid_from_wallet", "sent", 1),
    ]
    assert await house.module.service.history(user_id=OLU) == ()


async def test_old_notices_are_forgotten(house: House) -> None:
    await house.happens(paid("wallet"))
    await house.later(days=179)
    (tidy,) = house.module.jobs
    await tidy.run()
    assert len(await house.rows()) == 2
    await house.later(days=2)
    await tidy.run()
    assert await house.rows() == []


def test_every_template_that_is_told_can_be_painted(bare_house: House) -> None:
    told = set(re.findall(r'template="(\w+)"', "".join(path.read_text() for path in SOURCES.rglob("*.py"))))
    painter = Painter(users=bare_house.users, payments=bare_house.payments, boosts=bare_house.boosts, bot_username=str)  # type: ignore[arg-type]
    nobody: Any = None
    books = BooksTeller(nobody, withdrawals=nobody, users=nobody).templates
    payouts = PayoutTeller(nobody, withdrawals=nobody, users=nobody).templates
    known = [*painter.templates, *books, *payouts, *ledger.templates]
    assert told == set(known)
    assert len(known) == len(set(known))


def test_every_kind_of_card_has_a_topic_with_a_name(bare_house: House) -> None:
    sources = "".join(path.read_text() for path in SOURCES.rglob("*.py"))
    calls = re.findall(r'(?s)_admins\(\s*tx,(?:(?!_admins\().){0,200}?template="(\w+)"', sources)
    alerts = {"panel_trouble", "bank_trouble", "prices", "topic_trouble", "proof_rejected"}
    assert {"withdrawal_card", "proof", "staff_card", "replies"} <= set(calls)
    assert set(calls) - set(TOPICS) <= alerts
    assert topic_of("topic_trouble") is None
    names = [topic_name(kind) for kind in {*TOPICS.values(), ALERTS}]
    assert len(set(names)) == len(names)
    assert all(len(name.split()) > 1 and len(name) <= 128 for name in names)
