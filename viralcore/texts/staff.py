"""What staff read in answer to their own presses and lines. Cards are in `notices`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    held: int | None = None,
    stuck: int = 0,
) -> Screen:
    """`cards`: lines that somebody does by hand. `stray`: receipts without an owner; None for who may not assign them.
    `claims`: work of the groups to be checked; None for who may not check it. `groups`: whether they may say what
    groups are for. `replies`: submissions of reply guys to be decided. `payouts`: withdrawals
    that wait for one of us; None for who may not decide on them. `held`: what failed in every attempt; None for who
    may not retry it. `stuck`: orders at panels that do not end."""
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
        markup("🧷 Orders at panels that do not end: <b>{n}</b>", n=stuck) if stuck else None,
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
        (Button(f"🧷 Stuck orders ({stuck})", Go("stuck")), Button(f"🧰 Team work ({cards})", Go("cards"))),
        *money,
        *custom,
        (Button(f"💬 Replies to check ({replies})", Go("rq")), Button("🧑‍💻 Reply guys", Go("rguys"))),
        *crowd,
        *(() if payouts is None else ((Button(f"🏧 Withdrawals ({payouts})", Go("payouts")),),)),
        *(() if held is None else ((Button(f"⛔ Held ({held})", Go("held")),),)),
        wording.back_home(),
    )
    return Screen(text, rows, route="admin")


def session_opened(*, until: datetime) -> Html:
    return markup("🔑 Your staff session is open until {at}.", at=wording.moment(until))


@dataclass(frozen=True, slots=True)
class UnknownText:
    """A send to a panel that nobody knows the outcome of. `likely`: what the panel's balance hints at: placed |
    not_placed | open; empty while nobody can say."""

    phase: int
    attempt: int
    order: int
    panel: str
    metric: str
    quantity: int
    link: str
    likely: str = ""


def unknown_list(
    found: Sequence[UnknownText], *, total: int = 0, newer: int | None = None, first: bool = True
) -> Screen:
    """A page, oldest first. `newer`: the last phase on it, when more follow."""
    if not found:
        text = Html("❓ <b>Unknown sends</b>\n\nNothing is open. Every panel has answered.")
        return Screen(text, (wording.back_home("admin"),), route="unknown")
    text = lines(
        markup(
            "❓ <b>Unknown sends</b> ({n})\n\nThese panels did not answer, so nobody knows whether they took the "
            "order. Look into their order lists, then press. 💡 is what our balance there hints at, no proof.\n",
            n=total or len(found),
        ),
        *(_unknown(one) for one in found),
    )
    rows = [
        (
            Button(f"✅ {one.phase} was placed", PhasePlaced(one.phase, one.attempt)),
            Button(f"🔁 {one.phase} was not: send again", PhaseNotPlaced(one.phase, one.attempt)),
        )
        for one in found
    ]
    moves = (
        *(() if first else (Button("⏮ Oldest", Go("unknown")),)),
        *(() if newer is None else (Button("⏫ Newer", Go(f"unknown:{newer}")),)),
    )
    return Screen(text, (*rows, *((moves,) if moves else ()), wording.back_home("admin")), route="unknown")


def _unknown(one: UnknownText) -> Html:
    hint = {
        "placed": " 💡 looks placed",
        "not_placed": " 💡 looks not placed",
        "open": " 💡 says nothing either way",
    }.get(one.likely, "")
    return markup(
        "<b>{phase}</b>, order #{order}: {what} at {panel}{hint}\n{link}",
        phase=one.phase,
        order=one.order,
        what=wording.metric(one.metric, one.quantity),
        panel=one.panel,
        hint=hint,
        link=one.link,
    )


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


def asks(text: str) -> bool:
    """Whether a message of ours in a group asks for an answer."""
    return "Reply to this message" in " ".join(text.split())


def asking(words: Html) -> Html:
    """A question in a group, where only a reply to it is its answer."""
    return words if asks(words) else Html(f"{words}\n\nReply to this message.")


def question_is_over() -> Html:
    return Html("That question is over, or somebody else's. Press the button on the card again.")


def stopped() -> Html:
    return Html("All right, nothing was changed.")
