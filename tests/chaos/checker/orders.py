"""Every order, to the unit: the panels' books against what was bought, sent, delivered and paid back."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from tests.chaos.checker.evidence import Evidence, Row

METRIC_OF = {"101": "likes", "102": "views"}
CREDITS = """
SELECT p.kind, a.owner, a.asset, sum(e.amount) AS n FROM ledger.postings p JOIN ledger.entries e ON e.posting_id = p.id
    JOIN ledger.accounts a ON a.id = e.account_id WHERE a.name = 'credits' AND p.kind IN ('boost', 'refund')
GROUP BY 1, 2, 3
"""
CAME_BACK = """
SELECT substring(p.description FROM 'order ([0-9]+)$')::bigint AS order_id, a.asset, sum(e.amount) AS amount
FROM ledger.postings p JOIN ledger.entries e ON e.posting_id = p.id JOIN ledger.accounts a ON a.id = e.account_id
WHERE p.kind = 'refund' AND a.owner LIKE 'user:%' GROUP BY 1, 2
"""
UNPAID = "SELECT coalesce(sum(unpaid_cents), 0) AS cents FROM boosts.orders"
FORGIVEN = "SELECT coalesce(sum(forgiven_cents), 0) AS cents FROM payments.invoices"
ATTEMPTS = """
SELECT a.*, p.state AS phase_state, p.delivered, p.order_id FROM boosts.attempts a
    JOIN boosts.phases p ON p.id = a.phase_id ORDER BY a.phase_id, a.number
