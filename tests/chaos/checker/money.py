"""Every coin that arrived, every invoice, every wallet: the chain's book and the driver's record against the ledger."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

from tests.chaos.checker.evidence import Evidence
from tests.chaos.record import Sent

RECEIPTS = """
SELECT r.*, r.rate::text AS rate_text FROM payments.receipts r ORDER BY r.id
"""
BOOKED = """
SELECT substring(p.description FROM '^Receipt ([0-9]+)')::bigint AS receipt, a.owner, a.name, a.asset, sum(e.amount) AS
    amount, count(DISTINCT p.id) AS postings
FROM ledger.postings p JOIN ledger.entries e ON e.posting_id = p.id JOIN ledger.accounts a ON a.id = e.account_id
WHERE p.kind = 'deposit' GROUP BY 1, 2, 3, 4
"""
BOUGHT = """
SELECT substring(p.description FROM '^Invoice ([0-9]+):')::bigint AS invoice, p.id, a.owner, a.name, a.asset, e.amount
FROM ledger.postings p JOIN ledger.entries e ON e.posting_id = p.id JOIN ledger.accounts a ON a.id = e.account_id
WHERE p.kind = 'purchase'
"""
WALLETS = """
SELECT substring(a.owner FROM 6)::bigint AS user_id, sum(b.balance) AS cents FROM ledger.accounts a
    JOIN ledger.balances b ON b.account_id = a.id WHERE a.name IN ('wallet', 'wallet_bonus') GROUP BY 1
"""
FORGIVEN = """
SELECT substring(w.owner FROM 6)::bigint AS user_id, -sum(e.amount) AS cents FROM ledger.entries e
    JOIN ledger.accounts a ON a.id = e.account_id AND a.name = 'tolerance'
    JOIN LATERAL (SELECT DISTINCT o.owner FROM ledger.entries x JOIN ledger.accounts o ON o.id = x.account_id
        WHERE x.posting_id = e.posting_id AND o.owner LIKE 'user:%') w ON true GROUP BY 1
