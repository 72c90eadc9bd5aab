"""The ledger against itself, in statements of our own."""

from __future__ import annotations

from tests.chaos.checker.evidence import Evidence

LAWS = {
    "a posting does not balance": """
        SELECT e.posting_id, a.asset, sum(e.amount) AS off FROM ledger.entries e JOIN ledger.accounts a
            ON a.id = e.account_id GROUP BY 1, 2 HAVING sum(e.amount) <> 0""",
    "an asset does not sum to zero": """
        SELECT a.asset, sum(e.amount) AS off FROM ledger.entries e JOIN ledger.accounts a ON a.id = e.account_id
        GROUP BY 1 HAVING sum(e.amount) <> 0""",
    "a posting has fewer than two entries": """
        SELECT p.id, p.key FROM ledger.postings p LEFT JOIN ledger.entries e ON e.posting_id = p.id
        GROUP BY 1, 2 HAVING count(e.id) < 2""",
    "an entry has no posting or no account": """
        SELECT e.id FROM ledger.entries e WHERE NOT EXISTS (SELECT 1 FROM ledger.postings p WHERE p.id = e.posting_id)
            OR NOT EXISTS (SELECT 1 FROM ledger.accounts a WHERE a.id = e.account_id)""",
    "a balance is not the sum of its entries": """
        SELECT a.owner, a.name, a.asset, b.balance, (SELECT coalesce(sum(amount), 0) FROM ledger.entries e
            WHERE e.account_id = a.id) AS entries
        FROM ledger.accounts a JOIN ledger.balances b ON b.account_id = a.id
        WHERE b.balance <> (SELECT coalesce(sum(amount), 0) FROM ledger.entries e WHERE e.account_id = a.id)""",
    "a user's account has no balance": """
        SELECT a.owner, a.name, a.asset FROM ledger.accounts a WHERE a.owner LIKE 'user:%%'
            AND NOT EXISTS (SELECT 1 FROM ledger.balances b WHERE b.account_id = a.id)""",
    "an account is below its floor": """
        SELECT a.owner, a.name, a.asset, b.balance, b.held, b.floor FROM ledger.balances b
            JOIN ledger.accounts a ON a.id = b.account_id
        WHERE b.balance - b.held < b.floor OR b.balance < 0 OR b.floor <> 0""",
    "something is held": """
        SELECT a.owner, a.name, b.held FROM ledger.balances b JOIN ledger.accounts a ON a.id = b.account_id
        WHERE b.held <> 0""",
    "a hold was left behind": "SELECT id, key, amount FROM ledger.holds WHERE state = 'held'",
    "a running balance is broken": """
        SELECT * FROM (SELECT e.id, e.before, e.amount, e.after,
            coalesce(sum(e.amount) OVER (PARTITION BY e.account_id ORDER BY e.id), 0) AS should_be
            FROM ledger.entries e JOIN ledger.balances b ON b.account_id = e.account_id) r
        WHERE after IS DISTINCT FROM should_be OR before IS DISTINCT FROM should_be - amount""",
    "credits are not what is left of their lots": """
        SELECT a.owner, a.asset, b.balance, coalesce(sum(l.remaining), 0) AS lots FROM ledger.accounts a
            JOIN ledger.balances b ON b.account_id = a.id LEFT JOIN ledger.lots l ON l.account_id = a.id
        WHERE a.name = 'credits' GROUP BY 1, 2, 3 HAVING b.balance <> coalesce(sum(l.remaining), 0)""",
    "a lot was used beyond what it held": """
        SELECT l.id, l.quantity, l.remaining, coalesce(sum(u.quantity), 0) AS used FROM ledger.lots l
            LEFT JOIN ledger.lot_uses u ON u.lot_id = l.id GROUP BY 1, 2, 3
        HAVING l.quantity - l.remaining <> coalesce(sum(u.quantity), 0) OR l.remaining < 0""",
    "a key stands on two postings": "SELECT key, count(*) AS n FROM ledger.postings GROUP BY 1 HAVING count(*) > 1",
}


def check(seen: Evidence) -> None:
    for words, statement in LAWS.items():
        for row in seen.ask(statement.replace("%%", "%"))[:5]:
            seen.found(f"{words}: {dict(row)}")
