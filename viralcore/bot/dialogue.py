"""Open questions, in Postgres: a restart in the middle of one resumes it. Expiry is business time.

An update that is handled again after a crash must find what it found the first time, whatever its first handling closed
or asked. So a row keeps, beside what is open now, which update changed it last and what was open before that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from viralcore.bot import tables
from viralcore.bot.repository import Asked
from viralcore.core.clock import Clock
from viralcore.core.db import Database

QUANTITY, HASH, LINK, PANEL_ORDER = "quantity", "hash", "link", "panel_order"
FIND_INVOICE, ASSIGN_TARGET, ASSIGN_REASON = "find_invoice", "assign_target", "assign_reason"
REFUND_AMOUNT, REFUND_REASON = "refund_amount", "refund_reason"
SERVICE_ID, SERVICE_OK, FIND_PLACEMENTS = "service_id", "service_ok", "find_placements"
DIFFERENCE_REASON, LIFT_REASON = "difference_reason", "lift_reason"
CARD_PROGRESS, CARD_REASON = "card_progress", "card_reason"
REPLIES, REPLY_COUNT, REPLY_REASON = "replies", "reply_count", "reply_reason"
REPLY_GUY, REPLY_MONEY, TASK_PROOF = "reply_guy", "reply_money", "task_proof"
CLAIM_REASON = "claim_reason"
WITHDRAW_AMOUNT, WITHDRAW_BANK, WITHDRAW_ACCOUNT = "withdraw_amount", "withdraw_bank", "withdraw_account"
PAYOUT_REJECT, PAYOUT_PAID, PAYOUT_FAIL = "payout_reject", "payout_paid", "payout_fail"
PAYOUT_BACK, PAYOUT_SWITCH = "payout_back", "payout_switch"
PAYOUT_HAND, PAYOUT_AGAIN = "payout_hand", "payout_again"
PROOF, PROOF_REASON = "proof", "proof_reason"
CUSTOM_USER, CUSTOM_FORM, CUSTOM_END = "custom_user", "custom_form", "custom_end"
PROSE = frozenset(
    {
        CUSTOM_END,
        CUSTOM_FORM,
        ASSIGN_REASON,
        CARD_REASON,
        CLAIM_REASON,
        DIFFERENCE_REASON,
        LIFT_REASON,
        PAYOUT_AGAIN,
        PAYOUT_BACK,
        PAYOUT_FAIL,
        PAYOUT_HAND,
        PAYOUT_PAID,
        PAYOUT_REJECT,
        PAYOUT_SWITCH,
        PROOF_REASON,
        REFUND_REASON,
        REPLY_MONEY,
        REPLY_REASON,
    }
)
"""Questions answered in words of one's own, which may quote a link or a hash."""
ANSWER, ANSWER_LINK = "answer", "answer_link"
LINKS = frozenset({LINK, ANSWER_LINK, REPLIES, TASK_PROOF})
"""Questions that are answered with links, which are not for sale then."""
PHASE_DELIVERED, PHASE_END_OK, PHASE_NUMBER = "phase_delivered", "phase_end_ok", "phase_number"
TOPUP, MOVE = "topup", "move"
STANDS_IN = "stands_in"
"""Beside a question's data: the message that asks it, in a group."""
KEPT = timedelta(days=2)
"""For how long after its expiry a row is kept: its update may still be waiting to be handled again."""
_T = tables.dialogues


@dataclass(frozen=True, slots=True)
class Question:
    """What the person was asked, and about what. `message`: the one that asks, where several may stand in one chat."""

    name: str
    data: Mapping[str, Any]
    message: int | None = None

    @staticmethod
    def of(name: str, stored: Mapping[str, Any]) -> Question:
        data = {key: value for key, value in stored.items() if key != STANDS_IN}
        return Question(name, data, stored.get(STANDS_IN))


