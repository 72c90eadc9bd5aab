"""Every SQL statement of users."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from viralcore.core.wires import Ask
from viralcore.users.api import Profile
from viralcore.users.tables import audit_log, blocks, people, roles, sessions, terms

_PERSON = """
SELECT p.id, p.first_name, p.username, p.language_code, p.unreachable, p.created_at, s.until,
    ARRAY(SELECT role FROM users.roles WHERE user_id = p.id) AS roles,
    EXISTS (SELECT 1 FROM users.terms WHERE user_id = p.id AND version = :version) AS terms_accepted,
    EXISTS (SELECT 1 FROM users.blocks WHERE kind = 'user' AND value = p.id::text) AS blocked
FROM users.people p LEFT JOIN users.sessions s ON s.user_id = p.id
"""
_BY_IDS = text(_PERSON + "WHERE p.id = ANY(:ids)")
_AT_ONCE = (_PERSON.replace(":version", "$2") + "WHERE p.id = ANY($1::bigint[])").encode()
_BY_HANDLE = text(_PERSON + "WHERE lower(p.username) = lower(:handle)")
_STANDING = text("""
SELECT s.until, ARRAY(SELECT role FROM users.roles WHERE user_id = :id) AS roles,
    EXISTS (SELECT 1 FROM users.terms WHERE user_id = :id AND version = :version) AS terms_accepted,
    EXISTS (SELECT 1 FROM users.blocks WHERE kind = 'user' AND value = CAST(:id AS bigint)::text) AS blocked
FROM (SELECT 1) one LEFT JOIN users.sessions s ON s.user_id = :id
""")
_STAFF = text("""
SELECT DISTINCT r.user_id FROM users.roles r WHERE r.role = ANY(:roles)
AND NOT EXISTS (SELECT 1 FROM users.blocks b WHERE b.kind = 'user' AND b.value = r.user_id::text) ORDER BY 1
""")
_LOCK_OWNERS = text("SELECT user_id FROM users.roles WHERE role = 'owner' ORDER BY user_id FOR UPDATE")


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether somebody may act: also for those the bot has not met."""

    roles: tuple[str, ...]
    blocked: bool
    terms_accepted: bool
    session_until: datetime | None


@dataclass(frozen=True, slots=True)
class Person:
    """A stored person with their standing."""

    profile: Profile
    standing: Standing
    unreachable: bool
    created_at: datetime


def _person(row: Any) -> Person:
    return Person(
        profile=Profile(row.id, row.first_name, row.username, row.language_code),
        standing=Standing(tuple(row.roles), row.blocked, row.terms_accepted, row.until),
        unreachable=row.unreachable,
        created_at=row.created_at,
    )


async def _inserted(conn: AsyncConnection, statement: Insert) -> bool:
    # not by rowcount, which SQLAlchemy does not know where it adds a RETURNING of its own
    return (await conn.execute(statement.returning(literal(1)))).scalar_one_or_none() is not None


async def people_by_ids(conn: AsyncConnection, *, ids: Sequence[int], version: str) -> list[Person]:
    rows = await conn.execute(_BY_IDS, {"ids": list(ids), "version": version})
    return [_person(row) for row in rows]


async def people_at_once(ask: Ask, *, ids: Sequence[int], version: str) -> list[Person]:
    """As `people_by_ids`, as a statement of its own: on the way of every update."""
    return [
        Person(Profile(id_, first, name, language), Standing(tuple(has), blocked, agreed, until), unreachable, met)
        for id_, first, name, language, unreachable, met, until, has, agreed, blocked in await ask(
            _AT_ONCE, (list(ids), version)
        )
    ]


async def person_by_handle(conn: AsyncConnection, *, handle: str, version: str) -> Person | None:
    row = (await conn.execute(_BY_HANDLE, {"handle": handle, "version": version})).one_or_none()
    return None if row is None else _person(row)


async def standing(conn: AsyncConnection, *, user_id: int, version: str) -> Standing:
    row = (await conn.execute(_STANDING, {"id": user_id, "version": version})).one()
    return Standing(tuple(row.roles), row.blocked, row.terms_accepted, row.until)


