"""Use cases of the ledger: check in code, post in one call, turn answers into views and refusals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import structlog

from viralcore.core.db import Database, Tx
from viralcore.core.errors import KeyReused, NotFound
from viralcore.core.figures import Figure
from viralcore.core.log import correlation_id
from viralcore.ledger import domain, repository
from viralcore.ledger.api import (
    Account,
    Balance,
    Entry,
    HoldClosed,
    HoldView,
    InsufficientFunds,
    Kind,
    LotTaken,
    LotUse,
    LotView,
    NewPosting,
    PostingView,
    StatementLine,
    TrialBalance,
    Verdict,
)
from viralcore.ledger.events import LedgerProblemFound

log = structlog.get_logger(__name__)

MOST_LINES = 100
MOST_PROBLEMS = 100
SHOWN_PROBLEMS = 5
_PAST_EVERY_ENTRY = 2**63 - 1
_BALANCED = "1 while every asset of the trial balance sums to zero"
_OWED = "Owed to users, all of them together: cents, kobo or whole credits, by kind of account"
_HOUSE = "Accounts of the house as the trial balance has them, minor units: what came in stands with a minus"


class LedgerService:
    """Implements `ledger.api.Ledger`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._balances = db.together("ledger.balances", self._balances_at_once)

    async def post(self, tx: Tx, *, key: str, kind: Kind, entries: Sequence[Entry], description: str) -> PostingView:
        return await self._post(tx, NewPosting(key, kind, tuple(entries), description), None)

    async def capture(
        self, tx: Tx, *, key: str, hold_id: int, kind: Kind, entries: Sequence[Entry], description: str
    ) -> PostingView:
        held = await repository.hold_of(tx.conn, hold_id=hold_id)
        if held is None:
            raise NotFound(what="hold")
        domain.check_capture(key, *held, entries)
        return await self._post(tx, NewPosting(key, kind, tuple(entries), description), hold_id)

    async def _post(self, tx: Tx, posting: NewPosting, hold_id: int | None) -> PostingView:
        domain.check_posting(posting)
        tx.wait_for_disk()
        outcome, posting_id, lots, trouble = await repository.post(
            tx.conn, posting, correlation_id=correlation_id.get(), at=tx.now, hold_id=hold_id
        )
        if posting_id is not None and outcome in ("posted", "replayed"):
            return PostingView(id=posting_id, key=posting.key, replayed=outcome == "replayed", lots=lots)
        if outcome == "insufficient":
            account = Account(trouble["owner"], trouble["name"], trouble["asset"])
            _insufficient(account, available=trouble["available"], needed=trouble["needed"])
        if outcome == "hold_closed":
            raise HoldClosed(hold_id=hold_id, state=trouble["state"])
        if outcome == "no_hold":
            raise NotFound(what="hold")
        raise KeyReused(scope="ledger", key=posting.key)

    async def post_many(self, tx: Tx, postings: Sequence[NewPosting]) -> tuple[Verdict, ...]:
        if len(postings) > domain.MOST_POSTINGS:
            raise ValueError(f"at most {domain.MOST_POSTINGS} postings a call")
        tx.wait_for_disk()
        problems = [domain.posting_problem(one) for one in postings]
        sound = [one for one, problem in zip(postings, problems, strict=True) if problem is None]
        done = iter(
            await repository.post_many(tx.conn, sound, correlation_id=correlation_id.get(), at=tx.now) if sound else ()
        )
        verdicts: list[Verdict] = []
        for one, problem in zip(postings, problems, strict=True):
            if problem is not None:
                log.error("ledger_posting_unbalanced", key=one.key, problem=problem)
                verdicts.append(Verdict(one.key, "unbalanced"))
                continue
            outcome, posting_id, lots = next(done)
            verdicts.append(_verdict(one.key, outcome, posting_id, lots))
        return tuple(verdicts)

    async def hold(self, tx: Tx, *, key: str, account: Account, amount: int, reason: str) -> HoldView:
        domain.check_hold(key, account, amount)
        tx.wait_for_disk()
        outcome, hold_id, state, available = await repository.hold(
            tx.conn,
            key=key,
            account=account,
            amount=amount,
            reason=reason,
            correlation_id=correlation_id.get(),
            at=tx.now,
        )
        if outcome == "insufficient":
            _insufficient(account, available=available, needed=amount)
        if outcome == "key_reused":
            raise KeyReused(scope="ledger.hold", key=key)
        return HoldView(id=hold_id, account=account, amount=amount, state=state, replayed=outcome == "replayed")

    async def release(self, tx: Tx, *, key: str, hold_id: int) -> HoldView:
        tx.wait_for_disk()
        outcome, state, account, amount = await repository.release(tx.conn, key=key, hold_id=hold_id, at=tx.now)
        if outcome == "no_hold":
            raise NotFound(what="hold")
        if outcome == "hold_closed":
            raise HoldClosed(hold_id=hold_id, state=state)
        return HoldView(id=hold_id, account=account, amount=amount, state=state, replayed=outcome == "replayed")

    async def balances(self, *, user_id: int) -> tuple[Balance, ...]:
        if not self._db.reads_own_writes:
            return await self._balances(f"user:{user_id}")
        async with self._db.read() as conn:
            return await repository.balances(conn, owner=f"user:{user_id}")

    async def _balances_at_once(self, owners: Sequence[str]) -> list[tuple[Balance, ...]]:
        found = await repository.balances_at_once(self._db.rows, owners=sorted(set(owners)))
        return [found.get(owner, ()) for owner in owners]

    async def balance(self, *, account: Account, tx: Tx | None = None) -> Balance:
        if tx is not None:
            return await repository.balance(tx.conn, account=account)
        async with self._db.read() as conn:
            return await repository.balance(conn, account=account)

    async def lots(self, tx: Tx, *, account: Account) -> tuple[LotView, ...]:
        return await repository.lots(tx.conn, account=account)

    async def lots_taken(self, tx: Tx, *, key: str) -> tuple[LotTaken, ...]:
        return await repository.lots_taken(tx.conn, key=key)

    async def statement(
        self, *, user_id: int, before_id: int | None = None, limit: int = 20
    ) -> tuple[StatementLine, ...]:
        async with self._db.read() as conn:
            return await repository.statement(
                conn,
                owner=f"user:{user_id}",
                before_id=_PAST_EVERY_ENTRY if before_id is None else before_id,
                limit=max(1, min(limit, MOST_LINES)),
            )

    async def trial_balance(self) -> TrialBalance:
        async with self._db.read() as conn, repository.unhurried(conn):
            rows = await repository.trial_balance(conn)
        return TrialBalance(rows=rows, balanced=not domain.out_of_balance(rows))

    async def figures(self) -> tuple[Figure, ...]:
        """What is owed and where it came from, for /metrics: the trial balance, in minor units."""
        trial = await self.trial_balance()
        found = [Figure("viralcore_ledger_balanced", _BALANCED, int(trial.balanced))]
        for name, asset, total in trial.rows:
            side, _, account = name.partition(":")
            labels = {"account": account, "asset": asset}
            if side == "user":
                found.append(Figure("viralcore_ledger_owed_minor", _OWED, total, labels))
            else:
                found.append(Figure("viralcore_ledger_house_minor", _HOUSE, total, labels))
        return tuple(found)

    async def check(self) -> tuple[str, ...]:
        async with self._db.read() as conn, repository.unhurried(conn):
            problems = await repository.check(conn, limit=MOST_PROBLEMS)
            rows = await repository.trial_balance(conn)
        off = domain.out_of_balance(rows)
        return (*problems, *(f"the trial balance is off by {total} {asset}" for asset, total in off.items()))

    async def nightly(self) -> None:
        """Audit everything, tell whoever listens, and write the house's snapshots."""
        problems = await self.check()
        async with self._db.transaction() as tx:
            if problems:
                log.error("ledger_problems_found", total=len(problems), problems=problems[:SHOWN_PROBLEMS])
                tx.record(LedgerProblemFound(total=len(problems), problems=problems[:SHOWN_PROBLEMS]))
            written = await repository.take_snapshot(tx.conn, at=tx.now)
        log.info("ledger_checked", problems=len(problems), snapshots=written)


def _verdict(key: str, outcome: str, posting_id: int | None, lots: tuple[LotUse, ...]) -> Verdict:
    match outcome:
        case "posted" | "replayed":
            return Verdict(key, outcome, posting_id, lots)
        case "insufficient" | "key_reused":
            return Verdict(key, outcome)
        case _:
            raise RuntimeError(f"the ledger answered {outcome}")


def _insufficient(account: Account, *, available: int, needed: int) -> NoReturn:
    raise InsufficientFunds(account=account.name, asset=account.asset, available=available, needed=needed)