class Dialogues:
    """At most one open question per person and chat. Who is being asked is also kept in memory, for the throttle:
    answers to a question do not count.

    `update_id` is everywhere the update being handled; updates of one person and chat are handled one at a time.
    """

    def __init__(self, db: Database, clock: Clock, *, minutes: int) -> None:
        self._db = db
        self._clock = clock
        self._span = timedelta(minutes=minutes)
        self._asked: dict[tuple[int, int], datetime] = {}

    async def start(self) -> None:
        """Remember who is being asked, after a restart."""
        statement = select(_T.c.chat_id, _T.c.user_id, _T.c.expires_at)
        statement = statement.where(_T.c.expires_at > self._clock.now(), _T.c.question != "").limit(100_000)
        async with self._db.read() as conn:
            rows = (await conn.execute(statement)).all()
        self._asked = {(row.chat_id, row.user_id): row.expires_at for row in rows}

    def asked(self, chat_id: int, user_id: int) -> bool:
        """Whether a question is open, as far as this process knows."""
        until = self._asked.get((chat_id, user_id))
        return until is not None and until > self._clock.now()

    async def ask(self, chat_id: int, user_id: int, update_id: int, name: str, **data: Any) -> None:
        """Open a question; it replaces the one before."""
        until = self._clock.now() + self._span
        row = {
            "chat_id": chat_id,
            "user_id": user_id,
            "question": name,
            "data": data,
            "expires_at": until,
            "update_id": update_id,
            "before_question": "",
            "before_data": {},
        }
        changed = {key: row[key] for key in ("question", "data", "expires_at", "update_id")}
        statement = insert(_T).values(row)
        statement = statement.on_conflict_do_update(
            index_elements=["chat_id", "user_id"], set_={**changed, **self._before(update_id)}
        )
        async with self._db.transaction() as tx:
            await tx.conn.execute(statement)
        self._asked[chat_id, user_id] = until

    async def stands_in(self, chat_id: int, user_id: int, update_id: int, message_id: int) -> None:
        """The question that this update asked, if it asked one, stands in this message: a reply to it is its answer."""
        statement = update(_T).where(_T.c.chat_id == chat_id, _T.c.user_id == user_id, _T.c.question != "")
        statement = statement.where(_T.c.update_id == update_id)
        async with self._db.transaction() as tx:
            await tx.conn.execute(statement.values(data=_T.c.data.concat({STANDS_IN: message_id})))

    async def current(self, chat_id: int, user_id: int, update_id: int) -> Question | None:
        """The question this update found open when it was first handled, unless it had expired."""
        async with self._db.read() as conn:
            statement = select(_T).where(_T.c.chat_id == chat_id, _T.c.user_id == user_id)
            row = (await conn.execute(statement)).one_or_none()
        if row is None:
            return None
        before = (row.before_question, row.before_data)
        return self.seen(Asked(row.question, row.data, row.expires_at, row.update_id, *before), update_id)

    def seen(self, asked: Asked | None, update_id: int) -> Question | None:
        """As `current`, of the row as it was when this update began."""
        if asked is None:
            return None
        if asked.update_id == update_id:
            return Question.of(asked.before_question, asked.before_data) if asked.before_question else None
        is_open = asked.question and asked.expires_at > self._clock.now()
        return Question.of(asked.question, asked.data) if is_open else None

    def nothing_to_close(self, asked: Asked | None, chat_id: int, user_id: int, update_id: int) -> bool:
        """Whether `close` would change nothing and find nothing, of the row as it was when this update began."""
        if asked is not None and (asked.question or asked.update_id == update_id):
            return False
        self._asked.pop((chat_id, user_id), None)
        return True

    async def close(self, chat_id: int, user_id: int, update_id: int) -> bool:
        """End the question; whether this update found one open when it was first handled."""
        self._asked.pop((chat_id, user_id), None)
        statement = (
            update(_T)
            .where(_T.c.chat_id == chat_id, _T.c.user_id == user_id)
            .where(or_(_T.c.question != "", _T.c.update_id == update_id))
            .values(question="", update_id=update_id, **self._before(update_id))
            .returning(_T.c.before_question)
        )
        closed = await self._db.single(statement, {})
        return bool(closed and closed[0].before_question)

    async def prune(self) -> None:
        """Forget what nobody answered."""
        now = self._clock.now()
        self._asked = {who: until for who, until in self._asked.items() if until > now}
        async with self._db.transaction() as tx:
            await tx.conn.execute(delete(_T).where(_T.c.expires_at <= now - KEPT))

    def _before(self, update_id: int) -> dict[str, Any]:
        """What was open before this update, kept through all it changes."""
        again = _T.c.update_id == update_id
        open_now = _T.c.expires_at > self._clock.now()
        return {
            "before_question": case((again, _T.c.before_question), (open_now, _T.c.question), else_=""),
            "before_data": case((again, _T.c.before_data), else_=_T.c.data),
        }
