"""What Telegram says about groups: the bot came or went, a title changed, a group moved to another id."""

from __future__ import annotations

from telegram import ChatMemberUpdated, Message
from telegram.constants import ChatMemberStatus, ChatType

from viralcore.boosts.api import Crowd, GroupState
from viralcore.core.db import Database

_GROUPS = frozenset({ChatType.GROUP, ChatType.SUPERGROUP})


class GroupWatch:
    """`admin_chat_id`: the admin group, which is for no posts."""

    def __init__(self, db: Database, crowd: Crowd, *, admin_chat_id: int | None) -> None:
        self._db = db
        self._crowd = crowd
        self._admin_chat_id = admin_chat_id

    async def moved(self, change: ChatMemberUpdated) -> None:
        """The bot was added to a group, left it, or was thrown out."""
        chat, now = change.chat, change.new_chat_member
        if chat.type not in _GROUPS or chat.id == self._admin_chat_id:
            return
        state: GroupState = "in"
        if now.status == ChatMemberStatus.LEFT:
            state = "left"
        elif now.status == ChatMemberStatus.BANNED:
            state = "kicked"
        elif now.status == ChatMemberStatus.RESTRICTED and not getattr(now, "is_member", True):
            state = "left"
        await self._crowd.bot_moved(
            chat_id=chat.id, title=chat.title or "", state=state, by=change.from_user.id, at=change.date
        )

    async def noted(self, message: Message) -> None:
        """A service message: another title, or another id. Both groups tell of a move; once is enough."""
        if message.new_chat_title:
            await self._crowd.group_renamed(chat_id=message.chat.id, title=message.new_chat_title)
        old, new = message.migrate_from_chat_id, message.migrate_to_chat_id
        if old is not None:
            await self._migrated(old, message.chat.id)
        elif new is not None:
            await self._migrated(message.chat.id, new)

    async def _migrated(self, old_chat_id: int, new_chat_id: int) -> None:
        async with self._db.transaction() as tx:
            await self._crowd.group_migrated(tx, old_chat_id=old_chat_id, new_chat_id=new_chat_id)
