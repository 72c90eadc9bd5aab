"""Cases of `texts.errors`: every refusal, made as the services make it."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from tests.unit.texts.screens.crowd_refusals import REFUSALS as CROWD
from tests.unit.texts.screens.orders import PROBLEMS
from tests.unit.texts.screens.reply_refusals import REFUSALS as REPLIES
from tests.unit.texts.screens.withdrawal_refusals import REFUSALS as WITHDRAWALS
from viralcore.boosts import api as boosts
from viralcore.core.errors import DomainError, KeyReused, NotFound
from viralcore.ledger import api as ledger
from viralcore.payments import api as payments
from viralcore.texts import errors
from viralcore.users import api as users

ENDED = datetime(2026, 11, 12, 23, 59, tzinfo=UTC)
ANSWERS = {
    "poll_link": ("empty", "link", "one_link", "not_x", "not_a_post", "malformed", "too_long", "blocked"),
    "poll_option": ("empty", "number"),
    "profile_link": ("link", "one_link", "not_x", "not_a_profile", "post", "blocked"),
    "days": ("number",),
    "channel": ("link", "one_link", "not_telegram", "not_a_channel", "private", "post", "new"),
}
REFUSALS: dict[str, DomainError] = {
    "a plain refusal": DomainError(),
    "a key came back": KeyReused(scope="ledger", key="n1"),
    **{f"not found: {what}": NotFound(what=what) for what in ("invoice", "claim", "draft", "order", "phase", "user")},
    "wallet is short": ledger.InsufficientFunds(account="wallet", asset="USD", available=325, needed=1500),
    "wallet is empty": ledger.InsufficientFunds(account="wallet", asset="USD", available=0, needed=1500),
    "affiliate money is short": ledger.InsufficientFunds(account="affiliate", asset="USD", available=325, needed=1500),
    "bad amount": payments.BadAmount(minimum=100, maximum=500_000),
    "bad amount, and nothing there": payments.BadAmount(minimum=1, maximum=0),
    "posts are short": ledger.InsufficientFunds(account="credits", asset="t3", available=0, needed=1),
    "unbalanced": ledger.Unbalanced(key="k", problem=hostile.TITLE),
    "hold closed": ledger.HoldClosed(hold_id=3, state="captured"),
    "not allowed": users.NotAllowed(right="orders.retry"),
    "session expired": users.SessionExpired(),
    "blocked": users.Blocked(),
    "terms": users.TermsNotAccepted(version="2026-01"),
    "last owner": users.LastOwner(),
    "not yourself": users.NotYourself(),
    **{
        f"invoice {state}": payments.InvoiceClosed(invoice_id=12, state=state)
        for state in ("paid", "expired", "cancelled")
    },
    "three invoices": payments.TooManyInvoices(limit=3, open=(7, 8, 9)),
    "one invoice": payments.TooManyInvoices(limit=1, open=(7,)),
    **{
        f"method: {reason}": payments.MethodUnavailable(method="bsc:USDT", reason=reason)
        for reason in ("price", "rate", "switched_off", "no_address", "starting", "topup", "unknown")
    },
    **{
        f"hash: {reason}": payments.BadHash(reason=reason)
        for reason in ("garbage", "other_network", "address", "too_many")
    },
    "no proof wanted": payments.NoProofWanted(invoice_id=12),
    "proof closed": payments.ProofClosed(proof_id=3, state="approved"),
    "own receipt": payments.OwnReceipt(proof_id=3),
    "hash used by you": payments.HashUsed(yours=True, invoice_id=12),
    "hash used by you, no invoice": payments.HashUsed(yours=True, invoice_id=None),
    "hash used by somebody": payments.HashUsed(yours=False),
    "receipt taken": payments.ReceiptTaken(receipt_id=4, user_id=7, invoice_id=None, by=1000),
    **{f"cannot assign: {why}": payments.CannotAssign(receipt_id=4, reason=why) for why in errors.ASSIGN_PROBLEMS},
    **{f"not refundable: {why}": payments.NotRefundable(invoice_id=12, reason=why) for why in errors.REFUND_PROBLEMS},
    "refund too much": payments.RefundTooMuch(invoice_id=12, asked=2000, most=1500, left=1500),
    "refund too much, some in use": payments.RefundTooMuch(invoice_id=12, asked=1500, most=1050, left=1500),
    "refund changed": payments.RefundChanged(invoice_id=12, refunded=500),
    "unknown plan": boosts.UnknownPlan(plan_id=hostile.TITLE),
    "not on sale": boosts.NotOnSale(plan_id="tgt-15"),
    "bad quantity": boosts.BadQuantity(minimum=10, maximum=10_000, step=1, asked=3),
    "bad quantity, in steps": boosts.BadQuantity(minimum=10, maximum=10_000, step=10, asked=15),
    "bad quantity, in large steps": boosts.BadQuantity(minimum=1000, maximum=100_000, step=1000, asked=hostile.TITLE),
    "no link at all": boosts.BadLink(problems=()),
    **{
        f"link: {reason}": boosts.BadLink(problems=(boosts.LinkProblem(hostile.LINK, reason),))
        for reason in (*errors.LINK_PROBLEMS, "new")
    },
    "many bad links": boosts.BadLink(problems=tuple(boosts.LinkProblem(text, reason) for text, reason in PROBLEMS * 3)),
    "too many links": boosts.TooManyLinks(limit=20, given=21),
    "no credits": boosts.NoCredits(needed=1, platform="x"),
    "no credits but of an ended plan": boosts.NoCredits(
        needed=1, platform="x", ended_title=hostile.TITLE, ended_at=ENDED
    ),
    "plan ended": boosts.PlanEnded(title="VIP", at=ENDED),
    "plan changed": boosts.PlanChanged(plan_id="custom-7"),
    **{
        f"cannot steer: {what} {paused}": boosts.CannotSteer(order_id=7, what=what, paused=paused)
        for what in ("pause", "resume", "cancel_rest")
        for paused in (False, True)
    },
    "cannot reorder": boosts.CannotReorder(order_id=7),
    **{
        f"custom plan: {reason}": boosts.BadCustomPlan(reason=reason, metric="likes", most=10_000, left=2)
        for reason in errors.CUSTOM_PROBLEMS
    },
    "custom plan: one post left": boosts.BadCustomPlan(reason="too_few_left", left=1),
    "not enough credits": boosts.NoCredits(needed=5, platform="telegram"),
    "draft expired": boosts.DraftExpired(draft_id=5),
    "cannot cancel": boosts.CannotCancel(order_id=7, state="in_progress"),
    **{
        f"bad service: {reason}": boosts.BadService(given=hostile.TITLE, reason=reason)
        for reason in ("unknown", "kind", "unread", "metric", "moved")
    },
    **{
        f"cannot ask: {reason}": boosts.CannotAsk(what="refill", reason=reason)
        for reason in (
            "not_offered",
            "open",
            "done",
            "not_running",
            "not_completed",
            "soon",
            "over",
            "nothing",
            "panel",
        )
    },
    "already decided": boosts.AlreadyDecided(phase_id=5, state="sent"),
    "not sent": boosts.NotSent(phase_id=5, state="completed"),
    "unanswered": boosts.Unanswered(missing=("poll_link",)),
    **{
        f"answer: {question}, {reason}": boosts.BadAnswer(question=question, reason=reason, limit=4)
        for question, reasons in ANSWERS.items()
        for reason in reasons
    },
    "request closed": boosts.RequestClosed(request_id=5, state="discarded"),
    "request invoiced": boosts.RequestClosed(request_id=5, state="invoiced", invoice_id=12),
    "card taken": boosts.CardTaken(card_id=5),
    "card of somebody": boosts.CardNotYours(card_id=5, taken=True),
    "card of nobody": boosts.CardNotYours(card_id=5, taken=False),
    "bad progress": boosts.BadProgress(most=1000),
    "bad panel order": boosts.BadPanelOrder(given=hostile.TITLE),
    **WITHDRAWALS,
    **CROWD,
    **REPLIES,
}

CASES: Cases = {
    "words": {name: errors.words(error) for name, error in REFUSALS.items()},
    "trouble": {"a reference": errors.trouble("c-8f3a1b")},
    "link_problem": {"known": errors.link_problem("profile"), "new": errors.link_problem("new")},
}
