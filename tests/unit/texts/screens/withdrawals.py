"""Cases of the texts about withdrawals: what people see, what staff see, what both are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from viralcore.core.money import NGN, Money, usd
from viralcore.core.screen import Html
from viralcore.texts import (
    errors,
    withdrawal_answers,
    withdrawal_cards,
    withdrawal_desk,
    withdrawal_notices,
    withdrawals,
)
from viralcore.texts.cards import PersonText
from viralcore.withdrawals.api import (
    AccountView,
    ApprovalView,
    AttemptView,
    BadAmount,
    CardView,
    CheckView,
    DeskView,
    FindingView,
    NotEnough,
    QuoteView,
    SourceView,
    State,
    StatsView,
    UserRecord,
    WithdrawalView,
)

AT = datetime(2026, 11, 28, 14, 2, tzinfo=UTC)
LATER = AT + timedelta(minutes=18)
NEXT_DAY = AT + timedelta(hours=20)


def ngn(naira: str) -> Money:
    return Money(int(Decimal(naira) * 100), NGN)


RATE = Decimal(1500)
ASKED = QuoteView("affiliate", usd("25.00"), RATE, ngn("37500"), None, None)
QUOTE = replace(ASKED, fee=ngn("10.75"), net=ngn("37489.25"))
NEW_QUOTE = replace(QUOTE, rate=Decimal("1432.5"), gross=ngn("35812.50"), net=ngn("35801.75"))
REPLIES = QuoteView("reply", ngn("5000"), Decimal(1), ngn("5000"), None, None)
AFFILIATE = SourceView("affiliate", usd("40.00"), usd("0.67"), usd("500.00"), "", None)
REPLY = SourceView("reply", ngn("12500"), ngn("1000"), ngn("750000"), "", None)
WALLET = SourceView("wallet", usd("0"), usd("0.67"), usd("500.00"), "too_little", None)
SAVED = AccountView(3, "GTBank PLC", "******1234", "ADA OBI", AT)
ODD = AccountView(4, hostile.NAME, "******9999", hostile.NAME, None)
SHARES = [(25, usd("10.00")), (50, usd("20.00")), (100, usd("40.00"))]
CHECK = CheckView(9, 2001, "ready", "", QUOTE, "GTBank PLC", "******1234", "ADA OBI", LATER, None)
PENDING = WithdrawalView(
    id=12,
    user_id=2001,
    state="pending",
    quote=QUOTE,
    terms_until=NEXT_DAY,
    again=None,
    bank_name="GTBank PLC",
    masked="******1234",
    account_name="ADA OBI",
    mode=None,
    needed=1,
    approvals=0,
    reason="",
    reference="",
    created_at=AT,
    approved_at=None,
    ended_at=None,
)


def ended(state: State, reason: str = "", *, approved: bool = True) -> WithdrawalView:
    one = replace(PENDING, state=state, reason=reason, ended_at=LATER + timedelta(minutes=11))
    return replace(one, approved_at=LATER, mode="automatic", approvals=1) if approved else one


APPROVED = replace(PENDING, state="approved", mode="automatic", approvals=1, approved_at=LATER)
BY_HAND = replace(APPROVED, mode="manual")
PROCESSING = replace(APPROVED, state="processing")
UNCONFIRMED = replace(PROCESSING, state="unconfirmed")
COMPLETED = replace(ended("completed"), reference="vc-w12-a1")
OUTDATED = replace(PENDING, again=NEW_QUOTE)
REJECTED = ended("rejected", "Write to support first, please.", approved=False)
STATES = {
    "waits for approval": PENDING,
    "its terms are out of date": OUTDATED,
    "approved": APPROVED,
    "approved, by hand": BY_HAND,
    "with the bank": PROCESSING,
    "unconfirmed": UNCONFIRMED,
    "arrived": COMPLETED,
    "arrived the next day, in naira": replace(
        COMPLETED, quote=replace(REPLIES, fee=ngn("10.75"), net=ngn("4989.25")), ended_at=NEXT_DAY
    ),
    "failed, the account": ended("failed", "account"),
    "failed, declined": ended("failed", "declined"),
    "failed, the bank": ended("failed", "bank"),
    "failed, sent back": ended("failed", "returned"),
    "failed, by hand": replace(ended("failed", "by_hand"), mode="manual"),
    "rejected": REJECTED,
    "rejected, with markup": replace(REJECTED, reason=hostile.NAME, account_name=hostile.NAME),
    "cancelled": ended("cancelled", approved=False),
    "cancelled, never confirmed": ended("cancelled", "expired", approved=False),
}

ADA, TOLA, BOSS = PersonText(2001, "Ada", "ada"), PersonText(1001, "Tola", "tola"), PersonText(1000, "Boss", None)
PEOPLE = {2001: ADA, 1001: TOLA, 1000: BOSS}
NO_RECORD = UserRecord(0, 0, 0, 0, ngn("0"), None, AT - timedelta(days=30))
RECORD = UserRecord(4, 2, 1, 1, ngn("80000"), AT, AT - timedelta(days=300))
FINDINGS = (
    FindingView("ring", 50, {"people": "2"}),
    FindingView("shared_account", 40, {"people": "3"}),
    FindingView("reversed_earnings", 40, {"percent": "45"}),
    FindingView("velocity", 30, {"requests": "3", "hours": "24"}),
    FindingView("new_user", 20, {"days": "0"}),
    FindingView("new_user", 20, {"days": "1"}),
    FindingView("new_user", 20, {"days": "3"}),
    FindingView("new_account", 20, {"paid_elsewhere": "0"}),
    FindingView("new_account", 20, {"paid_elsewhere": "2"}),
    FindingView("just_below", 15, {"limit_usd": "200"}),
    FindingView("of_tomorrow", 1, {}),
)


def sheet(request: WithdrawalView, **changes: object) -> CardView:
    one = CardView(
        request=request,
        account_number=None,
        score=0,
        findings=(),
        record=NO_RECORD,
        approved_by=(ApprovalView(1001, LATER),) if request.approved_at else (),
        decided_by=1001 if request.approved_at or request.state == "rejected" else None,
        attempts=(),
        live_rate=Decimal("1520"),
        drift=Decimal("1.33"),
        waits_until=None,
        can_give_back=False,
    )
    return replace(one, **changes)  # type: ignore[arg-type]


SENT = AttemptView(1, "vc-w12-a1", "accepted", "77", "", ngn("10.75"), LATER, None)
LOST = replace(SENT, state="unknown", provider_id="", asked_at=LATER + timedelta(minutes=3))
TRIED = replace(SENT, state="failed", words="DISBURSE FAILED: Insufficient balance")
TWO = replace(PENDING, needed=2)
ONE_OF_TWO = replace(TWO, approvals=1)
CARDS: dict[str, CardView] = {
    "the first, nothing odd": sheet(PENDING),
    "without a live rate": sheet(PENDING, live_rate=None, drift=None),
    "reply earnings": sheet(
        replace(PENDING, quote=replace(REPLIES, fee=ngn("10.75"), net=ngn("4989.25"))), record=RECORD
    ),
    "risky, two approvers": sheet(TWO, findings=FINDINGS, score=100, record=RECORD),
    "one of two": sheet(ONE_OF_TWO, approved_by=(ApprovalView(1001, LATER),)),
    "one of two, a lone approver": sheet(ONE_OF_TWO, approved_by=(ApprovalView(1001, LATER),), waits_until=NEXT_DAY),
    "its terms are out of date": sheet(OUTDATED, live_rate=Decimal("1432.5")),
    "shown in full": sheet(PENDING, account_number="0123451234"),
    "with markup": sheet(replace(PENDING, user_id=7, bank_name=hostile.NAME, account_name=hostile.NAME)),
    "approved": sheet(APPROVED),
    "approved by itself": sheet(APPROVED, approved_by=(ApprovalView(0, LATER),), decided_by=0),
    "to be paid by hand": sheet(BY_HAND),
    "with the bank": sheet(PROCESSING, attempts=(TRIED, replace(SENT, n=2, reference="vc-w12-a2"))),
    "unconfirmed": sheet(UNCONFIRMED, attempts=(LOST,)),
    "unconfirmed, may be given back": sheet(UNCONFIRMED, attempts=(LOST,), can_give_back=True),
    "unconfirmed, refused as used": sheet(UNCONFIRMED, attempts=(replace(LOST, seen="exists"),)),
    "unconfirmed, another's was paid": sheet(UNCONFIRMED, attempts=(replace(LOST, seen="successful"),)),
    "unconfirmed, another's failed": sheet(UNCONFIRMED, attempts=(replace(LOST, seen="failed"),), can_give_back=True),
    "unconfirmed, and nothing ever left": sheet(UNCONFIRMED, attempts=(LOST,), can_take_over=True),
    "waits for approval in the dashboard": sheet(PROCESSING, attempts=(replace(SENT, seen="approval"),)),
    "approved, and nothing is sent": sheet(APPROVED, can_take_over=True),
    "stored, and nothing is sent": sheet(
        PROCESSING, attempts=(replace(SENT, state="sending", provider_id=""),), can_take_over=True
    ),
    "to be paid by hand, too old": sheet(BY_HAND, outdated="age"),
    "to be paid by hand, the rate moved": sheet(BY_HAND, outdated="rate", attempts=(TRIED,)),
    "to be paid by hand, nobody asked the bank": sheet(replace(BY_HAND, account_name="")),
    "paid": sheet(COMPLETED, attempts=(replace(SENT, state="succeeded"),)),
    "paid by hand": sheet(replace(COMPLETED, mode="manual", reference="GTB 123"), decided_by=1000),
    "failed": sheet(ended("failed", "account"), attempts=(replace(TRIED, words="Invalid account"),)),
    "failed by hand": sheet(replace(ended("failed", "by_hand"), mode="manual"), decided_by=1000),
    "rejected": sheet(REJECTED),
    "cancelled": sheet(ended("cancelled", approved=False)),
    "cancelled, never confirmed": sheet(ended("cancelled", "expired", approved=False)),
}
DESK = DeskView("automatic", False, False, "", False, 12, 1000)
STATS = StatsView(
    {
        "pending": 2,
        "approved": 0,
        "processing": 1,
        "unconfirmed": 0,
        "completed": 40,
        "failed": 3,
        "rejected": 2,
        "cancelled": 1,
    },
    ngn("1250000"),
    ngn("2150"),
    4,
    5400,
    usd("75.00"),
    ngn("5000"),
)
QUIET = StatsView(dict.fromkeys(STATS.counts, 0), ngn("0"), ngn("0"), 0, None, usd("0"), ngn("0"))

CASES: Cases = {
    "sources": {
        "nothing to take": withdrawals.sources([replace(AFFILIATE, available=usd(0)), WALLET]),
        "two": withdrawals.sources([AFFILIATE, REPLY, WALLET]),
    },
    "amount": {
        "dollars": withdrawals.amount(AFFILIATE, rate=RATE, shares=SHARES, problem=None),
        "naira": withdrawals.amount(REPLY, rate=RATE, shares=[(50, ngn("6250")), (100, ngn("12500"))], problem=None),
        "not an amount": withdrawals.amount(AFFILIATE, rate=RATE, shares=SHARES, problem=errors.words(BadAmount())),
        "more than there is": withdrawals.amount(
            AFFILIATE, rate=RATE, shares=SHARES, problem=errors.words(NotEnough(available=usd("40.00")))
        ),
        "one is open": withdrawals.amount(
            replace(AFFILIATE, problem="open_request", open_id=12), rate=RATE, shares=[], problem=None
        ),
        "paused": withdrawals.amount(replace(AFFILIATE, problem="paused"), rate=RATE, shares=[], problem=None),
        "no rate": withdrawals.amount(
            replace(AFFILIATE, problem="no_rate", minimum=None, maximum=None), rate=None, shares=[], problem=None
        ),
        "too little": withdrawals.amount(replace(WALLET, available=usd("0.30")), rate=RATE, shares=[], problem=None),
    },
    "bank": {
        "the first time": withdrawals.bank(ASKED, []),
        "with saved accounts": withdrawals.bank(ASKED, [SAVED, ODD]),
        "a number instead of a name": withdrawals.bank(REPLIES, [], problem=withdrawals.digits_first()),
    },
    "banks": {
        "some": withdrawals.banks(
            ASKED, [(5, "GTBank PLC"), (6, "A very long name of a microfinance bank in Lagos")], typed="gt"
        ),
        "with markup": withdrawals.banks(ASKED, [(5, "GTBank PLC")], typed=hostile.NAME),
        "unknown": withdrawals.banks(ASKED, [], typed="zzzz"),
        "no list": withdrawals.banks(ASKED, [], typed="gt", known=False),
    },
    "digits_first": {"so": withdrawals.digits_first()},
    "account_number": {
        "asked": withdrawals.account_number(ASKED, bank_id=5, bank_name="GTBank PLC", problem=None),
        "nine digits": withdrawals.account_number(
            ASKED, bank_id=5, bank_name="GTBank PLC", problem=withdrawals.wrong_digits(9)
        ),
    },
    "wrong_digits": {
        "none": withdrawals.wrong_digits(0),
        "one": withdrawals.wrong_digits(1),
        "eleven": withdrawals.wrong_digits(11),
    },
    "check": {
        "asking": withdrawals.check(replace(CHECK, state="asking"), now=AT),
        "ready": withdrawals.check(CHECK, now=AT),
        "ready, and nobody to ask": withdrawals.check(
            replace(CHECK, account_name="", quote=replace(QUOTE, fee=ngn("0"), net=QUOTE.gross)), now=AT
        ),
        "ready, with markup": withdrawals.check(replace(CHECK, account_name=hostile.NAME), now=AT),
        "ready, in naira": withdrawals.check(
            replace(CHECK, quote=replace(REPLIES, fee=ngn("10.75"), net=ngn("4989.25"))), now=AT
        ),
        "too old": withdrawals.check(CHECK, now=LATER),
        "not found": withdrawals.check(replace(CHECK, state="failed", reason="not_found"), now=AT),
        "nobody answered": withdrawals.check(replace(CHECK, state="failed", reason="unavailable"), now=AT),
        "too small": withdrawals.check(replace(CHECK, state="failed", reason="too_small"), now=AT),
        "used": withdrawals.check(replace(CHECK, withdrawal_id=12), now=AT),
    },
    "withdrawal": {name: withdrawals.withdrawal(one) for name, one in STATES.items()},
    "confirm_cancel": {"waiting": withdrawals.confirm_cancel(PENDING)},
    "history": {
        "none": withdrawals.history([], older=None, first=True),
        "first page": withdrawals.history(list(STATES.values())[:6], older=3, first=True),
        "last page": withdrawals.history([COMPLETED], older=None, first=False),
    },
    "accounts": {"none": withdrawals.accounts([]), "two": withdrawals.accounts([SAVED, ODD])},
}
TOLD = {name: one for name, one in STATES.items() if one.state not in ("pending", "approved", "processing")}
NOTICES: Cases = {
    "progress": {name: withdrawal_notices.progress(one) for name, one in STATES.items() if one.approved_at},
    "told": {name: withdrawal_notices.told(one) for name, one in TOLD.items()},
    "terms_changed": {
        "the rate": withdrawal_notices.terms_changed(OUTDATED, why="rate"),
        "their age": withdrawal_notices.terms_changed(OUTDATED, why="age"),
        "no offer any more": withdrawal_notices.terms_changed(PENDING, why="age"),
    },
}
STAFF: Cases = {
    "card": {
        **{name: withdrawal_cards.card(one, PEOPLE) for name, one in CARDS.items()},
        "superseded": withdrawal_cards.card(CARDS["approved"], PEOPLE, superseded=True),
    },
    "page": {
        "waiting": withdrawal_cards.page(CARDS["the first, nothing odd"], PEOPLE),
        "shown in full": withdrawal_cards.page(CARDS["shown in full"], PEOPLE),
        "paid": withdrawal_cards.page(CARDS["paid"], PEOPLE),
    },
    "trouble": {
        what: withdrawal_cards.trouble(what=what, reference=reference, detail=detail, withdrawal=number)
        for what, reference, detail, number in (
            ("config", "vc-w12-a1", "Please enable IP Whitelisting to access this service", 12),
            ("approval", "vc-w12-a1", "", 12),
            ("slow", "vc-w12-a1", "", 12),
            ("unsent", "vc-w12-a1", "", 12),
            ("twice", "vc-w12-a1", "", 12),
            ("unconfirmed", "vc-w12-a1", "", 12),
            ("mismatch", "vc-w12-a1", "amount 100", 12),
            ("late_success", "vc-w12-a1", "", 12),
            ("late_failure", "vc-w12-a1", "DISBURSE FAILED", 12),
        )
    },
    "switched": {
        f"{what} {value}": withdrawal_cards.switched(what=what, value=value, reason="The bank is slow today", by=BOSS)
        for what, value in (
            ("mode", "manual"),
            ("mode", "automatic"),
            ("paused", "true"),
            ("paused", "false"),
            ("stopped", "true"),
            ("stopped", "false"),
        )
    },
}
ANSWERS: Cases = {
    "account_shown": {"in full": withdrawal_answers.account_shown(CARDS["shown in full"])},
    "approved": {
        "sent next": withdrawal_answers.approved(CARDS["approved"]),
        "by hand": withdrawal_answers.approved(CARDS["to be paid by hand"]),
        "a second is needed": withdrawal_answers.approved(CARDS["one of two"]),
    },
    "faster": {
        "approved": withdrawal_answers.faster(CARDS["approved"], PEOPLE, you=1000),
        "by somebody without a handle": withdrawal_answers.faster(CARDS["paid by hand"], PEOPLE, you=1001),
        "by oneself": withdrawal_answers.faster(CARDS["approved"], PEOPLE, you=1001),
        "cancelled": withdrawal_answers.faster(CARDS["cancelled"], PEOPLE, you=1000),
        "by nobody known": withdrawal_answers.faster(CARDS["approved by itself"], PEOPLE, you=1000),
    },
    "looking": {"at one": withdrawal_answers.looking(12)},
    "ask_reject": {"one": withdrawal_answers.ask_reject(12)},
    "ask_paid": {
        "by hand": withdrawal_answers.ask_paid(CARDS["to be paid by hand"]),
        "unconfirmed": withdrawal_answers.ask_paid(CARDS["unconfirmed"]),
    },
    "paid_needs_both": {"so": withdrawal_answers.paid_needs_both()},
    "ask_fail": {"one": withdrawal_answers.ask_fail(12)},
    "ask_give_back": {"one": withdrawal_answers.ask_give_back(12)},
    "ask_by_hand": {"one": withdrawal_answers.ask_by_hand(12)},
    "ask_owner_again": {"one": withdrawal_answers.ask_owner_again(12)},
    "moved": {
        "taken over": withdrawal_answers.moved(CARDS["to be paid by hand"]),
        "back to its owner": withdrawal_answers.moved(CARDS["its terms are out of date"]),
        "rejected": withdrawal_answers.moved(CARDS["rejected"]),
        "paid": withdrawal_answers.moved(CARDS["paid by hand"]),
        "failed": withdrawal_answers.moved(CARDS["failed by hand"]),
    },
}
PANEL: Cases = {
    "menu": {
        "an owner": withdrawal_desk.menu(DESK, {"waiting": 2, "to_pay": 1}, rate=RATE, owner=True),
        "finance, by hand, no rate": withdrawal_desk.menu(replace(DESK, mode="manual"), {}, rate=None, owner=False),
        "paused and stopped": withdrawal_desk.menu(
            replace(DESK, paused=True, stopped=True, stop_reason="We are short of $120.00"), {}, rate=RATE, owner=True
        ),
        "refused": withdrawal_desk.menu(
            replace(DESK, stopped=True, stop_reason="config: Please enable IP Whitelisting"), {}, rate=RATE, owner=False
        ),
        "by itself, later": withdrawal_desk.menu(replace(DESK, by_itself=True), {}, rate=RATE, owner=True),
        "by itself": withdrawal_desk.menu(replace(DESK, by_itself=True, completed=1000), {}, rate=RATE, owner=True),
    },
    "queue": {
        "nothing": withdrawal_desk.queue([], which="waiting", total=0, newer=None, first=True),
        "all sorts": withdrawal_desk.queue(
            [(one, ADA) for one in (PENDING, ONE_OF_TWO, OUTDATED, BY_HAND, UNCONFIRMED, COMPLETED, REJECTED)],
            which="all",
            total=30,
            newer=12,
            first=True,
        ),
        "last page, with markup": withdrawal_desk.queue(
            [(PENDING, PersonText(7, hostile.NAME, None))], which="waiting", total=21, newer=None, first=False
        ),
    },
    "stats": {
        "a week": withdrawal_desk.stats(STATS, days=7),
        "a quiet day": withdrawal_desk.stats(QUIET, days=1),
    },
    "ask_switch": {
        "by hand": withdrawal_desk.ask_switch(what="mode", value="manual"),
        "pause": withdrawal_desk.ask_switch(what="paused", value="true"),
    },
    "confirm_switch": {
        "automatic": withdrawal_desk.confirm_switch(what="mode", value="automatic", reason="The bank is back"),
        "lift": withdrawal_desk.confirm_switch(what="paused", value="false", reason=hostile.NAME),
    },
}
assert isinstance(CASES["digits_first"]["so"], Html)