async def store(conn: AsyncConnection, *, profile: Profile, payload: str | None, at: datetime) -> bool:
    """Insert or refresh a person; True at first contact. A name that moved is taken from whoever had it."""
    if profile.username is not None:
        same_name = func.lower(people.c.username) == profile.username.lower()
        await conn.execute(update(people).where(same_name, people.c.id != profile.user_id).values(username=None))
    names = {
        "first_name": profile.first_name,
        "username": profile.username,
        "language_code": profile.language_code,
        "updated_at": at,
    }
    statement = upsert(people).values(id=profile.user_id, first_payload=payload, created_at=at, **names)
    statement = statement.on_conflict_do_nothing(index_elements=[people.c.id])
    if await _inserted(conn, statement):
        return True
    await conn.execute(update(people).where(people.c.id == profile.user_id).values(**names))
    return False


async def accept_terms(conn: AsyncConnection, *, user_id: int, version: str, at: datetime) -> None:
    statement = upsert(terms).values(user_id=user_id, version=version, accepted_at=at)
    await conn.execute(statement.on_conflict_do_nothing())


async def set_unreachable(conn: AsyncConnection, *, user_id: int, unreachable: bool) -> None:
    await conn.execute(update(people).where(people.c.id == user_id).values(unreachable=unreachable))


async def open_session(conn: AsyncConnection, *, user_id: int, until: datetime) -> None:
    statement = upsert(sessions).values(user_id=user_id, until=until)
    await conn.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_={"until": until}))


async def roles_of(conn: AsyncConnection, *, user_id: int) -> list[str]:
    return list((await conn.execute(select(roles.c.role).where(roles.c.user_id == user_id).order_by("role"))).scalars())


async def grant(conn: AsyncConnection, *, user_id: int, role: str, by: int, at: datetime) -> bool:
    """True when the person did not have the role before."""
    statement = upsert(roles).values(user_id=user_id, role=role, granted_by=by, granted_at=at)
    return await _inserted(conn, statement.on_conflict_do_nothing())


async def revoke(conn: AsyncConnection, *, user_id: int, role: str) -> bool:
    """True when the person had the role."""
    gone = await conn.execute(delete(roles).where(roles.c.user_id == user_id, roles.c.role == role))
    return gone.rowcount == 1


async def lock_owners(conn: AsyncConnection) -> None:
    """From here to the end of the transaction nobody else changes who the owners are."""
    await conn.execute(_LOCK_OWNERS)


async def staff_ids(conn: AsyncConnection, *, roles: Collection[str]) -> tuple[int, ...]:
    """Ids of those with any of the roles who are not blocked."""
    return tuple((await conn.execute(_STAFF, {"roles": sorted(roles)})).scalars())


async def block(conn: AsyncConnection, *, kind: str, value: str, reason: str, by: int, at: datetime) -> bool:
    """True when it was not blocked before."""
    statement = upsert(blocks).values(kind=kind, value=value, reason=reason, blocked_by=by, blocked_at=at)
    return await _inserted(conn, statement.on_conflict_do_nothing())


async def unblock(conn: AsyncConnection, *, kind: str, value: str) -> str | None:
    """The reason it was blocked for, or None when it was not."""
    statement = delete(blocks).where(blocks.c.kind == kind, blocks.c.value == value).returning(blocks.c.reason)
    return (await conn.execute(statement)).scalar_one_or_none()


async def is_blocked(conn: AsyncConnection, *, kind: str, value: str) -> bool:
    found = select(blocks.c.kind).where(blocks.c.kind == kind, blocks.c.value == value)
    return (await conn.execute(found)).scalar_one_or_none() is not None


async def append_audit(
    conn: AsyncConnection,
    *,
    at: datetime,
    actor: int,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    reason: str,
    correlation_id: str,
) -> None:
    await conn.execute(
        insert(audit_log).values(
            at=at,
            actor=actor,
            action=action,
            subject=subject,
            before=None if before is None else dict(before),
            after=None if after is None else dict(after),
            reason=reason,
            correlation_id=correlation_id,
        )
    )
