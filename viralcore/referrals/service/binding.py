"""Who brought whom: bound at first contact, and never again."""

from __future__ import annotations

from viralcore.core.db import Tx
from viralcore.core.errors import NotFound
from viralcore.referrals import domain, repository
from viralcore.referrals.events import ReferralBound
from viralcore.referrals.service.commissions import Commissions
from viralcore.users.api import Users


class Binding:
    def __init__(self, *, users: Users, commissions: Commissions) -> None:
        self._users = users
        self._commissions = commissions

    async def registered(self, tx: Tx, *, user_id: int, payload: str | None) -> None:
        """Bind a newcomer to whoever's link they came through. Nobody is bound by a link of their own, of somebody who
        was not here before them, or of somebody they brought themselves."""
        referrer_id = domain.referrer_in(payload)
        if referrer_id is None or referrer_id == user_id or not await self._was_here(user_id, referrer_id):
            return
        await repository.lock_bindings(tx.conn)
        await repository.lock_buyer(tx.conn, user_id)
        if await repository.makes_loop(tx.conn, user_id=user_id, referrer_id=referrer_id):
            return
        if not await repository.bind(tx.conn, user_id=user_id, referrer_id=referrer_id, now=tx.now):
            return
        tx.record(ReferralBound(user_id=user_id, referrer_id=referrer_id))
        await self._commissions.catch_up(tx, user_id=user_id)

    async def _was_here(self, user_id: int, referrer_id: int) -> bool:
        """A delivery may come late: whoever has registered since was nobody when the newcomer came."""
        found = await self._users.get_many(user_ids=[user_id, referrer_id])
        if user_id not in found:
            raise NotFound(what="user")
        return referrer_id in found and found[referrer_id].created_at <= found[user_id].created_at
