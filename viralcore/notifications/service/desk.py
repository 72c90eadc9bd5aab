"""The desk: takes what is to be told and stores it with the effect that tells it, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from viralcore.core.db import Database, Tx
from viralcore.notifications import repository
from viralcore.notifications.api import Channel, NoticeView
from viralcore.notifications.config import NotificationsConfig
from viralcore.notifications.domain import FOR_STAFF, OWNERS_HAVE, copy_key, trouble_key
from viralcore.users.api import Users

log = structlog.get_logger(__name__)

KINDS: Mapping[Channel, str] = {
    "telegram": "notifications.telegram",
    "admin_group": "notifications.admin_group",
    "group": "notifications.group",
    "likes_group": "notifications.likes_group",
}
"""The effect kind of each channel. Groups are slow (20 a minute); they must not hold up people's messages, and the one
that gets every post must not hold up the others."""
MOST_HISTORY = 100
BATCH = 500


@dataclass(frozen=True, slots=True)
class Recipient:
    channel: Channel
    chat_id: int
    user_id: int | None
    owner: bool = False
    """They stand in for the admin group."""


class Desk:
    """Implements `notifications.api.Notifications`; what subscribers call takes their `tx`.

    `admin_chat_id` None: there is no admin group, and what is for it goes to every owner in private. `staff_told`
    False: staff are told nothing at all.
    """

    def __init__(
        self,
        db: Database,
        config: NotificationsConfig,
        *,
        users: Users,
        admin_chat_id: int | None,
        staff_told: bool = True,
    ) -> None:
        self._db = db
        self._config = config
        self._users = users
        self._staff_told = staff_told
        self._admins = None if admin_chat_id is None else Recipient("admin_group", admin_chat_id, None)

    async def tell_person(self, tx: Tx, *, user_id: int, key: str, template: str, **params: Any) -> None:
        """A new message. The same `key` is told once."""
        await self._tell(tx, _person(user_id), key, template, params)

    async def tell_admins(self, tx: Tx, *, key: str, template: str, **params: Any) -> None:
        """A new message to the admin group, or to each owner where there is none."""
        for one in await self._staff():
            await self._tell(tx, one, key, template, params)

    async def tell_trouble(self, tx: Tx, *, panel: str, what: str, detail: str) -> None:
        """The same trouble is told once in a while, however often it is announced."""
        key = trouble_key(panel, what, detail, tx.now, self._config.trouble_minutes)
        await self.tell_admins(tx, key=key, template="panel_trouble", panel=panel, what=what, detail=detail)

    async def tell_bank_trouble(self, tx: Tx, *, what: str, detail: str) -> None:
        """The same of our bank."""
        key = trouble_key("bank", what, detail, tx.now, self._config.trouble_minutes)
        await self.tell_admins(tx, key=key, template="bank_trouble", what=what, detail=detail)

    async def show_person(self, tx: Tx, *, user_id: int, key: str, live_key: str, template: str, **params: Any) -> None:
        """One message that is edited: the first call sends it, the others bring it up to date with `params` added."""
        await self._show(tx, _person(user_id), key, live_key, template, params)

    async def show_admins(self, tx: Tx, *, key: str, live_key: str, template: str, **params: Any) -> None:
        """The same for staff: one message in the admin group, or one for each owner where there is none."""
        for one in await self._staff():
            own = copy_key(live_key, one.chat_id) if one.owner else live_key
            await self._show(tx, one, key, own, template, params)

    async def show_group(
        self, tx: Tx, *, chat_id: int, channel: Channel, key: str, live_key: str, template: str, **params: Any
    ) -> None:
        """The same in any other group."""
        await self._show(tx, Recipient(channel, chat_id, None), key, live_key, template, params)

    async def refresh(self, tx: Tx, *, live_key: str, **params: Any) -> bool:
        """Bring a live message up to date if there is one; False when there is none."""
        return await self._refresh(tx, (live_key,), params)

    async def refresh_admins(self, tx: Tx, *, live_key: str, **params: Any) -> bool:
        """The same of a staff message, wherever it stands."""
        return await self._refresh(tx, await self._copies(live_key), params)

    async def end_person(self, tx: Tx, *, user_id: int, key: str, live_key: str, template: str, **params: Any) -> None:
        """As `show_person` for a last time; when nothing was shown before, nothing is, now or by a straggler."""
        if not await self.refresh(tx, live_key=live_key, **params):
            await self._add(tx, _person(user_id), f"{live_key}:{key}", live_key, template, params, told=True)

    async def renew(self, tx: Tx, *, live_key: str, **params: Any) -> None:
        """Let a live staff message end with these facts; the next one under its key is a new message."""
        copies = await self._copies(live_key)
        if await self._refresh(tx, copies, params):
            await repository.retire(tx.conn, copies)

    async def queue(self, tx: Tx, notice_id: int, wanted: int, *, again: str = "") -> None:
        """The effect that shows a notice, for the wish with this number. `again`: why there is another for it."""
        notice = await repository.load(tx.conn, notice_id)
        if notice is not None:
            payload = {"notice": notice_id, "revision": wanted}
            key = f"{notice_id}:{wanted}" + (f":{again}" if again else "")
            tx.effect(kind=KINDS[notice.channel], key=key, payload=payload, ref=f"notice:{notice_id}")

    async def history(self, *, user_id: int, limit: int = 20) -> tuple[NoticeView, ...]:
        async with self._db.read() as conn:
            return await repository.history(conn, user_id=user_id, limit=max(1, min(limit, MOST_HISTORY)))

    async def tidy(self) -> None:
        """Forget what is old."""
        before = self._db.clock.now() - timedelta(days=self._config.keep_days)
        forgotten = 0
        while True:
            async with self._db.transaction() as tx:
                gone = await repository.forget(tx.conn, before=before, limit=BATCH)
            forgotten += gone
            if gone < BATCH:
                break
        log.info("notices_tidied", forgotten=forgotten)

    async def _staff(self) -> tuple[Recipient, ...]:
        """Where staff are told things now."""
        if not self._staff_told:
            return ()
        if self._admins is not None:
            return (self._admins,)
        owners = await self._users.staff_ids(right=OWNERS_HAVE)
        return tuple(Recipient("telegram", owner, owner, owner=True) for owner in owners)

    async def _copies(self, live_key: str) -> tuple[str, ...]:
        """Every key a staff message may stand under: the group may have been set, or taken away, since it was shown.
        Who is no owner any more hears nothing further."""
        return (live_key, *(copy_key(live_key, owner) for owner in await self._users.staff_ids(right=OWNERS_HAVE)))

    async def _refresh(self, tx: Tx, live_keys: tuple[str, ...], params: Mapping[str, Any]) -> bool:
        wishes = await repository.wishes(tx.conn, live_keys, params)
        for wish in wishes:
            if wish.free:
                await self.queue(tx, wish.notice_id, wish.wanted)
        return bool(wishes)

    async def _tell(self, tx: Tx, to: Recipient, key: str, template: str, params: Mapping[str, Any]) -> None:
        dedupe_key = f"owner:{to.chat_id}:{key}" if to.owner else f"{to.channel}:{key}"
        await self._add(tx, to, dedupe_key, None, template, params)

    async def _show(
        self, tx: Tx, to: Recipient, key: str, live_key: str, template: str, params: Mapping[str, Any]
    ) -> None:
        if await self.refresh(tx, live_key=live_key, **params):
            return
        if not await self._add(tx, to, f"{live_key}:{key}", live_key, template, params):
            await self.refresh(tx, live_key=live_key, **params)  # somebody else was faster

    async def _add(
        self,
        tx: Tx,
        to: Recipient,
        dedupe_key: str,
        live_key: str | None,
        template: str,
        params: Mapping[str, Any],
        *,
        told: bool = False,
    ) -> bool:
        notice_id = await repository.add(
            tx.conn,
            dedupe_key=dedupe_key,
            live_key=live_key,
            channel=to.channel,
            chat_id=to.chat_id,
            user_id=to.user_id,
            template=template,
            params={**params, FOR_STAFF: True} if to.owner else params,
            now=tx.now,
            state="dropped" if told else "queued",
        )
        if notice_id is not None and not told:
            await self.queue(tx, notice_id, 1)
        return notice_id is not None


def _person(user_id: int) -> Recipient:
    """A person's private chat has their own id."""
    return Recipient("telegram", user_id, user_id)