"""
UNDONE = {"Partial", "Canceled", "Refunded", "Fail"}
ENDED = {"completed", "partial", "failed", "cancelled"}


def check(seen: Evidence) -> None:
    """Of orders paid with credits. Goods that a shopper stumbled into wait for people, of whom a storm has none."""
    orders = {row["id"]: row for row in seen.ask("SELECT * FROM boosts.orders WHERE invoice_id IS NULL")}
    lines = [line for line in seen.ask("SELECT * FROM boosts.lines") if line["order_id"] in orders]
    _panels(seen, orders, lines)
    _credits(seen, list(orders.values()))
    _settled(seen, orders, lines)


def _panels(seen: Evidence, orders: dict[int, dict[str, Any]], lines: list[dict[str, Any]]) -> None:
    """An order in a panel's book belongs to one try of one phase, and is what that try said; and no link ever got more
    than its plan has, whatever our own rows say."""
    book = {(row["panel"], str(row["order"])): row for row in seen.panel_orders}
    attempts = seen.ask(ATTEMPTS)
    claimed: Counter[tuple[str, str]] = Counter()
    of_phase: Counter[int] = Counter()
    for attempt in attempts:
        if attempt["state"] != "sent":
            decided = attempt["state"] in {"refused", "not_placed"}
            seen.unless(decided, f"try {attempt['number']} of phase {attempt['phase_id']} is {attempt['state']}")
            continue
        of_phase[attempt["phase_id"]] += 1
        key = (attempt["panel"], attempt["panel_order"])
        claimed[key] += 1
        placed = book.get(key)
        if placed is None:
            seen.found(f"phase {attempt['phase_id']}: {key} is in no panel's book")
        else:
            _same(seen, attempt, placed)
    for key, times in claimed.items():
        seen.unless(times == 1, f"panel order {key} belongs to {times} phases")
    for phase, times in of_phase.items():
        seen.unless(times == 1, f"phase {phase} was placed {times} times")
    for key, row in book.items():
        if key not in claimed:
            seen.found(f"panel order {key} ({row['quantity']} of {row['service']} for {row['link']}) is nobody's")
    _never_more(seen, orders, lines)


def _same(seen: Evidence, attempt: dict[str, Any], placed: Row) -> None:
    ours = (attempt["service"], attempt["link"], attempt["quantity"])
    theirs = (str(placed["service"]), placed["link"], placed["quantity"])
    seen.unless(ours == theirs, f"phase {attempt['phase_id']} sent {ours}, the panel has {theirs}")
    delivered = placed["quantity"] - (0 if placed["status"] == "Completed" else placed["remains"])
    seen.unless(
        attempt["delivered"] == delivered,
        f"phase {attempt['phase_id']}: the panel delivered {delivered} ({placed['status']}), we count "
        f"{attempt['delivered']} ({attempt['phase_state']})",
    )


def _never_more(seen: Evidence, orders: dict[int, dict[str, Any]], lines: list[dict[str, Any]]) -> None:
    planned: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        if line["channel"] == "panel":
            planned[orders[line["order_id"]]["link"]] += line["quantity"]
    # What a panel left undone is ordered once more, at another: that part counts where it was ordered last.
    got: dict[str, int] = defaultdict(int)
    for row in seen.panel_orders:
        got[row["link"]] += row["quantity"] - (row["remains"] if row["status"] in UNDONE else 0)
    for link, quantity in got.items():
        if quantity > planned[link]:
            seen.found(f"{link}: panels have {quantity} units done or in hand, {planned[link]} were bought")
    made = Counter(order["link"] for order in orders.values())
    asked = Counter(made.keys())
    for order_id, presses in seen.record.may_reorder.items():
        if order_id in orders:
            asked[orders[order_id]["link"]] += presses
    for link, times in made.items():
        seen.unless(times <= asked[link], f"{link} was submitted {asked[link]} times and ordered {times} times")
    for order in orders.values():
        mine = f"/guest{order['user_id']}/" in order["link"]
        seen.unless(mine, f"order {order['id']} for {order['link']} is user {order['user_id']}'s")


def _credits(seen: Evidence, orders: list[dict[str, Any]]) -> None:
    """One credit for each order, once; back for those that delivered nothing, once."""
    moved = {(row["kind"], row["owner"], row["asset"]): int(row["n"]) for row in seen.ask(CREDITS)}
    made = Counter((f"user:{one['user_id']}", one["asset"]) for one in orders)
    back = Counter((f"user:{one['user_id']}", one["asset"]) for one in orders if one["credit_returned"])
    keys = {*made, *((owner, asset) for _, owner, asset in moved if owner != "house")}
    for owner, asset in keys:
        used = -moved.get(("boost", owner, asset), 0)
        seen.unless(used == made[owner, asset], f"{owner} used {used} {asset} for {made[owner, asset]} orders")
        came = moved.get(("refund", owner, asset), 0)
        seen.unless(came == back[owner, asset], f"{owner} got {came} {asset} back for {back[owner, asset]} orders")


def _settled(seen: Evidence, orders: dict[int, dict[str, Any]], lines: list[dict[str, Any]]) -> None:
    came: dict[tuple[int, bool], int] = defaultdict(int)
    for row in seen.ask(CAME_BACK):
        came[int(row["order_id"]), row["asset"] == "USD"] += int(row["amount"])
    of_order: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        of_order[line["order_id"]].append(line)
    # What nobody paid comes back to nobody, and that is never more than was forgiven.
    unpaid, forgiven = (seen.ask(query)[0]["cents"] for query in (UNPAID, FORGIVEN))
    seen.unless(unpaid <= forgiven, f"{unpaid} cents of orders were held back, and {forgiven} forgiven")
    for number, order in orders.items():
        if order["state"] not in ENDED:
            seen.found(f"order {number} is still {order['state']}")
            continue
        mine = of_order[number]
        nothing = not any(line["delivered"] for line in mine)
        seen.unless(order["credit_returned"] == nothing, f"order {number} ({order['state']}): its credit is not right")
        seen.unless(
            came[number, False] == int(order["credit_returned"]), f"order {number}: {came[number, False]} credits back"
        )
        wanted = 0 if nothing else sum(_refund(order, line) for line in mine)
        seen.unless(
            order["refunded_cents"] == wanted == came[number, True] + order["unpaid_cents"],
            f"order {number}: {wanted} cents should come back, its row says {order['refunded_cents']} less "
            f"{order['unpaid_cents']} that nobody paid, the ledger {came[number, True]}",
        )


def _refund(order: dict[str, Any], line: dict[str, Any]) -> int:
    missing = max(0, line["quantity"] - line["delivered"])
    share = Decimal(order["unit_cost"]) * Decimal(line["share"]) * 100 * missing / line["quantity"]
    return int(share.to_integral_value(ROUND_FLOOR))
