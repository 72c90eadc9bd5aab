"""Roles, sessions, blocks and the audit log."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from psycopg import errors

from tests.integration.users.conftest import ADA, OWNER, SECOND, Town
from viralcore.core.errors import DomainError, KeyReused
from viralcore.core.log import correlated
from viralcore.users.api import Blocked, LastOwner, NotAllowed, NotYourself, SessionExpired


async def test_a_forged_press_gets_nothing_and_leaves_a_trace(town: Town) -> None:
    await town.meet(ADA)
    for right in ("refunds", "orders.retry", "roles", "switches"):
        with pytest.raises(NotAllowed):
            await town.authorize(ADA, right)
    for forged in (town.grant(ADA, "owner", by=ADA), town.block(OWNER, by=ADA), town.session(ADA)):
        with pytest.raises(NotAllowed):
            await forged
    with correlated("corr-9"):
        await town.service.record_refusal(actor=ADA, right="roles", doing="grant owner to 5")
    row = town.rows("SELECT actor, action, after, reason, correlation_id FROM users.audit_log ORDER BY id DESC LIMIT 1")
    assert row == [(ADA, "refused", {"right": "roles"}, "grant owner to 5", "corr-9")]
    assert not (await town.service.get(user_id=ADA)).staff


async def test_a_stranger_the_bot_never_met_may_nothing(town: Town) -> None:
    with pytest.raises(NotAllowed):
        await town.authorize(404, "orders.retry")
    with pytest.raises(NotAllowed):
        await town.authorize(-1001, "orders.retry")


async def test_an_unknown_right_is_a_bug_even_for_the_command_line(town: Town) -> None:
    with pytest.raises(ValueError, match="no right"):
        await town.authorize(0, "evrything")


async def test_money_and_roles_need_an_open_session(town: Town) -> None:
    await town.authorize(OWNER, "orders.retry")
    with pytest.raises(SessionExpired):
        await town.authorize(OWNER, "refunds")
    await town.session(OWNER)
    await town.authorize(OWNER, "refunds")
    town.clock.advance(60 * 60 - 1)
    await town.authorize(OWNER, "refunds")
    town.clock.advance(1)
    with pytest.raises(SessionExpired):
        await town.authorize(OWNER, "refunds")
    with pytest.raises(SessionExpired):
        await town.grant(ADA, "support", by=OWNER)
    await town.authorize(OWNER, "orders.retry")


async def test_a_double_tap_opens_one_session(town: Town) -> None:
    first = await town.service.open_session(key="n1", actor=OWNER)
    town.clock.advance(30)
    assert await town.service.open_session(key="n1", actor=OWNER) == first
    assert await town.service.open_session(key="n2", actor=OWNER) > first
    met = await town.meet(OWNER)
    assert met.session_until is not None
    town.clock.advance(3600)
    assert (await town.service.get(user_id=OWNER)).session_until is None
    with pytest.raises(KeyReused):
        await town.service.open_session(key="n1", actor=SECOND)


async def test_a_session_gives_no_rights(town: Town) -> None:
    await town.grant(ADA, "support")
    await town.session(ADA)
    await town.authorize(ADA, "replies.approve")
    for right in ("refunds", "roles"):
        with pytest.raises(NotAllowed):
            await town.authorize(ADA, right)


async def test_roles_come_and_go_with_an_audit_row_each(town: Town) -> None:
    await town.session(OWNER)
    await town.grant(ADA, "finance", by=OWNER)
    await town.grant(ADA, "finance", by=OWNER)  # the same key
    await town.grant(ADA, "finance", by=OWNER, key="another")  # nothing to change
    await town.authorize(ADA, "orders.retry")
    await town.revoke(ADA, "finance", by=OWNER)
    with pytest.raises(NotAllowed):
        await town.authorize(ADA, "orders.retry")
    rows = town.rows("SELECT action, before, after, reason FROM users.audit_log WHERE subject = 'user:5' ORDER BY id")
    assert rows == [
        ("role.granted", {"roles": []}, {"roles": ["finance"]}, "trusted"),
        ("role.revoked", {"roles": ["finance"]}, {"roles": []}, "no longer"),
    ]


async def test_support_makes_reply_guys_and_nothing_else(town: Town) -> None:
    await town.grant(ADA, "support")
    with pytest.raises(SessionExpired):
        await town.grant(6, "reply_guy", by=ADA)
    await town.session(ADA)
    await town.grant(6, "reply_guy", by=ADA)
    assert "tasks" in (await town.meet(6)).rights
    for role in ("support", "finance", "owner"):
        with pytest.raises(NotAllowed):
            await town.grant(6, role, by=ADA)
        with pytest.raises(NotAllowed):
            await town.revoke(OWNER, role, by=ADA)


async def test_nobody_does_it_to_themselves(town: Town) -> None:
    await town.session(OWNER)
    for attempt in (
        town.grant(OWNER, "finance", by=OWNER),
        town.revoke(OWNER, "owner", by=OWNER),
        town.block(OWNER, by=OWNER),
    ):
        with pytest.raises(NotYourself):
            await attempt


async def test_the_last_owner_stays(town: Town) -> None:
    await town.session(OWNER)
    await town.revoke(SECOND, "owner", by=OWNER)
    with pytest.raises(LastOwner):
        await town.revoke(OWNER, "owner")
    with pytest.raises(LastOwner):
        await town.block(OWNER)
    await town.authorize(OWNER, "roles")


async def test_an_owner_who_is_blocked_does_not_count(town: Town) -> None:
    await town.block(SECOND)
    with pytest.raises(LastOwner):
        await town.revoke(OWNER, "owner")


async def test_two_owners_cannot_demote_each_other_at_once(town: Town) -> None:
    await town.session(OWNER)
    await town.session(SECOND)
    for verb in (town.revoke, town.block):
        outcomes = await asyncio.gather(
            *(
                verb(target, *(("owner",) if verb == town.revoke else ()), by=actor)
                for actor, target in ((OWNER, SECOND), (SECOND, OWNER))
            ),
            return_exceptions=True,
        )
        refused = [outcome for outcome in outcomes if isinstance(outcome, DomainError)]
        assert len(refused) == 1
        assert isinstance(refused[0], NotAllowed | Blocked | LastOwner)
        assert len(await town.service.staff_ids(right="roles")) == 1
        await town.service.unblock(key=f"un{verb}", actor=0, kind="user", value=str(OWNER), reason="back")
        await town.service.unblock(key=f"un2{verb}", actor=0, kind="user", value=str(SECOND), reason="back")
        await town.service.ensure_owners([OWNER, SECOND])


async def test_blocked_staff_cannot_act_whatever_they_hold(town: Town) -> None:
    await town.session(SECOND)
    await town.session(OWNER)
    await town.block(SECOND, by=OWNER)
    for right in ("orders.retry", "refunds", "roles"):
        with pytest.raises(Blocked):
            await town.authorize(SECOND, right)
    with pytest.raises(Blocked):
        await town.session(SECOND)
    with pytest.raises(Blocked):
        await town.grant(ADA, "support", by=SECOND)
    assert await town.service.staff_ids(right="roles") == (OWNER,)


async def test_blocks_are_owners_business(town: Town) -> None:
    await town.grant(ADA, "finance")
    await town.session(ADA)
    with pytest.raises(NotAllowed):
        await town.block("@spammer", kind="handle", by=ADA)
    await town.session(OWNER)
    await town.block("@Spammer", kind="handle", by=OWNER)
    await town.block("https://x.com/a/status/1", kind="link", by=OWNER)
    async with town.db.transaction() as tx:
        assert await town.service.is_blocked(tx, kind="handle", value="spammer")
        assert await town.service.is_blocked(tx, kind="link", value="https://x.com/a/status/1")
        assert not await town.service.is_blocked(tx, kind="user", value="5")
    for number in (1, 2):
        await town.service.unblock(key=f"un{number}", actor=OWNER, kind="handle", value="@SPAMMER", reason="asked")
    assert [row[1] for row in town.audit() if row[2] == "handle:spammer"] == ["block.set", "block.lifted"]


async def test_staff_are_found_by_right(town: Town) -> None:
    await town.grant(ADA, "support")
    await town.grant(6, "finance")
    assert await town.service.staff_ids(right="orders.retry") == (ADA, 6, OWNER, SECOND)
    assert await town.service.staff_ids(right="refunds") == (6, OWNER, SECOND)
    assert await town.service.staff_ids(right="buy") == ()


@pytest.mark.parametrize("role", ["", "SET ROLE viralcore_app;", "SET session_replication_role = replica;"])
async def test_the_audit_log_is_never_rewritten(town: Town, role: str) -> None:
    for verb in ("UPDATE users.audit_log SET actor = 7", "DELETE FROM users.audit_log", "TRUNCATE users.audit_log"):
        with psycopg.connect(town.url, autocommit=True) as connection, pytest.raises(errors.InsufficientPrivilege):
            connection.execute(role + verb)
    assert len(town.audit()) == 2


async def test_an_audit_row_stands_or_falls_with_its_transaction(town: Town) -> None:
    async def fails() -> None:
        async with town.db.transaction() as tx:
            await town.service.audit(tx, actor=OWNER, action="x", subject="y", before={"a": 1}, after=None, reason="z")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    assert len(town.audit()) == 2
