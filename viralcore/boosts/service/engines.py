"""Who works at the lines that no panel delivers. Each engine has tables of its own and tells `Delivery.worked`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from viralcore.boosts.api import Engine, LineView
from viralcore.boosts.domain.states import Line, Order
from viralcore.boosts.domain.steering import Situation
from viralcore.core.db import Tx


class LineEngine(Protocol):
    """Delivers lines of some kind: the groups, or staff. All of it joins the caller's transaction, under the order's
    lock."""

    @property
    def name(self) -> Engine: ...

    async def takes(self, tx: Tx, platform: str, line: LineView) -> bool:
        """Whether it can work at such a line now."""
        ...

    async def open(self, tx: Tx, order: Order, line: Line) -> None:
        """Begin: called once, in the transaction that makes the order."""
        ...

    async def close(self, tx: Tx, order: Order, line: Line) -> None:
        """Stop: its order, or the rest of it, was cancelled before anybody had begun."""
        ...


@runtime_checkable
class TellsWhy(Protocol):
    """An engine that knows how a line of its stands, for buyers who ask why an order takes long."""

    async def situation(self, tx: Tx, line: Line) -> Situation:
        """Of a line that has not ended. Nothing is locked."""
        ...


class Engines:
    """The engines there are. A line of the crowd that no group can take falls to staff.

    `crowd_falls` False: it does not, and is refunded by its share as if there were no engines.
    """

    def __init__(self, *engines: LineEngine, crowd_falls: bool = True) -> None:
        self._falls = crowd_falls
        self._engines: Mapping[str, LineEngine] = {engine.name: engine for engine in engines}

    @property
    def channels(self) -> frozenset[str]:
        """Channels whose lines somebody delivers besides the panels, whatever comes. Groups may be gone tomorrow: the
        crowd is promised because staff stand behind it."""
        falls = {"crowd"} if self._falls and "staff" in self._engines else set()
        return frozenset({*(self._engines.keys() - {"crowd"}), *falls})

    async def for_line(self, tx: Tx, platform: str, line: LineView) -> LineEngine | None:
        """Who works at it; None: a panel does, or nobody."""
        if line.channel == "panel":
            return None
        for name in (line.channel, "staff") if self._falls else (line.channel,):
            engine = self._engines.get(name)
            if engine is not None and await engine.takes(tx, platform, line):
                return engine
        return None

    def of(self, line: Line) -> LineEngine | None:
        """The engine that works at a line of an order."""
        return None if line.engine is None else self._engines[line.engine]
