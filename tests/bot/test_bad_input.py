"""Bad input through the real Application, modules and database, with a phone instead of Telegram: nothing raises, every
answer is a sentence with a way on, and whoever is blocked does nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.bot.town import ADMINS, OWNER, Message, Person, Town
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.registry import Registry
from viralcore.sandbox.telegram.markup import parse_html

HASH = "0x" + "ab" * 32
LINK = "https://x.com/ada/status/{}"

WRONG_LINKS = {
    "https://example.com/a": "only X (Twitter) and Telegram posts",
    "https://x.com.evil.org/ada/status/1": "only X (Twitter) and Telegram posts",
    "https://x.com/ada": "not a post",
    "x.com/ada/status/": "not a post",
    "https://x.com/ada/status/12a": "broken or incomplete",
    "https://x.com/<b>/status/1": "broken or incomplete",
    "https://t.me/+abcdef": "private chat",
    "https://t.me/channel": "not a post",
    "https://x.com@evil.org/ada/status/1": "broken or incomplete",
    "ftp://x.com/ada/status/1 https://x.com/ada": "None of these links was taken",
    "https://x.com/ada/status/1 \x00": "no posts left",
}
WRONG_QUANTITIES = (
    "0", "-5", "9.5", "9", "ten", "1e9", "1000000000", "1,0", "1,0,0", "²0", "10 or so", "0x10", "<b>10</b>", "10,00",
    "99999999999999999999", "1,000,000", "\x00",
)  # fmt: skip
FORGERIES = (
    "x", "A", "\x00\x00", "A{n}", "A{n}go", "A{n}go|home|more", "B{n}go|home", "A{n}nope|1", "A{n}dok|1x",
    "A{n}dok|999999999999999999", "A{n}dok|9999999999999999999999", "A{n}dno|-1", "A{n}dplan|1|<b>", "A{n}go|nonsense",
    "A{n}go|invoice:", "A{n}go|invoice:999999999999999999", "A{n}go|order:-1", "A{n}go|g:x:<b>", "A{n}go|p:<b>",
    "A{n}go|coin:1:<b>", "A{n}go|history:999999999999999999", "A{n}go|\x00", "A{n}method|1|\x00", "A{n}method|1|a:b",
    "A{n}buy|t3|-5", "A{n}buy|t3|999999999999999999", "A{n}buy|t3\x00|10", "A{n}buy|zz|10", "A{n}qty|x_poll",
    "A{n}qty|zz", "A{n}agree|99", "A{n}ocancel|1", "A{n}icancel|1", "A{n}paid|1", "A{n}wallet|1", "A00000000buy|t3|10",
    "A{n}go|plan:x_poll", "A{n}go|contact:zz", "A{n}go|orders:zz", "A{n}go|orders:problems:-1", "A{n}go|timeline:1",
    "A{n}go|slow:0", "A{n}go|orest:1", "A{n}go|placed:1", "A{n}go|custom:1", "A{n}go|custom:-1", "A{n}opause|1",
    "A{n}oresume|1", "A{n}orest|1", "A{n}oagain|1", "A{n}buy|custom-1|5", "A{n}buy|custom-0|5", "A{n}qty|custom-1",
    "A{n}go|plan:custom-1", "A{n}go|plan:custom-9999999999999",
    "A{n}rq_go|1", "A{n}rq_ask|1|<b>", "A{n}rq_ans|1|poll_option|99",
    "A{n}rq_inv|1", "A{n}rq_no|1", "A{n}go|request:1", "A{n}go|request:x", "A{n}buy|x_poll|-5",
)  # fmt: skip
STAFF_FORGERIES = (
    "go|admin", "go|unknown", "go|panels", "session", "ph_yes|1|1", "ph_no|1|1", "go|cards", "go|card:1", "cd_take|1|1",
    "cd_free|1|1", "cd_part|1|1", "cd_done|1|1", "cd_no|1|1",
    "go|cadm", "go|cuser:1", "go|cplan:1", "cu_find", "cu_ask|1|0", "cu_ok|1|0", "cu_end|1", "cu_endok|1|0",
)  # fmt: skip


@pytest.fixture
async def town(database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[Town]:
    here = await Town(database, clock, registry).start()
    yield here
    await here.stop()


async def _shown(person: Person) -> Message:
    """The home, whose text Telegram would take and whose reader has a way on."""
    _, shown = await person.home()
    parse_html(shown.text)
    assert shown.buttons, shown.text
    assert "Something went wrong" not in shown.text
    return shown


async def test_wrong_links_are_told_what_is_wrong(town: Town) -> None:
    ada = await town.person()
    for text, words in WRONG_LINKS.items():
        await ada.says(text)
        assert words in (await _shown(ada)).text, text
    await ada.says("/submitlink")
    for text in ("nothing here", "https://x.com/ada"):
        await ada.says(text)
        assert "https://x.com/name/status/123" in (await _shown(ada)).text
        assert town.bot.dialogues.asked(ada.id, ada.id)  # the question stays open


async def test_wrong_quantities_keep_the_question_open(town: Town) -> None:
    ada = await town.person()
    await ada.says("/buy t3")
    await ada.presses("Other amount")
    for text in WRONG_QUANTITIES:
        await ada.says(text)
        assert "whole number from 10" in (await _shown(ada)).text, text
    await ada.says("1,000")
    assert "1,000 posts at $1.50" in (await _shown(ada)).text
    assert await town.one("SELECT count(*) FROM payments.invoices") == 1


@pytest.mark.parametrize(
    ("text", "posts"), [("10", "10"), (" 25 ", "25"), ("1 000", "1,000"), ("1.000", "1,000"), ("10'000", "10,000")]
)
async def test_numbers_as_people_write_them(town: Town, text: str, posts: str) -> None:
    ada = await town.person()
    await ada.says(f"/buy t3 {text}")
    assert f"{posts} posts at" in (await _shown(ada)).text


async def test_forged_buttons_do_nothing(town: Town) -> None:
    """PRODUCT 13: callback data over 64 bytes; and data that is random, cut, or somebody else's."""
    ada, bola = await town.person(), await town.person()
    await bola.says("/buy t3 10")
    for data in (*FORGERIES, "A{n}buy|" + "t" * 64 + "|10"):
        await ada.says("/menu")
        number, shown = await ada.home()
        nonce = next(iter(shown.buttons.values()))[1:9]
        await town.handle(ada.press(data.format(n=nonce), number))
        assert "Invoice #" not in (await _shown(ada)).text, data
    assert await town.one("SELECT count(*) FROM payments.invoices WHERE user_id = :id", id=ada.id) == 0
    assert await town.one("SELECT state FROM payments.invoices WHERE user_id = :id", id=bola.id) == "open"


