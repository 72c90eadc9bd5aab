"""Names of events, subscribers and kinds, and events on their way to JSON and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from tests.support.queueing import ScriptedKind
from viralcore.core.db import Tx
from viralcore.core.events import Event, Subscription
from viralcore.core.registry import Registry, Unreadable, encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Event):
    NAME: ClassVar[str] = "unit.moved.v1"
    user_id: int
    parts: tuple[Any, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Impostor(Event):
    NAME: ClassVar[str] = "unit.moved.v1"


async def hear(tx: Tx, event_id: str, event: Event) -> None: ...


@pytest.mark.parametrize("parts", [(), (1, 2), ("a", ("b", None)), (True,)])
def test_an_event_comes_back_as_it_went(parts: tuple[Any, ...]) -> None:
    registry = Registry()
    registry.know(Moved)
    event = Moved(user_id=7, parts=parts, note="ü")
    assert registry.decode(Moved.NAME, json.loads(json.dumps(encode(event)))) == event


@pytest.mark.parametrize("value", [1.5, {"a": 1}, [1], (1, 2.5), object()])
def test_events_carry_primitives_only(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(Moved(user_id=1, parts=(value,)))


@pytest.mark.parametrize(
    ("name", "payload"),
    [("unit.gone.v1", {}), (Moved.NAME, {}), (Moved.NAME, {"user_id": 1, "unheard_of": 2})],
)
def test_what_does_not_fit_is_unreadable(name: str, payload: dict[str, Any]) -> None:
    registry = Registry()
    registry.know(Moved)
    with pytest.raises(Unreadable):
        registry.decode(name, payload)


def test_names_are_taken_once() -> None:
    registry = Registry()
    registry.subscribe(Subscription(Moved, "unit.hear", hear), Subscription(Moved, "unit.also", hear))
    assert registry.hearing(Moved.NAME) == ("unit.hear", "unit.also")
    with pytest.raises(ValueError):
        registry.subscribe(Subscription(Moved, "unit.hear", hear))
    with pytest.raises(ValueError):
        registry.know(Impostor)
    with pytest.raises(ValueError):
        registry.know(Event)
    registry.add_kinds(ScriptedKind())
    with pytest.raises(ValueError):
        registry.add_kinds(ScriptedKind())
    with pytest.raises(ValueError):
        registry.add_kinds(ScriptedKind(name="unit.none", parallelism=0))
