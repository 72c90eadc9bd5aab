"""The main story: bought by buttons and by a command, paid on chain, boosted, delivered, and told at each step."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.story import Story, books_agree, deliver, labelled, sandbox_of, says

pytestmark = pytest.mark.timeout(240)


def test_the_main_story_by_buttons_and_by_command(tmp_path: Path) -> None:
    with sandbox_of(tmp_path) as sandbox:
        ada = Story(sandbox, 2001, "Ada")
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
