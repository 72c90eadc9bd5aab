"""What people and staff read: an answer to everything, news of their money, and never a word of anybody else's."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from tests.chaos.checker.evidence import Evidence

_NUMBERED = re.compile(r"\b(invoice|order) #(\d+)", re.IGNORECASE)
_GUEST = re.compile(r"x\.com/guest(\d+)/")
_HASH = re.compile(r"0x[0-9a-f]{64}")
_WALLET = re.compile(r"Wallet: \$([\d,]+\.\d\d)")
_POSTS = re.compile(r"^X Tier (\d): ([\d,]+)$", re.MULTILINE)
_END = re.compile(r"Order #(\d+)(?: is complete| has ended| could not be delivered)")
_PAID = re.compile(r"Payment received.*?invoice #(\d+)", re.DOTALL)
HOLDINGS = """
SELECT substring(a.owner FROM 6)::bigint AS user_id, a.name, a.asset, b.balance FROM ledger.accounts a
    JOIN ledger.balances b ON b.account_id = a.id
"""


def check(seen: Evidence, users: list[int]) -> None:
    owners = {
        "invoice": {row["id"]: row["user_id"] for row in seen.ask("SELECT id, user_id FROM payments.invoices")},
        "order": {row["id"]: row["user_id"] for row in seen.ask("SELECT id, user_id FROM boosts.orders")},
    }
    for user in users:
        _answered(seen, user)
        _private(seen, user, owners)
    _presses(seen)
    _balances(seen, users)
    _told(seen)
    _staff_told(seen)


def _answered(seen: Evidence, user: int) -> None:
    """Every line has an answer of its own below it: walking up from the newest, answers never fall behind."""
    answers = sorted((int(one["message_id"]) for one in seen.said(user)), reverse=True)
    for number, line in enumerate(sorted(seen.record.typed.get(user, []), reverse=True), start=1):
        below = sum(1 for one in answers if one > line)
        if below < number:
            seen.found(f"user {user}: {number} lines since message {line}, {below} answers")
            return


def _presses(seen: Evidence) -> None:
    unanswered = seen.figures["unanswered"]
    seen.unless(not unanswered, f"{len(unanswered)} presses were never answered: {unanswered[:5]}")


def _private(seen: Evidence, user: int, owners: dict[str, dict[int, int]]) -> None:
    known = {one.hash for one in seen.record.of(user)} | {found for who, found in seen.record.pasted if who == user}
    for message in seen.said(user):
        text = message["text"]
        for what, number in _NUMBERED.findall(text):
            owner = owners[what.lower()].get(int(number))
            seen.unless(owner == user, f"user {user} reads of {what} {number} of user {owner}: {text[:120]!r}")
        for guest in _GUEST.findall(text):
            seen.unless(int(guest) == user, f"user {user} reads of a link of user {guest}")
        for found in _HASH.findall(text.lower()):
            seen.unless(found in known or "ab" * 16 in found, f"user {user} reads of a transfer that is not theirs")


def _balances(seen: Evidence, users: list[int]) -> None:
    """The last thing everybody asked for was /balance."""
    has: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in seen.ask(HOLDINGS):
        has[row["user_id"]][row["asset"] if row["name"] == "credits" else row["name"]] += int(row["balance"])
    for user in users:
        shown = [one for one in seen.said(user) if _WALLET.search(one["text"])]
        if not shown:
            seen.found(f"user {user} was never shown a balance")
            continue
        text = shown[-1]["text"]
        told = _WALLET.search(text)
        cents = int(told[1].replace(",", "").replace(".", "")) if told else -1
        mine = has[user]
        real = mine["wallet"] + mine["wallet_bonus"]
        seen.unless(cents == real, f"user {user} is shown {cents} cents and has {real}")
        posts = {f"t{tier}": int(n.replace(",", "")) for tier, n in _POSTS.findall(text)}
        real_posts = {asset: n for asset, n in mine.items() if asset.startswith("t") and n}
        seen.unless(posts == real_posts, f"user {user} is shown {posts} and has {real_posts}")


def _told(seen: Evidence) -> None:
    """Money that was credited and orders that ended were told to their owners."""
    told_paid: dict[tuple[int, int], int] = defaultdict(int)
    told_end: set[tuple[int, int]] = set()
    for chat in seen.chats:
        for message in seen.said(chat):
            for number in _PAID.findall(message["text"]):
                told_paid[chat, int(number)] += 1
            told_end |= {(chat, int(number)) for number in _END.findall(message["text"])}
    credited: dict[tuple[int, int], int] = defaultdict(int)
    statement = "SELECT user_id, invoice_id FROM payments.receipts WHERE state = 'credited' AND usd_cents > 0"
    for row in seen.ask(statement):
        credited[row["user_id"], row["invoice_id"]] += 1
    for key, times in credited.items():
        seen.unless(
            told_paid[key] >= times, f"user {key[0]}: {times} payments for invoice {key[1]}, told {told_paid[key]}"
        )
    for row in seen.ask("SELECT id, user_id FROM boosts.orders WHERE state IN ('completed', 'partial', 'failed')"):
        ended = (row["user_id"], row["id"]) in told_end
        seen.unless(ended, f"user {row['user_id']} was not told how order {row['id']} ended")


def _staff_told(seen: Evidence) -> None:
    """Whatever waited for staff was on a card."""
    cards = [message["text"] for message in seen.said(seen.group)]
    for row in seen.ask(
        "SELECT DISTINCT phase_id FROM boosts.attempts a JOIN core.effects e "
        "ON e.key = 'phase:' || a.phase_id || ':a' || a.number WHERE e.state = 'unknown'"
    ):
        named = re.compile(rf"\bphase {row['phase_id']}\b", re.IGNORECASE)
        seen.unless(any(named.search(card) for card in cards), f"staff have no card for phase {row['phase_id']}")
    stray: list[dict[str, Any]] = seen.ask(
        "SELECT id, hash FROM payments.receipts WHERE state = 'suspense' AND usd_cents > 0"
    )
    for row in stray:
        seen.unless(any(row["hash"] in card for card in cards), f"staff have no card for stray receipt {row['id']}")
