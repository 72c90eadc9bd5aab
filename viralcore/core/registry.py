"""What this build of the program can do: its events, who hears them, and its ways of touching the outside.

Filled by bootstrap from every module before anything starts; the database knows all of it by name only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints

from viralcore.core.effects import EffectKind
from viralcore.core.events import Event, Subscription


class Unreadable(Exception):
    """A stored event that this build cannot read: an unknown name, or fields that do not fit."""


@dataclass
class Registry:
    """Subscriptions and effect kinds by name. Two of one name are a programming error and refuse the start."""

    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    recorded: Callable[[str], None] = lambda name: None
    """Told the name of every event after its commit, for the metrics. Quick, and never fails."""
    kinds: dict[str, EffectKind] = field(default_factory=dict)
    _events: dict[str, type[Event]] = field(default_factory=dict)
    _hearing: dict[str, list[str]] = field(default_factory=dict)

    def subscribe(self, *subscriptions: Subscription) -> None:
        """Add subscribers, and with them the events they hear."""
        for one in subscriptions:
            if one.name in self.subscriptions:
                raise ValueError(f"two subscribers are called {one.name}")
            self.know(one.event)
            self.subscriptions[one.name] = one
            self._hearing.setdefault(one.event.NAME, []).append(one.name)

    def know(self, event: type[Event]) -> None:
        """Make an event readable even where nobody hears it."""
        if not event.NAME:
            raise ValueError(f"{event.__name__} has no NAME")
        if self._events.setdefault(event.NAME, event) is not event:
            raise ValueError(f"two events are called {event.NAME}")

    def add_kinds(self, *kinds: EffectKind) -> None:
        """Add ways of touching the outside."""
        for kind in kinds:
            if kind.name in self.kinds:
                raise ValueError(f"two effect kinds are called {kind.name}")
            if kind.parallelism < 1 or kind.max_attempts < 1:
                raise ValueError(f"{kind.name}: parallelism and max_attempts start at 1")
            self.kinds[kind.name] = kind

    def hearing(self, event_name: str) -> tuple[str, ...]:
        """Names of the subscribers of an event."""
        return tuple(self._hearing.get(event_name, ()))

    def decode(self, name: str, payload: dict[str, Any]) -> Event:
        """A stored event as its type. Raises Unreadable."""
        cls = self._events.get(name)
        if cls is None:
            raise Unreadable(f"no event is called {name}")
        try:
            return cls(**{key: _frozen(value) for key, value in payload.items()})
        except TypeError as error:
            raise Unreadable(f"{name}: {error}") from error


_ALLOWED = (str, int, bool, type(None))


def encode(event: Event) -> dict[str, Any]:
    """The JSON-able fields of an event. Raises TypeError on anything but str, int, bool, None and tuples of them."""
    payload = {one.name: getattr(event, one.name) for one in fields(event)}
    for name, value in payload.items():
        _check(f"{type(event).__name__}.{name}", value)
    return payload


def _check(where: str, value: object) -> None:
    if isinstance(value, tuple):
        for inner in value:
            _check(where, inner)
    elif not isinstance(value, _ALLOWED):
        raise TypeError(f"{where}: events carry ids and primitives, not {type(value).__name__}")


def _frozen(value: Any) -> Any:
    return tuple(_frozen(inner) for inner in value) if isinstance(value, list) else value


def field_types(event: type[Event]) -> dict[str, Any]:
    """The declared types of an event's fields, for the architecture tests."""
    return get_type_hints(event)
