"""The main story: bought by buttons and by a command, paid on chain, boosted, delivered, and told at each step."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.story import Story, books_agree, deliver, labelled, sandbox_of, says
from tests.support.sandbox import CHAINS, Sandbox
from tests.support.scrape import Samples, labels, scrape, total, value

pytestmark = pytest.mark.timeout(240)


def test_the_main_story_by_buttons_and_by_command(tmp_path: Path) -> None:
    with sandbox_of(tmp_path, chains=CHAINS) as sandbox:
        ada = Story(sandbox, 2001, "Ada", watches=True)
        ada.begin()
        ada.order_by_buttons()
        ada.pay_with_usdt()
        ada.boost()

        bob = Story(sandbox, 2002, "Bob")
        bob.begin()
        says(bob.say("/buy t3 10", labelled("Crypto")), "Total: $15.00")
        bob.pay_with_usdt()
        bob.boost()

        deliver(ada, bob)
        ada.look_around()
        bob.look_around()
        books_agree(sandbox)
        assert not [card for card in sandbox.messages(ada.group) if "did not answer" in card["text"]]
        assert "Order #2" not in ada.transcript(100)
        assert "Order #1" not in bob.transcript(100)
        the_figures_tell_it(sandbox)


def the_figures_tell_it(sandbox: Sandbox) -> None:
    """/metrics after two people bought ten posts each, with one of them used and half of its price returned."""

    def done(found: Samples) -> bool:
        return total(found, "viralcore_payments_total") == 2 and total(found, "viralcore_backlog") == 0

    told = scrape(sandbox.about()["bot"]["pid"], done)
    assert value(told, "viralcore_payments_total", network="bsc", asset="USDT", outcome="exact") == 2
    assert value(told, "viralcore_payments_usd_cents_total", network="bsc", asset="USDT", outcome="exact") >= 3000
    assert value(told, "viralcore_invoices", method="bsc:USDT", state="paid") == 2
    assert total(told, "viralcore_orders", plan="t3") == 2
    assert total(told, "viralcore_panel_orders", state="completed") == 8
    assert total(told, "viralcore_panel_orders", state="unknown") == 0
    assert {"smmflare", "plugsmm", "smmstone"} == labels(told, "viralcore_panel_up", "panel")
    assert value(told, "viralcore_ledger_balanced") == 1
    assert value(told, "viralcore_ledger_owed_minor", account="credits", asset="t3") == 18
    assert value(told, "viralcore_ledger_owed_minor", account="wallet", asset="USD") >= 0
    assert value(told, "viralcore_ledger_house_minor", account="network:bsc:USDT", asset="USD") <= -3000
    for kind in ("press", "line", "other"):
        assert value(told, "viralcore_handling_seconds_count", kind=kind) > 0
    assert value(told, "viralcore_updates_total", source="telegram", outcome="handled") > 10
    for queue in ("inbox", "deliveries", "effects"):
        assert value(told, "viralcore_queue_age_seconds", queue=queue) == 0
        assert value(told, "viralcore_backlog", kind=queue) == 0
    assert value(told, "viralcore_held", queue="deliveries") == value(told, "viralcore_held", queue="effects") == 0
    assert value(told, "viralcore_lanes_wait_seconds_count", lane="interactive") > 10
    assert value(told, "viralcore_lanes_depth", lane="bulk") == 0
    assert value(told, "viralcore_telegram_calls_total", method="sendMessage", outcome="200") > 2
    assert "payments.invoice_paid.v1" in labels(told, "viralcore_events_total", "event")
    assert total(told, "viralcore_deliveries_total", outcome="delivered") > 4
    assert total(told, "viralcore_effects_total", outcome="succeeded") > 8
    assert total(told, "viralcore_breaker_open") == 0
    assert "bsc" in labels(told, "viralcore_breaker_open", "provider")
    assert all(told[key] == 1 for key in told if key[0] == "viralcore_figures_read")