async def test_staff_buttons_in_other_hands_are_refused_and_noted(town: Town) -> None:
    """PRODUCT 13: admin actions with no check. Each forged press leaves a row in the audit log."""
    phase = await town.unknown_phase()
    ada = await town.person()
    for code in STAFF_FORGERIES:
        await ada.says("/menu")
        number, shown = await ada.home()
        nonce = next(iter(shown.buttons.values()))[1:9]
        await town.handle(ada.press(f"A{nonce}{code.replace('|1', f'|{phase}', 1)}", number))
        assert "not allowed" in (await _shown(ada)).text, code
    for code in ("ph_yes", "ph_no"):
        await town.handle(ada.press(f"A00000000{code}|{phase}|1", 7, chat=ADMINS))
        assert "not allowed" in town.phone.toasts[-1]
    refused = "SELECT count(*) FROM users.audit_log WHERE action = 'refused' AND actor = :id"
    assert await town.one(refused, id=ada.id) == len(STAFF_FORGERIES) + 2
    assert await town.one("SELECT state FROM boosts.phases WHERE id = :id", id=phase) == "unknown"


async def test_in_groups_only_cards_can_be_pressed(town: Town) -> None:
    ada = await town.person()
    for data in ("A00000000go|submit", "A00000000go|admin", "A00000000buy|t3|10", "garbage"):
        await town.handle(ada.press(data, 7, chat=ADMINS))
        assert "out of date" in town.phone.toasts[-1]
    assert not town.bot.dialogues.asked(ADMINS, ada.id)
    assert ADMINS not in town.phone.chats


