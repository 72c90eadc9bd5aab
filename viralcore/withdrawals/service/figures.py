"""Figures for /metrics, read from the tables: what a kill must not lose."""

from __future__ import annotations

from collections.abc import Sequence

from viralcore.core.figures import Figure
from viralcore.withdrawals.api import OPEN, State
from viralcore.withdrawals.domain.states import WAYS
from viralcore.withdrawals.repository import attempts, requests
from viralcore.withdrawals.service.house import House


class WithdrawalFigures:
    def __init__(self, house: House) -> None:
        self._house = house

    async def read(self) -> Sequence[Figure]:
        async with self._house.db.read() as conn:
            rows = await requests.by_state(conn, None, None)
            switches = await attempts.get_desk(conn)
            oldest = await requests.oldest_pending(conn)
        number: dict[State, int] = dict.fromkeys(WAYS, 0)
        kobo = dict.fromkeys(number, 0)
        for row in rows:
            number[row.state] += row.number
            kobo[row.state] += int(row.net)
        waits = 0 if oldest is None else max(int((self._house.clock.now() - oldest).total_seconds()), 0)
        figures = [
            Figure("viralcore_withdrawals", "Withdrawals by state.", count, {"state": state})
            for state, count in number.items()
        ]
        figures += [
            Figure("viralcore_withdrawals_kobo", "Net of open withdrawals, kobo.", kobo[state], {"state": state})
            for state in OPEN
        ]
        return [
            *figures,
            Figure("viralcore_withdrawals_paid_kobo_total", "Net of completed withdrawals, kobo.", kobo["completed"]),
            Figure("viralcore_withdrawals_oldest_pending_seconds", "How long the oldest waits for approval.", waits),
            Figure(
                "viralcore_payouts_stopped",
                "1 while payouts are paused or stopped.",
                int(switches.paused or switches.stopped),
            ),
        ]
