"""The registry of groups: where the bot is, what each group is for, and where those went that moved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog

from viralcore.boosts.api import GroupRole, GroupState, GroupView
from viralcore.boosts.events import GroupJoined, GroupLost
from viralcore.boosts.repository import groups
from viralcore.boosts.repository.groups import Group
from viralcore.core.db import Database, Tx
from viralcore.core.errors import NotFound
from viralcore.users.api import Users

log = structlog.get_logger(__name__)

RIGHT = "groups"
LONGEST_TITLE = 255
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
UNNAMED = "Likes group"


class Groups:
    """`likes_group`: the chat the environment names as the likes group; staff may decide otherwise."""

    def __init__(self, db: Database, users: Users, *, likes_group: int | None) -> None:
        self._db = db
        self._users = users
        self._likes_group = likes_group

    async def all(self, *, limit: int | None = None, offset: int = 0) -> tuple[GroupView, ...]:
        async with self._db.read() as conn:
            return await groups.views(conn, limit=limit, offset=max(0, offset))

    async def get(self, *, group_id: int) -> GroupView:
        async with self._db.read() as conn:
            found = await groups.views(conn, group_id)
        if not found:
            raise NotFound(what="group")
        return found[0]

    async def ensure_likes_group(self) -> None:
        """At every start. A group that staff gave a role keeps it; one we never heard of is taken at its word."""
        if self._likes_group is not None:
            await self._db.run(self._ensure)

    async def _ensure(self, tx: Tx) -> None:
        chat_id = self._likes_group or 0
        held, known = await groups.likes_group(tx.conn, lock=True), await groups.at(tx.conn, chat_id, lock=True)
        if held is not None and held.role_by is not None:
            return  # staff chose another
        if known is not None and known.role_by is not None:
            return
        if held is not None and (known is None or held.id != known.id):
            await groups.set_role(tx.conn, held.id, "none", None)  # the environment named another before
        if known is not None:
            await groups.set_role(tx.conn, known.id, "likes", None)
        else:
            await groups.add(
                tx.conn,
                chat_id=chat_id,
                title=UNNAMED,
                state="in",
                by=None,
                at=NEVER,
                now=tx.now,
                role="likes",
            )

    # --- what Telegram says ------------------------------------------------------------------------------------------

    async def bot_moved(self, *, chat_id: int, title: str, state: GroupState, by: int | None, at: datetime) -> None:
        async def heard(tx: Tx) -> None:
            known = await groups.at(tx.conn, chat_id, lock=True)
            if known is None:
                added = await groups.add(
                    tx.conn, chat_id=chat_id, title=_title(title), state=state, by=by, at=at, now=tx.now
                )
                if added is not None and state == "in":
                    tx.record(GroupJoined(group_id=added, role="none"))
            # What is said of the id it had before is said of a group that is no more.
            elif known.chat_id == chat_id and at >= known.changed_at:
                await groups.change(tx.conn, known, title=_title(title), state=state, at=at)
                self._announce(tx, known, state)

        await self._db.run(heard)

    @staticmethod
    def _announce(tx: Tx, before: Group, state: GroupState) -> None:
        if before.state != "in" and state == "in":
            tx.record(GroupJoined(group_id=before.id, role=before.role))
        elif before.state == "in" and state != "in":
            log.warning("group_lost", group_id=before.id, role=before.role, state=state)
            tx.record(GroupLost(group_id=before.id, role=before.role))

    async def renamed(self, *, chat_id: int, title: str) -> None:
        async with self._db.transaction() as tx:
            known = await groups.at(tx.conn, chat_id, lock=True)
            if known is not None:
                await groups.rename(tx.conn, known.id, _title(title))

    async def migrated(self, tx: Tx, *, old_chat_id: int, new_chat_id: int) -> None:
        """Its row, with role and history, goes along. A row made for the new id meanwhile was the same group."""
        known = await groups.at(tx.conn, old_chat_id, lock=True)
        if known is None or known.chat_id == new_chat_id:
            return
        other = await groups.at(tx.conn, new_chat_id, lock=True)
        if other is not None and await groups.has_history(tx.conn, other.id):
            # It has been used under its new id: that row goes on, with the role of the old one if it has none.
            if other.role == "none" and known.role != "none":
                await groups.set_role(tx.conn, known.id, "none", known.role_by)
                await groups.set_role(tx.conn, other.id, known.role, known.role_by)
            await groups.lose(tx.conn, known.id, "left")
            return
        if other is not None:
            await groups.forget(tx.conn, other.id)
            known_now = other if other.changed_at > known.changed_at else known
            await groups.change(tx.conn, known, title=known_now.title, state="in", at=known_now.changed_at)
        await groups.move(tx.conn, known, new_chat_id, tx.now)
        log.info("group_migrated", group_id=known.id, old_chat_id=old_chat_id, new_chat_id=new_chat_id)

    async def lost(self, tx: Tx, group_id: int) -> None:
        """A send found out that the bot may not write there."""
        known = await groups.get(tx.conn, group_id, lock=True)
        if known is not None and await groups.lose(tx.conn, group_id, "left"):
            self._announce(tx, known, "left")

    # --- staff -------------------------------------------------------------------------------------------------------

    async def set_role(self, *, key: str, actor: int, group_id: int, role: GroupRole) -> GroupView:
        async with self._db.transaction() as tx:
            await self._users.authorize(tx, actor=actor, right=RIGHT)

            async def run() -> Mapping[str, Any]:
                await self._set_role(tx, actor, group_id, role)
                return {}

            inputs = {"actor": actor, "group_id": group_id, "role": role}
            await tx.once(scope="boosts.group_role", key=key, inputs=inputs, run=run)
        return await self.get(group_id=group_id)

    async def _set_role(self, tx: Tx, actor: int, group_id: int, role: GroupRole) -> None:
        held = await groups.likes_group(tx.conn, lock=True) if role == "likes" else None
        known = await groups.get(tx.conn, group_id, lock=True)
        if known is None:
            raise NotFound(what="group")
        if held is not None and held.id != group_id:
            await groups.set_role(tx.conn, held.id, "none", actor)
            await self._audit(tx, actor, held, "none")
        await groups.set_role(tx.conn, group_id, role, actor)
        await self._audit(tx, actor, known, role)

    async def _audit(self, tx: Tx, actor: int, group: Group, role: GroupRole) -> None:
        await self._users.audit(
            tx,
            actor=actor,
            action="boosts.group_role",
            subject=f"group:{group.id}",
            before={"role": group.role, "title": group.title},
            after={"role": role},
        )


def _title(title: str) -> str:
    return title.replace("\x00", "").strip()[:LONGEST_TITLE] or "(no title)"