"""
HOUSE = """
SELECT a.name, sum(e.amount) AS cents FROM ledger.entries e JOIN ledger.accounts a ON a.id = e.account_id
WHERE a.owner = 'house' AND a.asset = 'USD' GROUP BY 1
"""
EXACT = {"exact", "exact, pasted", "twice", "slow"}


def check(seen: Evidence) -> None:
    receipts = seen.ask(RECEIPTS)
    _transfers(seen, receipts)
    _booked(seen, receipts)
    _invoices(seen)
    _wallets(seen, receipts)


def _transfers(seen: Evidence, receipts: list[dict[str, Any]]) -> None:
    """Each final transfer of a coin we take has one receipt of its very amount, of the payer or of nobody."""
    sent = {one.hash: one for one in seen.record.sent}
    due = {}
    for row in seen.transfers:
        if row["asset"] and row["final"] and not row["failed"] and Decimal(row["amount"]) > 0:
            due[row["hash"], row["asset"]] = Decimal(row["amount"])
    mine = {(one.hash, one.asset) for one in sent.values() if one.counts}
    seen.unless(set(due) == mine, f"the chain and the driver differ: {set(due) ^ mine}")
    by_transfer: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for receipt in receipts:
        by_transfer[receipt["hash"], receipt["asset"]].append(receipt)
    for key, amount in due.items():
        found = by_transfer.pop(key, [])
        if len(found) != 1:
            seen.found(f"transfer {key[0]} of {amount} {key[1]} has {len(found)} receipts")
            continue
        raw = int(amount * 10**18)
        seen.unless(int(found[0]["amount_raw"]) == raw, f"receipt {found[0]['id']}: {found[0]['amount_raw']} of {raw}")
        _right_owner(seen, sent.get(key[0]), found[0])
        _right_value(seen, found[0])
    for key in by_transfer:
        seen.found(f"a receipt of {key[1]} in {key[0]}, which never came")


def _right_owner(seen: Evidence, sent: Sent | None, receipt: dict[str, Any]) -> None:
    if sent is None:
        return
    who = receipt["user_id"]
    named = f"receipt {receipt['id']} of {sent.hash} ({sent.kind} by {sent.payer})"
    seen.unless(who in (None, sent.payer), f"{named} was credited to {who}")
    if sent.kind in EXACT:
        seen.unless(receipt["state"] == "credited", f"{named} is {receipt['state']}")
        seen.unless(
            sent.invoice is None or receipt["invoice_id"] == sent.invoice,
            f"{named} was sent for invoice {sent.invoice} and counted for {receipt['invoice_id']}",
        )
    if sent.kind == "stray":
        seen.unless(receipt["state"] == "suspense", f"{named} is {receipt['state']}")


def _right_value(seen: Evidence, receipt: dict[str, Any]) -> None:
    rate = Decimal(receipt["rate_text"])
    cents = int(Decimal(int(receipt["amount_raw"])) * rate * 100 / Decimal(10) ** 18)
    seen.unless(receipt["usd_cents"] == cents, f"receipt {receipt['id']} is worth {cents}, not {receipt['usd_cents']}")
    shown = [Decimal(1)] if receipt["asset"] == "USDT" else seen.record.prices
    near = any(abs(rate - price) <= price / 1000 for price in shown)
    seen.unless(near, f"receipt {receipt['id']}: nobody ever showed a price of {rate} for {receipt['asset']}")


def _booked(seen: Evidence, receipts: list[dict[str, Any]]) -> None:
    """What the ledger booked of each receipt, and of all of them."""
    by_receipt: dict[int, dict[tuple[str, str], int]] = defaultdict(dict)
    for row in seen.ask(BOOKED):
        by_receipt[int(row["receipt"])][row["owner"], row["name"]] = int(row["amount"])
    for receipt in receipts:
        booked = by_receipt.pop(receipt["id"], {})
        mirrored = -booked.pop(("house", f"network:bsc:{receipt['asset']}"), 0)
        value = receipt["usd_cents"]
        seen.unless(mirrored == value, f"receipt {receipt['id']} is worth {value} and was booked as {mirrored}")
        suspense = booked.pop(("house", "suspense"), 0)
        forgiven = -booked.pop(("house", "tolerance"), 0)
        wanted = value if receipt["state"] == "suspense" else 0
        seen.unless(suspense == wanted, f"receipt {receipt['id']}: {suspense} in suspense, not {wanted}")
        wallet = booked.pop((f"user:{receipt['user_id']}", "wallet"), 0)
        wanted = 0 if receipt["state"] == "suspense" else value + forgiven
        seen.unless(wallet == wanted, f"receipt {receipt['id']}: {wallet} to its owner's wallet, not {wanted}")
        seen.unless(not any(booked.values()), f"receipt {receipt['id']} was also booked to {booked}")
    for receipt_id, booked in by_receipt.items():
        seen.found(f"a deposit of receipt {receipt_id}, which does not exist: {booked}")
    house = {row["name"]: int(row["cents"]) for row in seen.ask(HOUSE)}
    total = sum(receipt["usd_cents"] for receipt in receipts)
    mirrored = -sum(cents for name, cents in house.items() if name.startswith("network:"))
    seen.unless(mirrored == total, f"deposits in the ledger {mirrored}, worth of all transfers {total}")


def _invoices(seen: Evidence) -> None:
    """A paid invoice has one purchase of its total with its credits, to its owner; any other has none."""
    invoices = seen.ask("SELECT * FROM payments.invoices ORDER BY id")
    bought: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in seen.ask(BOUGHT):
        bought[int(row["invoice"])].append(row)
    opened: dict[int, int] = defaultdict(int)
    for invoice in invoices:
        opened[invoice["user_id"]] += 1
        entries = bought.pop(invoice["id"], [])
        if invoice["state"] == "paid":
            _bought_once(seen, invoice, entries)
        else:
            seen.unless(not entries, f"invoice {invoice['id']} is {invoice['state']} and was bought: {entries}")
    for number in bought:
        seen.found(f"a purchase of invoice {number}, which does not exist")
    for user, count in opened.items():
        asked = seen.record.may_open[user]
        seen.unless(count <= asked, f"user {user} asked for {asked} invoices and has {count}")


def _bought_once(seen: Evidence, invoice: dict[str, Any], entries: list[dict[str, Any]]) -> None:
    named, owner = f"invoice {invoice['id']}", f"user:{invoice['user_id']}"
    postings = {row["id"] for row in entries}
    seen.unless(len(postings) == 1, f"{named} is paid and was bought {len(postings)} times")
    paid = -sum(row["amount"] for row in entries if row["owner"] == owner and row["asset"] == "USD")
    seen.unless(paid == invoice["total_cents"], f"{named} took {paid} of {invoice['total_cents']} from its owner")
    earned = sum(row["amount"] for row in entries if (row["owner"], row["name"]) == ("house", "revenue"))
    seen.unless(earned == invoice["total_cents"], f"{named} brought {earned} of {invoice['total_cents']}")
    grants = invoice["grants"] if isinstance(invoice["grants"], list) else json.loads(invoice["grants"])
    for grant in grants:
        got = sum(
            row["amount"]
            for row in entries
            if (row["owner"], row["name"], row["asset"]) == (owner, "credits", grant["asset"])
        )
        seen.unless(got == grant["quantity"], f"{named} granted {got} of {grant['quantity']} {grant['asset']}")
        seen.unless(grant["quantity"] == invoice["quantity"], f"{named} sells other than it grants")
    foreign = {row["owner"] for row in entries} - {owner, "house"}
    seen.unless(not foreign, f"{named} moved money of {foreign}")


def _wallets(seen: Evidence, receipts: list[dict[str, Any]]) -> None:
    """A wallet is what came in, less what was bought, plus what came back: nobody has a cent of anybody else's."""
    should: dict[int, int] = defaultdict(int)
    spent: dict[int, int] = defaultdict(int)
    for receipt in receipts:
        if receipt["state"] == "credited":
            should[receipt["user_id"]] += receipt["usd_cents"]
    for row in seen.ask(
        "SELECT user_id, sum(total_cents) AS cents FROM payments.invoices WHERE state = 'paid' GROUP BY 1"
    ):
        should[row["user_id"]] -= int(row["cents"])
        spent[row["user_id"]] = int(row["cents"])
    for row in seen.ask("SELECT user_id, sum(refunded_cents - unpaid_cents) AS cents FROM boosts.orders GROUP BY 1"):
        should[row["user_id"]] += int(row["cents"])
    for row in seen.ask(FORGIVEN):
        should[row["user_id"]] += int(row["cents"])
        allowed = spent[row["user_id"]] // 100 + 1
        seen.unless(row["cents"] <= allowed, f"user {row['user_id']} was forgiven {row['cents']} of at most {allowed}")
    has = {row["user_id"]: int(row["cents"]) for row in seen.ask(WALLETS)}
    for user in {*should, *has}:
        seen.unless(
            should[user] == has.get(user, 0),
            f"user {user} should have {should[user]} cents and has {has.get(user, 0)}",
        )
