"""Use cases of users."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from viralcore.core.clock import Clock
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound
from viralcore.core.log import correlation_id
from viralcore.users import domain, repository
from viralcore.users.api import (
    Blocked,
    BlockKind,
    LastOwner,
    NotAllowed,
    NotYourself,
    Profile,
    Right,
    Role,
    SessionExpired,
    TermsNotAccepted,
    UserView,
)
from viralcore.users.config import UsersConfig
from viralcore.users.domain import COMMAND_LINE
from viralcore.users.events import UserRegistered

LONGEST_REASON = 500
MOST_IDS = 1000


class UsersService:
    """Implements `users.api.Users`."""

    def __init__(self, db: Database, clock: Clock, config: UsersConfig) -> None:
        self._db = db
        self._clock = clock
        self._config = config
        self._people = db.together("users.people", self._people_at_once)

    # -- people

    async def meet(self, *, key: str, profile: Profile, start_payload: str | None = None) -> UserView:
        profile = domain.tidy(profile)
        known = await self._load([profile.user_id])
        if known and known[0].profile == profile:
            return self._view(known[0])
        payload = domain.payload(start_payload)

        async def store(tx: Tx) -> None:
            if await repository.store(tx.conn, profile=profile, payload=payload, at=tx.now):
                tx.record(UserRegistered(user_id=profile.user_id, payload=payload))

        await self._db.run(store)
        return await self.get(user_id=profile.user_id)

    async def get(self, *, user_id: int) -> UserView:
        found = await self._load([user_id])
        if not found:
            raise NotFound(what="user")
        return self._view(found[0])

    async def get_many(self, *, user_ids: Sequence[int]) -> Mapping[int, UserView]:
        if len(user_ids) > MOST_IDS:
            raise ValueError(f"at most {MOST_IDS} people at once")
        return {person.profile.user_id: self._view(person) for person in await self._load(user_ids)}

    async def find(self, *, handle: str) -> UserView | None:
        async with self._db.read() as conn:
            found = await repository.person_by_handle(
                conn, handle=handle.strip().removeprefix("@"), version=self._config.terms_version
            )
        return None if found is None else self._view(found)

    def terms_version(self) -> str:
        return self._config.terms_version

    async def accept_terms(self, *, key: str, user_id: int, version: str) -> UserView:
        if version != self._config.terms_version:
            raise TermsNotAccepted(version=self._config.terms_version)
        await self.get(user_id=user_id)
        async with self._db.transaction() as tx:
            await repository.accept_terms(tx.conn, user_id=user_id, version=version, at=tx.now)
        return await self.get(user_id=user_id)

    async def set_unreachable(self, tx: Tx, *, user_id: int, unreachable: bool) -> None:
        await repository.set_unreachable(tx.conn, user_id=user_id, unreachable=unreachable)

    # -- who may act

    async def authorize(self, tx: Tx, *, actor: int, right: Right) -> None:
        able = domain.roles_with(right)
        if actor == COMMAND_LINE:
            return
        standing = await self._standing(tx, actor)
        if standing.blocked:
            raise Blocked()
        if not able & domain.as_roles(standing.roles):
            raise NotAllowed(right=right)
        if right in domain.NEEDS_SESSION and (standing.session_until is None or standing.session_until <= tx.now):
            raise SessionExpired(right=right)

    async def require_active(self, tx: Tx, *, user_id: int) -> None:
        standing = await self._standing(tx, user_id)
        if standing.blocked:
            raise Blocked()
        if not standing.terms_accepted:
            raise TermsNotAccepted(version=self._config.terms_version)

    async def open_session(self, *, key: str, actor: int) -> datetime:
        minutes = self._config.staff_session_minutes

        async def work(tx: Tx) -> datetime:
            standing = await self._standing(tx, actor)
            if standing.blocked:
                raise Blocked()
            if not domain.STAFF & domain.as_roles(standing.roles):
                raise NotAllowed(right="session")

            async def run() -> Mapping[str, Any]:
                until = tx.now + timedelta(minutes=minutes)
                await repository.open_session(tx.conn, user_id=actor, until=until)
                after = {"until": until.isoformat()}
                await self.audit(
                    tx, actor=actor, action="session.opened", subject=_user(actor), before=None, after=after
                )
                return after

            done = await tx.once(scope="users.open_session", key=key, inputs={"actor": actor}, run=run)
            return datetime.fromisoformat(done["until"])

        return await self._db.run(work)

    async def staff_ids(self, *, right: Right) -> tuple[int, ...]:
        async with self._db.read() as conn:
            return await repository.staff_ids(conn, roles=domain.roles_with(right) - {"user"})

    # -- roles

    async def grant_role(self, *, key: str, actor: int, user_id: int, role: Role, reason: str) -> None:
        async def work(tx: Tx) -> bool:
            return await self._grant(tx, actor=actor, user_id=user_id, role=role, reason=reason)

        await self._change_role(work, "grant", key=key, actor=actor, user_id=user_id, role=role)

    async def revoke_role(self, *, key: str, actor: int, user_id: int, role: Role, reason: str) -> None:
        async def work(tx: Tx) -> bool:
            before = await repository.roles_of(tx.conn, user_id=user_id)
            if role not in before:
                return False
            if role == "owner":
                await self._keep_an_owner(tx, without=user_id)
            await repository.revoke(tx.conn, user_id=user_id, role=role)
            await self._audit_roles(tx, "role.revoked", actor, user_id, before, reason)
            return True

        await self._change_role(work, "revoke", key=key, actor=actor, user_id=user_id, role=role)

    async def ensure_owners(self, user_ids: Sequence[int]) -> None:
        async with self._db.transaction() as tx:
            for user_id in sorted(set(user_ids)):
                await self._grant(tx, actor=COMMAND_LINE, user_id=user_id, role="owner", reason="ADMIN_IDS")

    async def _change_role(
        self, change: Callable[[Tx], Awaitable[bool]], verb: str, *, key: str, actor: int, user_id: int, role: Role
    ) -> None:
        right = domain.right_to_change(role)

        async def work(tx: Tx) -> None:
            if role == "owner":
                # before the actor's own standing is read, so that two owners cannot demote each other
                await repository.lock_owners(tx.conn)
            await self.authorize(tx, actor=actor, right=right)
            _not_oneself(actor, user_id)

            async def run() -> Mapping[str, Any]:
                return {"changed": await change(tx)}

            inputs = {"actor": actor, "user_id": user_id, "role": role}
            await tx.once(scope=f"users.{verb}_role", key=key, inputs=inputs, run=run)

        await self._db.run(work)

    async def _grant(self, tx: Tx, *, actor: int, user_id: int, role: Role, reason: str) -> bool:
        before = await repository.roles_of(tx.conn, user_id=user_id)
        if not await repository.grant(tx.conn, user_id=user_id, role=role, by=actor, at=tx.now):
            return False
        await self._audit_roles(tx, "role.granted", actor, user_id, before, reason)
        return True

    async def _audit_roles(
        self, tx: Tx, action: str, actor: int, user_id: int, before: Sequence[str], reason: str
    ) -> None:
        after = await repository.roles_of(tx.conn, user_id=user_id)
        await self.audit(
            tx,
            actor=actor,
            action=action,
            subject=_user(user_id),
            before={"roles": list(before)},
            after={"roles": after},
            reason=reason,
        )

    async def _keep_an_owner(self, tx: Tx, *, without: int) -> None:
        await repository.lock_owners(tx.conn)
        if not set(await repository.staff_ids(tx.conn, roles={"owner"})) - {without}:
            raise LastOwner()

    # -- blocks

    async def block(self, *, key: str, actor: int, kind: BlockKind, value: str, reason: str) -> None:
        value = domain.block_value(kind, value)

        async def work(tx: Tx) -> bool:
            if kind == "user" and "owner" in await repository.roles_of(tx.conn, user_id=int(value)):
                await self._keep_an_owner(tx, without=int(value))
            if not await repository.block(tx.conn, kind=kind, value=value, reason=reason, by=actor, at=tx.now):
                return False
            await self.audit(
                tx,
                actor=actor,
                action="block.set",
                subject=f"{kind}:{value}",
                before=None,
                after={"blocked": True},
                reason=reason,
            )
            return True

        await self._change_block(work, "block", key=key, actor=actor, kind=kind, value=value)

    async def unblock(self, *, key: str, actor: int, kind: BlockKind, value: str, reason: str) -> None:
        value = domain.block_value(kind, value)

        async def work(tx: Tx) -> bool:
            was = await repository.unblock(tx.conn, kind=kind, value=value)
            if was is None:
                return False
            await self.audit(
                tx,
                actor=actor,
                action="block.lifted",
                subject=f"{kind}:{value}",
                before={"blocked": True, "reason": was},
                after=None,
                reason=reason,
            )
            return True

        await self._change_block(work, "unblock", key=key, actor=actor, kind=kind, value=value)

    async def is_blocked(self, tx: Tx, *, kind: BlockKind, value: str) -> bool:
        return await repository.is_blocked(tx.conn, kind=kind, value=domain.block_value(kind, value))

    async def _change_block(
        self, change: Callable[[Tx], Awaitable[bool]], verb: str, *, key: str, actor: int, kind: BlockKind, value: str
    ) -> None:
        async def work(tx: Tx) -> None:
            if kind == "user":
                await repository.lock_owners(tx.conn)
            await self.authorize(tx, actor=actor, right="limits")
            if kind == "user":
                _not_oneself(actor, int(value))

            async def run() -> Mapping[str, Any]:
                return {"changed": await change(tx)}

            inputs = {"actor": actor, "kind": kind, "value": value}
            await tx.once(scope=f"users.{verb}", key=key, inputs=inputs, run=run)

        await self._db.run(work)

    # -- the audit log

    async def audit(
        self,
        tx: Tx,
        *,
        actor: int,
        action: str,
        subject: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
        reason: str = "",
    ) -> None:
        await repository.append_audit(
            tx.conn,
            at=tx.now,
            actor=actor,
            action=action,
            subject=subject,
            before=before,
            after=after,
            reason=reason.replace("\x00", "")[:LONGEST_REASON],
            correlation_id=correlation_id.get(),
        )

    async def record_refusal(self, *, actor: int, right: Right, doing: str) -> None:
        async with self._db.transaction() as tx:
            await self.audit(
                tx,
                actor=actor,
                action="refused",
                subject=_user(actor),
                before=None,
                after={"right": right},
                reason=doing,
            )

    # -- inside

    async def _load(self, ids: Sequence[int]) -> list[repository.Person]:
        if len(ids) == 1 and not self._db.reads_own_writes:
            person = await self._people(ids[0])
            return [] if person is None else [person]
        async with self._db.read() as conn:
            return await repository.people_by_ids(conn, ids=ids, version=self._config.terms_version)

    async def _people_at_once(self, ids: Sequence[int]) -> list[repository.Person | None]:
        """Everybody whose updates come at the same moment is met in one statement."""
        version = self._config.terms_version
        found = await repository.people_at_once(self._db.rows, ids=sorted(set(ids)), version=version)
        people = {person.profile.user_id: person for person in found}
        return [people.get(user_id) for user_id in ids]

    async def _standing(self, tx: Tx, user_id: int) -> repository.Standing:
        return await repository.standing(tx.conn, user_id=user_id, version=self._config.terms_version)

    def _view(self, person: repository.Person) -> UserView:
        standing = person.standing
        roles = domain.as_roles(standing.roles)
        until = standing.session_until
        return UserView(
            id=person.profile.user_id,
            first_name=person.profile.first_name,
            username=person.profile.username,
            roles=roles,
            rights=domain.rights_of(roles),
            terms_accepted=standing.terms_accepted,
            blocked=standing.blocked,
            unreachable=person.unreachable,
            created_at=person.created_at,
            session_until=until if until is not None and until > self._clock.now() else None,
        )


def _user(user_id: int) -> str:
    return f"user:{user_id}"


def _not_oneself(actor: int, user_id: int) -> None:
    if actor == user_id:
        raise NotYourself()
