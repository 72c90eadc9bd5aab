"""Shops that gave money back before it was remembered by the invoice."""

from __future__ import annotations

from pathlib import Path

import psycopg

from tests.support.database import Cluster
from viralcore.core import migrate

VERSIONS = Path(__file__).parents[3] / "migrations/versions"
SOLD = """
INSERT INTO payments.invoices (user_id, item_kind, item_ref, item_title, item_data, quantity, unit_price, total_cents,
    grants, state, created_at, expires_at, closed_at, paid_at, bonus_cents, forgiven_cents, refunded_cents)
VALUES (7, 'credits', 't3', 'X', '{}', 1, 1, 1000, '[]', 'paid', now(), now(), now(), now(), %s, %s, %s) RETURNING id
"""
RETURNED = "INSERT INTO referrals.returns (source, invoice_id, cents, known, at) VALUES (%s, %s, %s, %s, now())"


def test_what_had_gone_back_before_is_counted(postgres: Cluster) -> None:
    url = postgres.empty()
    (number,) = (path.name.split("_")[0] for path in VERSIONS.glob("*_given_back.py"))
    migrate.upgrade(url, migrate.revisions()[migrate.revisions().index(number) - 1])
    with psycopg.connect(url, autocommit=True) as connection:
        ids = []
        for bonus, forgiven, refunded in ((0, 0, 0), (300, 0, 250), (0, 4, 996), (0, 50, 475), (0, 0, 800)):
            row = connection.execute(SOLD, (bonus, forgiven, refunded)).fetchone()
            assert row is not None
            ids.append(row[0])
        for source, place, cents, known in (
            ("order:1", 0, 105, "all"),
            ("credits:x:1", 0, 50, "all"),
            ("refund:1", 1, 250, "paid"),
            ("order:2", 4, 900, "all"),
        ):
            connection.execute(RETURNED, (source, ids[place], cents, known))
    migrate.upgrade(url)
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT given_cents FROM payments.invoices ORDER BY id").fetchall()
    # refunded money of a price that was forgiven in part is more of the price; and never more than all of it
    assert [row[0] for row in rows] == [155, 250, 1000, 500, 1000]
