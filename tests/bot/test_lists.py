"""Lists that are longer than a page: nothing in them is out of reach."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from tests.integration.bot.town import OWNER, Message, Person, Town
from tests.support.clock import FakeClock
from viralcore.core.db import Database
from viralcore.core.registry import Registry

ORDER = (
    "INSERT INTO boosts.orders (id, user_id, position, invoice_id, plan_id, plan_title, asset, platform, link, handle,"
    " post_id, unit_cost, units, answers, state, created_at) OVERRIDING SYSTEM VALUE"
    " SELECT n, 77, 0, n, 't1', 'X Tier 1', '', 'x',"
    " 'https://x.com/shop/status/' || n, 'shop', n::text, 0.5, 1, '{}', 'scheduled', :now FROM generate_series(1, :n) n"
)
LINE = (
    "INSERT INTO boosts.lines (id, order_id, metric, channel, engine, quantity, share, state)"
    " OVERRIDING SYSTEM VALUE SELECT n, n, 'comments', 'crowd', :engine, 10, 0.5, 'scheduled'"
    " FROM generate_series(1, :n) n"
)
CARD = (
    "INSERT INTO boosts.staff_cards (order_id, line_id, state, created_at, remind_at)"
    " SELECT n, n, 'open', :now, :now FROM generate_series(1, :n) n"
)
POST = (
    "INSERT INTO boosts.crowd_posts (order_id, state, opened_at, closes_at, next_at)"
    " SELECT n, 'open', :now, CAST(:now AS timestamptz) + interval '2 days', CAST(:now AS timestamptz) +"
    " interval '2 days' FROM generate_series(1, :n) n"
)
PART = (
    "INSERT INTO boosts.crowd_parts (line_id, post_id, metric, wanted)"
    " SELECT id, id, 'comments', 10 FROM boosts.crowd_posts"
)
CLAIM = (
    "INSERT INTO boosts.crowd_claims (post_id, order_id, user_id, metrics, state, claimed_at, expires_at, submitted_at)"
    " SELECT n, n, :user, '[\"comments\"]', CASE n WHEN 1 THEN 'claimed' ELSE 'submitted' END, :now,"
    " CAST(:now AS timestamptz) + interval '1 hour', :now FROM generate_series(1, :n) n"
)
SUBMISSION = (
    "INSERT INTO boosts.reply_submissions (user_id, kind, count, day, links, rate_kobo, state, created_at)"
    " SELECT 8000 + n, 'count', n, '2026-03-01', '[]', 5000, 'pending', :now FROM generate_series(1, :n) n"
)


@pytest.fixture
async def town(database: Database, clock: FakeClock, registry: Registry) -> AsyncIterator[Town]:
    here = await Town(database, clock, registry).start()
    yield here
    await here.stop()


async def put(town: Town, *statements: str, **values: object) -> None:
    async with town.db.transaction() as tx:
        for statement in statements:
            given = {
                name: value for name, value in {"now": town.clock.now(), **values}.items() if f":{name}" in statement
            }
            await tx.conn.execute(text(statement), given)


async def boss(town: Town) -> Person:
    owner = Person(town, OWNER)
    await owner.says("/start")
    await owner.presses("I agree")
    await owner.presses("Admin Panel")
    return owner


async def shown(person: Person) -> Message:
    return (await person.home())[1]


def numbers(message: Message) -> list[int]:
    return [int(label.split("#")[1].split()[0]) for label in message.buttons if "#" in label]


async def test_cards_of_the_team_come_in_pages_of_twenty(town: Town) -> None:
    await put(town, ORDER, LINE, CARD, n=45, engine="staff")
    owner = await boss(town)
    await owner.presses("Team work (45)")
    assert numbers(await shown(owner)) == list(range(1, 21))
    await owner.presses("Newer")
    assert numbers(await shown(owner)) == list(range(21, 41))
    await owner.presses("Newer")
    last = await shown(owner)
    assert numbers(last) == list(range(41, 46))
    assert not [label for label in last.buttons if "Newer" in label]
    await owner.presses("Oldest")
    assert numbers(await shown(owner)) == list(range(1, 21))


async def test_submissions_come_in_pages_of_twenty(town: Town) -> None:
    await put(town, SUBMISSION, n=21)
    owner = await boss(town)
    await owner.presses("Replies to check (21)")
    assert numbers(await shown(owner)) == list(range(1, 21))
    await owner.presses("Newer")
    assert numbers(await shown(owner)) == [21]
    await owner.presses("Oldest")
    assert len(numbers(await shown(owner))) == 20


async def test_every_task_can_be_reached_and_what_wants_proof_is_first(town: Town) -> None:
    """Twelve under way, the oldest of them without proof; thirteen to take."""
    guy = await town.person()
    owner = await boss(town)
    await owner.says("/admin")
    await town.doors.users.grant_role(key="g", actor=OWNER, user_id=guy.id, role="reply_guy", reason="")
    await put(town, ORDER, LINE, POST, PART, n=25, engine="crowd")
    await put(town, CLAIM, n=12, user=guy.id)
    await guy.says("/tasks")
    first = await shown(guy)
    assert first.text.index("https://x.com/shop/status/1\n") < first.text.index("https://x.com/shop/status/12\n")
    assert "send your link" in first.text
    pages = [first]
    for _ in range(2):
        await guy.presses("More")
        pages.append(await shown(guy))
    taken = [label for page in pages for label in page.buttons if "My task" in label]
    free = [label for page in pages for label in page.buttons if "Take" in label]
    assert (len(taken), len(set(taken)), len(free), len(set(free))) == (12, 12, 13, 13)
    assert not [label for label in pages[-1].buttons if "More" in label]
    await guy.presses(free[-1])
    assert "Your task" in (await shown(guy)).text
