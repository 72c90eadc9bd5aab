"""Cases of `texts.home`."""

from __future__ import annotations

from tests.unit.texts.golden import Cases
from tests.unit.texts.screens import hostile
from viralcore.core.screen import Button, Html, esc
from viralcore.texts import home
from viralcore.texts.actions import Go

CASES: Cases = {
    "terms": {
        "first contact": home.terms(version="2026-01", accepted=False, first_name="Ada"),
        "a name with markup": home.terms(version="2026-01", accepted=False, first_name=hostile.NAME),
        "the longest name": home.terms(version="2026-01", accepted=False, first_name="&" * 64),
        "agreed": home.terms(version="2026-01", accepted=True, first_name="Ada"),
    },
    "home": {
        "new, with the banner": home.home(first_name="Ada", staff=False, posts=0, balance="$0.00", banner=True),
        "posts left": home.home(first_name="Ada", staff=False, posts=1234, balance="$15.25"),
        "staff": home.home(first_name="Ada", staff=True, posts=1, balance="$1,000.00"),
        "a name with markup": home.home(first_name=hostile.NAME, staff=False, posts=0, balance="$0.00", banner=True),
    },
    "help_screen": {"help": home.help_screen()},
    "support": {"a person": home.support(contact=hostile.CONTACT, user_id=2001)},
    "not_understood": {"anything": home.not_understood()},
    "unknown_command": {
        "plain": home.unknown_command("/frobnicate"),
        "with markup": home.unknown_command("/<b>&" + "x" * 100),
    },
    "only_text": {"a sticker": home.only_text()},
    "edited": {"an edit": home.edited()},
    "too_long": {"a novel": home.too_long()},
    "unasked_photo": {"an album": home.unasked_photo()},
    "nothing_to_cancel": {"nothing open": home.nothing_to_cancel()},
    "stopped": {"a question was open": home.stopped()},
    "refused": {
        "plain": home.refused(Html("That is not possible.")),
        "with a way on": home.refused(
            esc(hostile.TITLE), back="unknown", more=(Button("🛒 Service Menu", Go("menu")),)
        ),
    },
    "notice": {
        "plain": home.notice(Html("Done.")),
        "with a way back": home.notice(Html("Done."), back="unknown"),
    },
    "blocked": {"blocked": home.blocked(contact=hostile.CONTACT)},
    "group_only_private": {"in a group": home.group_only_private(bot_username="viralcore_bot")},
    "slow_down": {"the defaults": home.slow_down(commands=10, presses=60)},
}
