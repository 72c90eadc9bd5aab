"""The crowd: messages in groups, what their members are told, and what staff see of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from viralcore.core.screen import Button, Html, Screen, lines, markup
from viralcore.texts import cards, wording
from viralcore.texts.actions import Go
from viralcore.texts.cards import PersonText
from viralcore.texts.crowd_actions import ApproveClaim, RejectClaim, SetGroupRole, TakeSlot, TakeVerifiedSlot

_DID = {"comments": "replied", "reposts": "reposted", "reactions": "reacted"}
_ROLES = {"comments": "comment group", "likes": "likes group", "none": "no role"}
_GONE = {"left": "the bot left", "kicked": "the bot was removed"}
CLAIMS_START, CLAIM_START, TASK_START = "claims", "claim_", "task_"
"""What follows ``/start`` in links that lead from a group into the private chat."""


@dataclass(frozen=True, slots=True)
class PartText:
    """`verified`: so many of `wanted` must come from verified accounts; `taken_verified`: those that are taken."""

    metric: str
    wanted: int
    taken: int
    approved: int
    verified: int = 0
    taken_verified: int = 0


@dataclass(frozen=True, slots=True)
class GroupText:
    id: int
    chat_id: int
    title: str
    role: str
    state: str
    posts: int
    claims: int
    approved: int
    last_sent: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimText:
    """`metrics`: what was done, one of each; `links`: the proof, in its `version`; `verified`: from such an account."""

    id: int
    post_id: int
    order_id: int
    link: str
    metrics: tuple[str, ...]
    links: tuple[str, ...]
    state: str
    reason: str
    again: bool
    verified: bool = False
    version: int = 1


# --- in groups -------------------------------------------------------------------------------------------------------


def group_post(
    *, post_id: int, link: str, share: int, parts: Sequence[PartText], closed: bool, bot_username: str
) -> Screen:
    """A post in a comment group."""
    counts = " · ".join(f"{part.taken} of {part.wanted} {_DID[part.metric]}" for part in parts)
    if closed:
        return Screen(
            lines(
                markup("☑️ <b>Post #{id} is closed, thank you!</b>", id=post_id),
                markup("{link}\n", link=link),
                Html(counts),
            )
        )
    wanted = wording.join([_wanted(part, share) for part in parts])
    first = parts[0] if parts else PartText("comments", 1, 0, 0)
    text = lines(
        markup("📣 <b>Post #{id}</b>", id=post_id),
        markup("{link}\n", link=link),
        markup("Wanted: <b>{wanted}</b>", wanted=wanted),
        *(_verified(part) for part in parts if part.verified),
        markup("{bar} {counts}\n", bar=wording.bar(first.taken, first.wanted), counts=counts),
        Html(
            "Do it from your own account, press what you did, then send me the link as proof. What is checked counts."
        ),
    )
    did = tuple(Button(f"{_sign(part.metric)} I {_DID[part.metric]}", TakeSlot(post_id, part.metric)) for part in parts)
    sure = tuple(
        Button(f"☑️ I {_DID[part.metric]}, verified account", TakeVerifiedSlot(post_id, part.metric))
        for part in parts
        if part.verified
    )
    proof = Button("📎 Send proof", url=wording.start_link(bot_username, f"{TASK_START}{post_id}"))
    rows = (did, sure, (Button("🔗 Open the post", url=link), proof))
    return Screen(text, tuple(row for row in rows if row))


def _verified(part: PartText) -> Html:
    return markup(
        "☑️ {n} of the {what}s must come from <b>verified accounts</b>: {taken} of them are taken. If yours is one, "
        "press the button that says so.",
        n=f"{part.verified:,}",
        what=wording.METRICS[part.metric][1],
        taken=f"{min(part.taken_verified, part.verified):,}",
    )


def _wanted(part: PartText, share: int) -> str:
    of_these = f" ({share} from this group)" if part.metric == "comments" and 0 < share < part.wanted else ""
    return wording.metric(part.metric, part.wanted) + of_these


def _sign(metric: str) -> str:
    return "✅" if metric == "comments" else wording.icon(metric)


def likes_post(*, order_id: int, post_id: str, link: str, likes: int, correlation_id: str, at: datetime) -> Screen:
    """A post in the likes group."""
    return Screen(
        lines(
            markup("❤️ <b>Order #{id}</b>", id=order_id),
            markup("{link}\n", link=link),
            markup("Post id: <code>{id}</code>", id=post_id),
            markup("Likes needed: <b>{likes}</b>", likes=f"{likes:,}"),
            markup("Reference: <code>{reference}</code>", reference=correlation_id),
            markup("Time: {at}", at=wording.moment(at)),
        ),
        ((Button("🔗 Open the post", url=link),),),
    )


def taken_toast(*, metric: str, taken: int, wanted: int, claim_id: int, bot_username: str, known: bool) -> str:
    """The answer to the press; at most 200 characters. `known`: the bot may write to them."""
    slot = f"Thank you! You have slot {taken} of {wanted} ({wording.METRICS[metric][1]}s)."
    if known:
        return f"{slot} I have written to you: send me the link of it there."
    return f"{slot} Now send me the link of it: t.me/{bot_username}?start={CLAIM_START}{claim_id}"


def held_toast(*, state: str, claim_id: int, bot_username: str) -> str:
    """They had a slot already."""
    if state == "claimed":
        return f"You already have a slot. Send me your link: t.me/{bot_username}?start={CLAIM_START}{claim_id}"
    if state == "submitted":
        return "You have sent your proof already. It is being checked."
    return "Yours was approved already. Thank you!"


# --- to members ------------------------------------------------------------------------------------------------------


def _proof(claim: ClaimText) -> tuple[tuple[Button, ...], ...]:
    return ((Button("📎 Send proof", Go(f"work:{claim.id}")),),)


def _work(claim: ClaimText) -> str:
    work = wording.join([wording.metric(name, 1) for name in claim.metrics])
    return f"{work}, from a verified account" if claim.verified else work


def claim_taken(claim: ClaimText, *, until: datetime) -> Screen:
    text = markup(
        "📎 <b>Your proof, please</b>\n\n{link}\n\nYou took: {work}. Send me {what} by {at}, or the slot goes to "
        "somebody else.",
        link=claim.link,
        work=_work(claim),
        what="the link of your reply" if "comments" in claim.metrics else "the link of your profile",
        at=wording.moment(until),
    )
    return Screen(text, _proof(claim))


def claim_ended(claim: ClaimText) -> Screen:
    """Approved, turned down, or out of time."""
    if claim.state == "approved":
        head, told = "✅ <b>Your work was approved</b>", markup("{work}. Thank you!", work=_work(claim).capitalize())
    elif claim.state == "rejected":
        more = " You may take it once more and do better." if claim.again else ""
        head = "✖️ <b>Your proof was turned down</b>"
        told = markup("The reason: <i>{reason}</i>{more}", reason=claim.reason, more=more)
    else:
        head = "⌛ <b>Your time has run out</b>"
        told = Html("No proof came, so the slot is free again. If the post still needs you, take it once more.")
    text = lines(Html(head), markup("\n{link}\n", link=claim.link), told)
    return Screen(text, ((Button("🔎 Open", Go(f"work:{claim.id}")), Button("🏠 Home", Go("home"))),))


def no_claim() -> Screen:
    """They pressed the link before the button."""
    text = Html(
        "You have taken no slot of that post yet. Press what you did under it in the group, then send me the link here."
    )
    return Screen(text, (wording.back_home(),))


# --- in the admin group ----------------------------------------------------------------------------------------------


def group_joined(group: GroupText) -> Screen:
    if group.role != "none":
        told = markup("Its role is the one it had: <b>{role}</b>.", role=_ROLES[group.role])
    else:
        told = Html("It has no role yet: give it one in the Admin Panel, under Groups.")
    text = lines(markup("👥 <b>I am in the group {title} (#{id})</b>", title=group.title, id=group.id), told)
    return Screen(text)


def group_lost(group: GroupText) -> Screen:
    told = {
        "comments": "It was a comment group: posts that were meant for it go to the next one. When none is left, what "
        "they still need soon becomes cards for the team.",
        "likes": "It was the likes group: new posts are not announced until another group has this role.",
    }
    text = lines(
        markup("👥 <b>I am no longer in the group {title} (#{id})</b>", title=group.title, id=group.id),
        Html(told.get(group.role, "It had no role.")),
    )
    return Screen(text)


def claims_card(*, order_id: int, link: str, waiting: int, bot_username: str) -> Screen:
    """What waits to be checked of one order."""
    head = markup("🧾 <b>Work of the groups, order #{id}</b>\n{link}\n", id=order_id, link=link)
    if not waiting:
        return Screen(lines(head, Html("☑️ All that was handed in is checked.")))
    what = "1 proof waits" if waiting == 1 else f"{waiting} proofs wait"
    url = wording.start_link(bot_username, CLAIMS_START)
    return Screen(
        lines(head, markup("<b>{what}</b> to be checked.", what=what)), ((Button("🔎 Check them", url=url),),)
    )


# --- the admin panel -------------------------------------------------------------------------------------------------


def groups(found: Sequence[GroupText], *, older: int | None) -> Screen:
    """`older`: where the next page begins."""
    head = "👥 <b>Groups</b>\n"
    if not found:
        text = Html(f"{head}\nI am in no group yet. Add me to one, and it appears here.")
        return Screen(text, (wording.back_home("admin"),), route="groups")
    told = [markup("{mark} {line}", mark=_mark(one), line=Html(_line(one))) for one in found]
    rows = [(Button(f"#{one.id} {one.title[:40]}", Go(f"group:{one.id}")),) for one in found]
    if older is not None:
        rows.append((Button("➡️ More", Go(f"groups:{older}")),))
    return Screen(lines(Html(head), *told), (*rows, wording.back_home("admin")), route="groups")


def group(one: GroupText) -> Screen:
    text = lines(
        markup("👥 <b>{title}</b> (#{id})", title=one.title, id=one.id),
        markup("Chat id: <code>{id}</code>\n", id=one.chat_id),
        markup("Role: <b>{role}</b>", role=_ROLES[one.role]),
        None if one.state == "in" else markup("⚠️ Nothing is sent there: {why}.", why=_GONE[one.state]),
        markup("Posts sent: <b>{n}</b>", n=f"{one.posts:,}"),
        markup("Claims: <b>{n}</b>, approved: <b>{ok}</b>", n=f"{one.claims:,}", ok=f"{one.approved:,}"),
        markup("Last sent: {at}", at=wording.moment(one.last_sent) if one.last_sent else "never"),
        Html("\nA comment group is sent posts to reply to. There is one likes group: it gets every post at once."),
    )
    names = (("comments", "💬 Comment group"), ("likes", "❤️ Likes group"), ("none", "🚫 No role"))
    roles = tuple(Button(label, SetGroupRole(one.id, role)) for role, label in names if role != one.role)
    return Screen(text, (roles, wording.back_home("groups")), route=f"group:{one.id}")


def role_set(one: GroupText) -> str:
    return f"#{one.id} {one.title[:60]}: {_ROLES[one.role]}."


def _mark(one: GroupText) -> str:
    if one.state != "in":
        return "⚫"
    return {"comments": "💬", "likes": "❤️"}.get(one.role, "⚪")


def _line(one: GroupText) -> Html:
    return markup(
        "#{id} <b>{title}</b>: {role}, {posts}, {claims}, {at}{gone}",
        id=one.id,
        title=one.title,
        role=_ROLES[one.role],
        posts=wording.count(one.posts, "post"),
        claims=wording.count(one.claims, "claim"),
        at=f"last {wording.moment(one.last_sent)}" if one.last_sent else "nothing sent yet",
        gone="" if one.state == "in" else f" ({_GONE[one.state]})",
    )


def claims(claim: ClaimText | None, *, who: PersonText | None, waiting: int, sent_at: datetime | None) -> Screen:
    """One claim to be checked at a time, the oldest first; None: nothing waits (any longer, behind this one)."""
    head = markup("🧾 <b>Work of the groups</b>, to be checked: <b>{n}</b>\n", n=waiting)
    if claim is None or who is None:
        more = ((Button("↩️ From the beginning", Go("claims")),),) if waiting else ()
        told = Html("That was the last one." if waiting else "Everything is checked.")
        return Screen(lines(head, told), (*more, wording.back_home("admin")), route="claims")
    text = lines(
        head,
        markup("Claim {id} of order #{order}, by {who}", id=claim.id, order=claim.order_id, who=cards.person(who)),
        markup("Post: {link}", link=claim.link),
        markup("Says they did: <b>{work}</b>", work=_work(claim)),
        markup("Sent: {at}\n", at=wording.moment(sent_at)) if sent_at else None,
        *(markup("📎 {link}", link=link) for link in claim.links),
    )
    reject = Button("✖️ Reject", RejectClaim(claim.id, claim.version))
    if claim.verified:
        text = lines(
            text,
            Html(
                "\n☑️ They say that the account is verified. Look: only if it is, it counts as one of those that the "
                "buyer was promised."
            ),
        )
        decide: tuple[tuple[Button, ...], ...] = (
            (
                Button("☑️ Approve, verified", ApproveClaim(claim.id, claim.version, 1)),
                Button("✅ Approve, not verified", ApproveClaim(claim.id, claim.version, 0)),
            ),
            (reject,),
        )
    else:
        decide = ((Button("✅ Approve", ApproveClaim(claim.id, claim.version, 0)), reject),)
    rows = (*decide, (Button("⏭ Skip", Go(f"claims:{claim.id}")),), wording.back_home("admin"))
    return Screen(text, rows, route="claims")


def ask_reason(*, claim_id: int) -> Html:
    return markup(
        "Why is claim {id} not accepted? Send a sentence; the person who did it reads it. /cancel to stop.", id=claim_id
    )


def decided(*, claim_id: int, state: str) -> Html:
    return markup("☑️ Claim {id} is {state}.", id=claim_id, state=state)
