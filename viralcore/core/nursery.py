"""The nursery: the only place that starts tasks. What runs beside the caller has a name, a log line and an end."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from viralcore.core.clock import monotonic

log = structlog.get_logger(__name__)

_CARRIED = ("correlation_id",)
_CARRIED_PREFIX = "structlog_"


def _clean_context() -> contextvars.Context:
    """A fresh context that carries only what logging needs.

    An open transaction or an entered provider slot belongs to the task that opened it; a child that inherited the
    marker would be refused (or admitted) for something it does not hold.
    """
    fresh = contextvars.Context()
    for variable, value in contextvars.copy_context().items():
        if variable.name in _CARRIED or variable.name.startswith(_CARRIED_PREFIX):
            fresh.run(variable.set, value)
    return fresh


def cancelled_from_outside() -> bool:
    """Inside `except CancelledError`: whether this task was told to end, rather than having awaited a cancelled one."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


class Nursery:
    """Starts tasks, keeps loops alive, and ends everything on `stop`."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def start(self, name: str, coro: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `coro` beside the caller. A failure reaches the log under `name`. Raises RuntimeError after `stop`."""
        if self._closed:
            coro.close()
            raise RuntimeError(f"the nursery is closed; {name} was not started")
        task = asyncio.get_running_loop().create_task(coro, name=name, context=_clean_context())
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def keep(
        self,
        name: str,
        factory: Callable[[], Awaitable[None]],
        *,
        backoff: float = 0.5,
        longest: float = 30.0,
    ) -> asyncio.Task[Any]:
        """Run `factory()` and, when it raises, run it again after a growing pause. A normal return ends it."""
        return self.start(name, self._keep(name, factory, backoff, longest))

    @property
    def running(self) -> tuple[str, ...]:
        """Names of what runs now, for the log and for tests."""
        return tuple(sorted(task.get_name() for task in self._tasks))

    async def stop(self, timeout: float = 5.0) -> tuple[str, ...]:  # noqa: ASYNC109 - a bound on waiting, not on the work
        """Cancel everything and wait up to `timeout` seconds. Returns the names of tasks that would not end."""
        self._closed = True
        current = asyncio.current_task()
        waiting = {task for task in self._tasks if task is not current}
        for task in waiting:
            task.cancel()
        if not waiting:
            return ()
        _, stubborn = await asyncio.wait(waiting, timeout=timeout)
        names = tuple(sorted(task.get_name() for task in stubborn))
        if names:
            log.error("nursery_tasks_would_not_end", names=names)
        return names

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            log.error("task_failed", task=task.get_name(), exc_info=error)

    async def _keep(self, name: str, factory: Callable[[], Awaitable[None]], backoff: float, longest: float) -> None:
        pause = backoff
        while True:
            began = monotonic()
            try:
                await factory()
                return
            except asyncio.CancelledError:
                if cancelled_from_outside():
                    raise
                log.exception("loop_failed", task=name, again_in=pause)  # something it waited for was cancelled
            except Exception:
                log.exception("loop_failed", task=name, again_in=pause)
            if monotonic() - began > longest:
                pause = backoff  # it was healthy for a while: this is a new trouble, not the same one
            await asyncio.sleep(pause)
            pause = min(pause * 2, longest)
