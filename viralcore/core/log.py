"""Logging: structlog for us and libraries, a correlation id that follows a piece of work, and no secret in any line.

Event names are constants, facts are fields: ``log.info("invoice_opened", invoice_id=12)``. The correlation id is set
where work enters (an update, a webhook, a job) and stored with events and effects, so that it comes back with them.
"""

from __future__ import annotations

import logging
import re
import secrets as random_source
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["json", "console"]

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
"""What the present piece of work belongs to; empty outside of one. Stored with events, effects, postings, audit."""

MASK = "[redacted]"
SHORTEST_SECRET = 6
"""Shorter values are not searched for in texts: they would blank out half of every line."""

_KEY = r"(?:(?:[a-z]+[-_])?(?:key|token|secret)|apikey|password|passwd)"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\d{5,}:[A-Za-z0-9_-]{30,}"), MASK),  # a bot token, bare
    (re.compile(r"(/(?:file/)?bot)[^/\s\"'?]{6,}"), rf"\1{MASK}"),  # ... and in an address, whatever it looks like
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {MASK}"),
    (re.compile(rf"(?i)([?&;\s\"']{_KEY}=)[^\s&\"',;}})\]]{{6,}}"), rf"\1{MASK}"),  # in a query or a form
    (re.compile(rf"(?i)([\"']{_KEY}[\"']\s*:\s*[\"'])[^\"']{{4,}}"), rf"\1{MASK}"),  # in JSON or a printed dictionary
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+@"), rf"\1{MASK}@"),  # the password of a database address
    (re.compile(r"\bFLWSECK[A-Za-z0-9_-]{6,}"), MASK),
)
_SECRET_FIELD = re.compile(
    r"(?i)(^|_)(token|secret|password|passwd|authorization|api_?key|private_?key|dsn|totp|otp|pin|fernet|cookie)s?($|_)"
)
_NUMBER_FIELD = re.compile(r"(?i)(account|card|iban|nuban|bvn|phone)")
_LONG_DIGITS = re.compile(r"\d(?:[ -]?\d){7,}")

_QUIET = (
    "httpx",
    "httpcore",
    "aiohttp",
    "telegram",
    "apscheduler",
    "uvicorn",
    "uvicorn.access",
    "asyncio",
    "pgqueuer",
    "alembic",
)


class Redactor:
    """A structlog processor that replaces known secrets and everything shaped like one, nested data and exception texts
    included."""

    def __init__(self, secrets: Iterable[str] = (), *, deepest: int = 6) -> None:
        self._deepest = deepest
        known = sorted({secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(re.escape(secret) for secret in known)) if known else None

    def __call__(self, logger: WrappedLogger, method: str, event_dict: EventDict) -> EventDict:
        return {key: self._value(str(key), value, 0) for key, value in event_dict.items()}

    def text(self, text: str) -> str:
        """One text without its secrets."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def _value(self, name: str, value: object, depth: int) -> object:
        if value is None or isinstance(value, bool | float):
            return value
        if _SECRET_FIELD.search(name) and not isinstance(value, Mapping):
            return MASK if str(value) else value
        if isinstance(value, int):
            return self._number(str(value)) if _NUMBER_FIELD.search(name) and len(str(value)) >= 8 else value
        if isinstance(value, Mapping):
            if depth >= self._deepest:
                return "..."
            return {self.text(str(key)): self._value(str(key), inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return "..." if depth >= self._deepest else [self._value(name, inner, depth + 1) for inner in value]
        text = self.text(value if isinstance(value, str) else str(value))
        return self._number(text) if _NUMBER_FIELD.search(name) else text

    @staticmethod
    def _number(text: str) -> str:
        return _LONG_DIGITS.sub(lambda found: "*" * 6 + found.group()[-4:], text)


def setup(
    *,
    level: str = "INFO",
    format: LogFormat = "json",  # noqa: A002 - the name people look for
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Configure structlog and the standard library's logging once, at start. `secrets` are replaced everywhere."""
    number = logging.getLevelNamesMapping()[level.upper()]
    redactor = Redactor(secrets)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_correlation_id,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if format == "json"
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(allow=())],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            redactor,
            renderer,
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in _QUIET:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(number, logging.WARNING))
    logging.captureWarnings(True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )
    sys.excepthook = _log_crash


def new_correlation_id() -> str:
    """A fresh id for work that enters without one; short enough to read over the phone."""
    return random_source.token_hex(6)


@contextmanager
def correlated(cid: str = "", **fields: Any) -> Iterator[str]:
    """Everything inside carries this correlation id (a fresh one when empty) and these fields in its log lines."""
    chosen = cid or new_correlation_id()
    token = correlation_id.set(chosen)
    try:
        if fields:
            with structlog.contextvars.bound_contextvars(**fields):
                yield chosen
        else:
            yield chosen
    finally:
        correlation_id.reset(token)


def _add_correlation_id(logger: WrappedLogger, method: str, event_dict: EventDict) -> EventDict:
    current = correlation_id.get()
    if current:
        event_dict.setdefault("correlation_id", current)
    return event_dict


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger("viralcore").critical("crashed", exc_info=(kind, error, trace))