async def test_a_blocked_person_is_told_so_and_does_nothing(town: Town) -> None:
    ada = await town.person()
    await ada.says("/buy t3")
    plan = await ada.button("10")
    number, _ = await ada.home()
    await town.doors.users.open_session(key="s", actor=OWNER)
    await town.doors.users.block(key="b", actor=OWNER, kind="user", value=str(ada.id), reason="test")
    await town.handle(plan)
    assert "blocked" in town.phone.chats[ada.id][number].text
    for line in ("/start", "/buy t3 10", LINK.format(1), HASH, "hello", "/admin"):
        await ada.says(line)
        assert "Your account is blocked" in (await _shown(ada)).text
    assert await town.one("SELECT count(*) FROM payments.invoices") == 0


@pytest.mark.parametrize(("kind", "value"), [("handle", "ada"), ("link", "https://x.com/i/status/7")])
async def test_a_blocked_link_is_not_boosted(town: Town, kind: str, value: str) -> None:
    ada = await town.person()
    await ada.gets_credits(3)
    await ada.says(LINK.format(7))
    confirm = await ada.button("Confirm")
    await town.doors.users.open_session(key="s", actor=OWNER)
    await town.doors.users.block(key="b", actor=OWNER, kind=kind, value=value, reason="test")  # type: ignore[arg-type]
    await town.handle(confirm)
    assert "may not be boosted" in (await _shown(ada)).text
    await ada.says(LINK.format(7))
    assert "may not be boosted" in (await _shown(ada)).text
    await ada.says(f"https://twitter.com/bola/status/8 {LINK.format(7)}?s=20")
    shown = await _shown(ada)
    assert "Not taken" in shown.text
    assert "1 post" in shown.text
    assert await town.one("SELECT count(*) FROM boosts.orders") == 0


async def test_who_invited_somebody_is_kept(town: Town) -> None:
    ada = Person(town, 7001)
    await ada.says("/start ref_1000")
    await ada.says("/start ref_7002")  # bound at first contact only
    assert await town.one("SELECT first_payload FROM users.people WHERE id = :id", id=ada.id) == "ref_1000"


async def test_before_the_terms_only_help_and_support(town: Town) -> None:
    ada = Person(town, 7001)
    for line in ("hello", "/orders", "/buy t3 10", LINK.format(1), HASH, "/cancel", "/admin", "/frob"):
        await ada.says(line)
        assert "agree to the terms first" in (await _shown(ada)).text
    await ada.says("/start")
    assert "agree to the terms first" not in (await _shown(ada)).text
    await ada.says("/help")
    assert "How it works" in (await _shown(ada)).text
    await ada.presses("Service Menu")
    assert "I agree" in " ".join((await _shown(ada)).buttons)


async def test_a_question_does_not_swallow_links_and_hashes(town: Town) -> None:
    ada = await town.person()
    await ada.gets_credits(2)
    await ada.says("/buy t3 10")
    await ada.presses("Crypto", "USDT", "BSC", "I have paid")
    await ada.says(LINK.format(5))
    assert "You get" in (await _shown(ada)).text
    await ada.says("/buy t3")
    await ada.presses("Other amount")
    await ada.says(HASH)
    assert "looking for your transaction" in (await _shown(ada)).text
    await ada.says("0x" + "a" * 40)
    assert "That is an address" in (await _shown(ada)).text
    await ada.says("/orders")
    assert "Unpaid invoices" in (await _shown(ada)).text
