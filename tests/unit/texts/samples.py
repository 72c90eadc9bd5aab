"""One of everything that is told, by name, for the golden file and for the rules all of them keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.unit.texts.screens.orders import BY_HAND
from tests.unit.texts.screens.replies import to_reply_guys
from viralcore.core.money import Money, usd
from viralcore.core.screen import Screen
from viralcore.texts import cards, notices, order_notices, topics
from viralcore.texts.cards import PersonText, PhaseCardText, ProofText, StrayEnd
from viralcore.texts.hints import HintText
from viralcore.texts.notices import DepositText, SaleText
from viralcore.texts.order_text import OrderLineText, OrderPartText, OrderText

HASH = "0x" + "ab12" * 16
LINK = "https://x.com/ada/status/123"
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ZERO = usd(0)
ADA = PersonText(2001, "<b>Ada</b>_x & co", "ada_l")
SALE = SaleText(
    id=12,
    kind="credits",
    title="X Tier 3",
    unit="post",
    quantity=10,
    total=usd("15.00"),
    state="paid",
    received=usd("15.00"),
    rest=None,
    available=10,
)
EXACT = DepositText(
    amount="15.003412", asset="USDT", network="bsc", usd=usd("15.00"), to_wallet=ZERO, outcome="exact", pays=True
)
CARD = PhaseCardText(
    phase_id=5,
    order_id=7,
    panel="smmflare",
    service="1234",
    link=LINK,
    what="38 likes",
    sent_at=AT,
    state="unknown",
)

GOODS = replace(SALE, kind="goods", title="X poll votes", unit="vote", quantity=50, total=usd("1.50"), available=None)
OLU = PersonText(1000, "Olu", None)
ENDS = (
    StrayEnd(owner=ADA, invoice=None, by=OLU, at=AT),
    StrayEnd(owner=ADA, invoice=12, by=OLU, at=AT),
    StrayEnd(owner=ADA, invoice=12, by=None, at=AT),
)


def order(
    state: str = "scheduled",
    *,
    lines: tuple[str, ...] = ("scheduled",) * 4,
    delivered: tuple[int, ...] = (0, 0, 0, 0),
    parts: tuple[str, ...] = ("waiting",) * 4,
    refunds: tuple[Money, ...] = (ZERO,) * 4,
    credit_returned: bool = False,
) -> OrderText:
    """Order 7 on t3: likes and views by panels in two parts, comments and reposts by nobody yet."""
    asked = (("likes", 75), ("views", 7000), ("comments", 30), ("reposts", 15))
    sent = ((1, "likes", 38), (2, "likes", 37), (1, "views", 3500), (2, "views", 3500))
    return OrderText(
        id=7,
        plan="X Tier 3",
        link=LINK,
        state=state,
        lines=tuple(
            OrderLineText(metric, quantity, delivered[i], lines[i], refunds[i])
            for i, (metric, quantity) in enumerate(asked)
        ),
        parts=tuple(
            OrderPartText(number, metric, quantity, 0, AT + timedelta(minutes=30 * (number - 1)), parts[i])
            for i, (number, metric, quantity) in enumerate(sent)
        ),
        refunded=sum(refunds, ZERO),
        credit_returned=credit_returned,
    )


BACK = ("refunded", "refunded")
HALF = order(
    "in_progress",
    lines=("completed", "in_progress", "scheduled", "scheduled"),
    delivered=(75, 1800, 0, 0),
    parts=("completed", "completed", "sent", "waiting"),
)
DONE = order(
    "completed",
    lines=("completed", "completed", *BACK),
    delivered=(75, 7000, 0, 0),
    parts=("completed",) * 4,
    refunds=(ZERO, ZERO, usd("0.75"), usd("0.30")),
)
PARTLY = order(
    "partial",
    lines=("partial", "completed", *BACK),
    delivered=(60, 7000, 0, 0),
    parts=("completed", "partial", "completed", "completed"),
    refunds=(usd("0.04"), ZERO, usd("0.75"), usd("0.30")),
)
FAILED = order("failed", lines=("failed", "failed", *BACK), parts=("failed",) * 4, credit_returned=True)
CANCELLED = order("cancelled", lines=("cancelled",) * 4, parts=("cancelled",) * 4, credit_returned=True)


def to_people() -> Iterator[tuple[str, Screen]]:
    yield from _transfers()
    yield from _deposits()
    yield from _by_bank()
    yield "goods paid", notices.paid_from_wallet(GOODS)
    yield "goods returned", order_notices.returned(invoice_id=12, money=usd("1.50"))
    mixed = order_notices.returned(invoice_id=12, money=usd("1.50"), to_bonus=usd("0.60"))
    yield "goods returned, of mixed money", mixed
    for name in ("done", "a part", "cannot"):
        yield f"by hand, {name}", order_notices.finished(BY_HAND[name])
    yield from to_reply_guys()
    yield "assigned", notices.assigned(amount="14.2", asset="USDT", network="bsc", usd=usd("14.20"))
    for name, wallet, bonus, posts, left in (
        ("all", "15.00", "0", 10, False),
        ("all, with bonus", "10.00", "5.00", 10, False),
        ("a part", "1.50", "0", 1, True),
        ("a part, no posts", "1.00", "0", 0, True),
    ):
        yield (
            f"refunded, {name}",
            notices.refunded(SALE, to_wallet=usd(wallet), to_bonus=usd(bonus), credits_back=posts, left=left),
        )
    for why in ("large", "old"):
        for end in (None, ENDS[0]):
            yield (
                f"owner: stray {why}, {'open' if end is None else 'over'}",
                cards.stray_for_owner(
                    receipt_id=4,
                    network="bsc",
                    asset="USDT",
                    amount="140",
                    usd=usd(140),
                    tx_hash=HASH,
                    why=why,
                    hours=24,
                    end=end,
                ),
            )
    yield "paid from the wallet", notices.paid_from_wallet(SALE)
    for name, state, received in (
        ("run out", "expired", ZERO),
        ("run out, partly paid", "expired", usd("10.00")),
        ("cancelled", "cancelled", ZERO),
    ):
        yield name, notices.invoice_closed(replace(SALE, state=state, received=received), state=state)
    yield from _claims()
    yield "order, new", order_notices.progress(order())
    sending = ("sending", "sending", "scheduled", "scheduled")
    yield (
        "order, sending",
        order_notices.progress(order("sending", lines=sending, parts=("sending", "waiting", "unknown", "waiting"))),
    )
    yield "order, half", order_notices.progress(HALF)
    for name, one in (("done", DONE), ("partly", PARTLY), ("failed", FAILED), ("cancelled", CANCELLED)):
        yield f"order, {name}", order_notices.progress(one)
    yield "likes delivered", order_notices.lines_ended(HALF, metrics=["likes"], state="completed")
    both = order("in_progress", lines=("completed", "completed", *BACK), delivered=(75, 7000, 0, 0))
    yield "both delivered", order_notices.lines_ended(both, metrics=["likes", "views"], state="completed")
    some = order("in_progress", lines=("partial", "in_progress", *BACK), delivered=(60, 0, 0, 0))
    yield "some likes", order_notices.lines_ended(some, metrics=["likes"], state="partial")
    none = order("in_progress", lines=("failed", "in_progress", *BACK))
    yield "no likes", order_notices.lines_ended(none, metrics=["likes"], state="failed")
    for name, one in (("done", DONE), ("partly", PARTLY), ("failed", FAILED)):
        yield f"end, {name}", order_notices.finished(one)
    mixed = replace(PARTLY, to_bonus=usd("0.50"), unpaid=usd("0.01"))
    yield "end, partly, of mixed money", order_notices.finished(mixed)
    yield "order, ended, of mixed money", order_notices.progress(mixed)
    whole = replace(FAILED, credit_returned=False, refunded=usd("1.49"), to_bonus=usd("1"), unpaid=usd("0.01"))
    yield "end, failed, of mixed money", order_notices.finished(whole)
    yield "corrected", order_notices.corrected(PARTLY, metric="likes", back=usd("0.06"), credit=False)
    bonus = usd("0.02")
    part = order_notices.corrected(PARTLY, metric="likes", back=usd("0.06"), credit=False, to_bonus=bonus)
    yield "corrected, of mixed money", part
    yield "corrected, all of it", order_notices.corrected(FAILED, metric="likes", back=usd(0), credit=True)
    for state in ("done", "refused", "unknown"):
        yield f"refill, {state}", order_notices.refill(DONE, state=state)
    paused = replace(HALF, paused_at=AT)
    yield "order, paused", order_notices.progress(paused)


def _transfers() -> Iterator[tuple[str, Screen]]:
    stages = (("seen", ""), *(("checking", why) for why in ("unknown_tx", "not_final", "node_down", "price", "")))
    for stage, reason in (*stages, ("credited", ""), ("ended", ""), ("moved", "")):
        yield (
            f"transfer, {stage} {reason}",
            notices.transfer(stage=stage, reason=reason, network="bsc", tx_hash=HASH, invoice_id=12),
        )
    yield (
        "transfer, for no invoice",
        notices.transfer(stage="checking", reason="", network="bsc", tx_hash=HASH, invoice_id=None),
    )


def _deposits() -> Iterator[tuple[str, Screen]]:
    yield "exact", notices.deposit(EXACT, SALE)
    yield "exact, had some", notices.deposit(EXACT, replace(SALE, available=24))
    yield "exact, used some already", notices.deposit(EXACT, replace(SALE, available=9))
    little = replace(EXACT, outcome="tolerated", usd=usd("14.95"))
    yield "tolerated", notices.deposit(little, replace(SALE, received=usd("14.95")))
    much = replace(EXACT, outcome="excess", usd=usd("18.50"), to_wallet=usd("3.50"))
    yield "excess", notices.deposit(much, replace(SALE, received=usd("18.50")))
    late = replace(EXACT, outcome="late", usd=usd("15.20"), to_wallet=usd("0.20"))
    yield "late, pays", notices.deposit(late, SALE)
    kept = replace(EXACT, usd=usd("10.00"), to_wallet=usd("10.00"), pays=False)
    short = replace(kept, outcome="shortfall")
    yield "short", notices.deposit(short, replace(SALE, state="open", received=usd("10.00"), rest=usd("5.00")))
    yield "short, run out since", notices.deposit(short, replace(SALE, state="expired"))
    yield "late, too little", notices.deposit(replace(kept, outcome="late"), replace(SALE, state="expired"))
    yield "late, cancelled", notices.deposit(replace(kept, outcome="late"), replace(SALE, state="cancelled"))
    yield "paid already", notices.deposit(replace(kept, outcome="excess"), SALE)
    topup = replace(SALE, kind="topup", title="Wallet top-up", unit="unit", quantity=1, available=None)
    yield "top-up", notices.deposit(replace(EXACT, to_wallet=usd("15.00")), topup)
    less = replace(EXACT, usd=usd("13.50"), to_wallet=usd("13.50"))
    for outcome in ("tolerated", "shortfall", "late", "excess"):
        yield f"top-up, {outcome}", notices.deposit(replace(less, outcome=outcome), topup)
    yield "top-up, run out", notices.invoice_closed(replace(topup, state="expired", received=ZERO), state="expired")
    spent = replace(SALE, state="open", received=usd("14.50"), rest=usd("10.50"))
    yield "short, and spent since", notices.deposit(short, spent)


NAIRA = replace(EXACT, amount="24000.00", asset="NGN", network="bank")
PROOF = ProofText(
    id=3, amount=Decimal("24000.00"), usd=usd("15.00"), file_id="AgAC", state="waiting", reason="", sent_at=AT
)


def _by_bank() -> Iterator[tuple[str, Screen]]:
    yield "naira, exact", notices.deposit(NAIRA, SALE)
    kobo = replace(NAIRA, amount="16000.50", outcome="shortfall", usd=usd("10.00"), to_wallet=usd("10.00"), pays=False)
    yield "naira, short", notices.deposit(kobo, replace(SALE, state="open", received=usd("10.00"), rest=usd("5.00")))
    yield (
        "receipt rejected",
        notices.proof_rejected(replace(SALE, state="open"), amount=PROOF.amount, reason="<b>No</b> date & amount."),
    )


def _claims() -> Iterator[tuple[str, Screen]]:
    for state, reasons in (
        ("not_found", ("unknown_tx", "node_down")),
        (
            "refused",
            ("failed", "wrong_token", "wrong_recipient", "self_transfer", "zero", "internal", "too_old", "used"),
        ),
        ("suspense", ("ambiguous", "no_invoice", "too_old", "dust", "a_new_word")),
    ):
        for reason in reasons:
            yield (
                f"claim, {state} {reason}",
                notices.claim_ended(state=state, reason=reason, network="bsc", tx_hash=HASH, invoice_id=12),
            )


def to_staff() -> Iterator[tuple[str, Screen]]:
    yield "staff: deposit", cards.deposit(EXACT, SALE, ADA)
    short = replace(EXACT, outcome="shortfall", usd=usd("10.00"), to_wallet=usd("10.00"), pays=False)
    yield "staff: deposit, short", cards.deposit(short, replace(SALE, state="open"), ADA)
    yield "staff: paid from the wallet", cards.paid_from_wallet(SALE, ADA)
    for name, who in (("pasted", ADA), ("nobody's", None)):
        yield (
            f"staff: stray, {name}",
            cards.stray(receipt_id=4, network="bsc", asset="USDT", amount="14.2", tx_hash=HASH, who=who),
        )
    stray = {"receipt_id": 4, "network": "bsc", "asset": "USDT", "amount": "14.2", "tx_hash": HASH, "who": ADA}
    yield "staff: stray, with a way", cards.stray(**stray, bot_username="viralcore_bot")
    for number, end in enumerate(ENDS):
        yield f"staff: stray, over {number}", cards.stray(**stray, bot_username="viralcore_bot", end=end)
    for posts in (0, 7):
        yield (
            f"staff: refund, {posts} posts",
            cards.refund(
                amount=usd("10.50"), credits_back=posts, sale=SALE, who=ADA, by=OLU, reason="<i>not</i> happy"
            ),
        )
    for what in ("no_right", "closed", "unknown", "refused"):
        yield f"staff: topic, {what}", topics.trouble(what=what, kind="withdrawals")
    yield "staff: naira", cards.deposit(NAIRA, SALE, ADA)
    for reason in ("unknown_reference", "too_old", "currency"):
        asset = "GHS" if reason == "currency" else "NGN"
        yield (
            f"staff: stray transfer, {reason}",
            cards.stray(
                receipt_id=4,
                network="bank",
                asset=asset,
                amount="1600",
                tx_hash="1312406045",
                who=None,
                reference="PSA-<y>",
                reason=reason,
            ),
        )
    for what, detail in (
        ("config", "Invalid authorization key"),
        ("refused", "amount <too> small"),
        ("unconfirmed", "1312406045 vc-c9"),
        ("a_new_word", ""),
    ):
        yield f"staff: bank {what}", cards.bank_trouble(what=what, detail=detail)
    yield "staff: receipt", cards.proof(PROOF, replace(SALE, state="open"), ADA, by=None)
    yield "staff: receipt, approved", cards.proof(replace(PROOF, state="approved"), SALE, ADA, by=ADA)
    rejected = replace(PROOF, state="rejected", reason="No date & amount.")
    yield "staff: receipt, rejected", cards.proof(rejected, replace(SALE, state="open"), ADA, by=ADA)
    for reason in ("stale", "ok"):
        yield f"staff: naira rate {reason}", cards.prices(coin="NGN", reason=reason)
    yield "staff: order", cards.order_created(order(), ADA)
    for name, one in (("done", DONE), ("partly", PARTLY), ("failed", FAILED), ("cancelled", CANCELLED)):
        yield f"staff: end, {name}", cards.order_finished(one, ADA)
    for what, detail in (
        ("breaker_open", "plugsmm"),
        ("breaker_open", ""),
        ("active_changed", "plugsmm"),
        ("active_changed", ""),
        ("low_balance", "3.20 USD"),
        ("not_enough_funds", "neworder.error.not_enough_funds"),
        ("config", "service 12: <Bad> key"),
        ("refused", "no {such} thing"),
        ("strange_status", "order 9: Foo"),
        ("corrected", "order 9: Partial, 18 of 38"),
        ("runway", "2.4 days (12.40 USD)"),
        ("services", "x likes (101): price"),
        ("a_new_word", "something"),
    ):
        yield f"staff: {what} {detail}", cards.panel_trouble(panel="smmflare", what=what, detail=detail)
    for reason in ("diverged", "stale", "depegged", "ok"):
        yield f"staff: prices {reason}", cards.prices(coin="BNB", reason=reason)
    yield "staff: goods paid", cards.paid_from_wallet(GOODS, ADA)
    yield "staff: unknown phase", cards.unknown_phase(CARD)
    hint = HintText("0.08 USD", "0.042 USD", 1, "0.0342 USD", AT, AT.replace(minute=40), "placed")
    yield "staff: unknown phase, with a hint", cards.unknown_phase(replace(CARD, hint=hint))
    for how in ("placed", "not_placed", "elsewhere", ""):
        who = ADA if "placed" in how else None
        yield f"staff: phase {how}", cards.resolved_phase(CARD, who=who, how=how, panel_order="991")
