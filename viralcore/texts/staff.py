"""What staff read in answer to their own presses and lines. Cards are in `notices`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import wording
from viralcore.texts.actions import Go, OpenSession, PhaseNotPlaced, PhasePlaced


def admin(
    *,
    roles: Sequence[str],
    session_until: datetime | None,
    unknown: int,
    stray: int | None,
    cards: int = 0,
    claims: int | None = None,
    groups: bool = False,
    payouts: int | None = None,
    replies: int = 0,
    plans: bool = False,
) -> Screen:
    """`cards`: lines that somebody does by hand. `stray`: receipts without an owner; None for who may not assign them.
    `claims`: work of the groups to be checked; None for who may not check it. `groups`: whether they may say what
    groups are for. `replies`: submissions of reply guys to be decided. `payouts`: withdrawals
    that wait for one of us; None for who may not decide on them."""
    open_until = (
        markup("Your staff session is open until {at}.", at=wording.moment(session_until))
        if session_until
        else Html("Your staff session is closed. Actions on money and roles need it.")
    )
    text = lines(
        Html("🛠 <b>Admin Panel</b>\n"),
        markup("You are: {roles}", roles=wording.join(list(roles))),
        open_until,
        markup("\n❓ Sends to panels with unknown outcome: <b>{n}</b>", n=unknown),
        None if stray is None else markup("❗ Stray receipts: <b>{n}</b>", n=stray),
        None if payouts is None else markup("🏧 Withdrawals that wait for one of us: <b>{n}</b>", n=payouts),
    )
    custom = ((Button("🎁 Custom plans", Go("cadm")),),) if plans else ()
    money = () if stray is None else ((Button("💵 Payments", Go("money")), Button("📚 Books", Go("books"))),)
    work = () if claims is None else (Button(f"🧾 Work of the groups ({claims})", Go("claims")),)
    registry = (Button("👥 Groups", Go("groups")),) if groups else ()
    crowd = ((*work, *registry),) if work or registry else ()
    rows = (
        (Button("🔑 Open session", OpenSession()),),
        (Button(f"❓ Unknown sends ({unknown})", Go("unknown")), Button("🔌 Panels", Go("panels"))),
        (Button(f"🧰 Team work ({cards})", Go("cards")),),
        *money,
        *custom,
        (Button(f"💬 Replies to check ({replies})", Go("rq")), Button("🧑‍💻 Reply guys", Go("rguys"))),
        *crowd,
        *(() if payouts is None else ((Button(f"🏧 Withdrawals ({payouts})", Go("payouts")),),)),
        wording.back_home(),
    )
    return Screen(text, rows, route="admin")


def session_opened(*, until: datetime) -> Html:
    return markup("🔑 Your staff session is open until {at}.", at=wording.moment(until))


def unknown_list(rows_of: Sequence[tuple[int, int, int, str, str, int, str]]) -> Screen:
    """`rows_of`: phase, its attempt, order, panel, metric, quantity, link."""
    if not rows_of:
        text = Html("❓ <b>Unknown sends</b>\n\nNothing is open. Every panel has answered.")
        return Screen(text, (wording.back_home("admin"),), route="unknown")
    told = [
        markup(
            "Phase {phase} of order #{order}: {what} at {panel}\n{link}\n",
            phase=phase,
            order=order,
            what=wording.metric(metric, quantity),
            panel=panel,
            link=link,
        )
        for phase, _, order, panel, metric, quantity, link in rows_of
    ]
    text = lines(
        Html(
            "❓ <b>Unknown sends</b>\n\nThese panels did not answer, so nobody knows whether they took the order. Look "
            "into their order lists, then press:\n"
        ),
        *told,
    )
    rows = [
        (
            Button(f"✅ {p[0]} was placed", PhasePlaced(p[0], p[1])),
            Button(f"🔁 {p[0]} was not: send again", PhaseNotPlaced(p[0], p[1])),
        )
        for p in rows_of
    ]
    return Screen(text, (*rows, wording.back_home("admin")), route="unknown")


def ask_panel_order(*, phase: int, panel: str) -> Html:
    return markup(
        "Which order number did <b>{panel}</b> give phase {phase}? Reply to this message with it. /cancel to stop.",
        panel=panel,
        phase=phase,
    )


def placed(*, phase: int, panel: str, panel_order: str) -> Html:
    return markup(
        "✅ Phase {phase} is order <code>{order}</code> at {panel}. We follow it from here.",
        phase=phase,
        order=panel_order,
        panel=panel,
    )


def sent_again(*, phase: int) -> str:
    return f"Phase {phase} is sent again."


def proof_approved(*, proof: int) -> str:
    return f"Receipt photo #{proof} is accepted and credited."


def ask_proof_reason(*, proof: int, invoice_id: int) -> Html:
    return markup(
        "Why is receipt photo #{proof} (invoice #{invoice}) not accepted? Reply to this message with a sentence; the "
        "payer reads it. /cancel to stop.",
        proof=proof,
        invoice=invoice_id,
    )


def proof_rejected(*, proof: int) -> Html:
    return markup("☑️ Receipt photo #{proof} is rejected. The payer was told why.", proof=proof)


def stopped() -> Html:
    return Html("All right, nothing was changed.")
