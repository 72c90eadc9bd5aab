"""The alerts and the dashboard speak of metrics that exist, with labels that they have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from viralcore.core.metrics import Metrics

ROOT = Path(__file__).parents[3]
OPS = ROOT / "settings" / "ops"
_NAME = re.compile(r"\bviralcore_[a-z_]+")
_FIGURE = re.compile(r'Figure\(\s*"(viralcore_[a-z_]+)"')


def known() -> set[str]:
    """The names /metrics may show: those of the registry, and the figures modules read."""
    metrics = Metrics()
    names = set()
    for family in metrics.registry.collect():
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.type, ("",))
        names |= {family.name + end for end in ends}
    for source in (ROOT / "viralcore").rglob("*.py"):
        names |= set(_FIGURE.findall(source.read_text()))
    return names


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((OPS / "prometheus-rules.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((OPS / "grafana-dashboard.json").read_text())["panels"]
    return found


def test_every_alert_is_complete_and_named_once() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["annotations"]["summary"], rule["alert"]
        assert rule["labels"]["severity"] in {"page", "warn"}
        assert rule["expr"].count("(") == rule["expr"].count(")")


@pytest.mark.parametrize("needle", ["queue_age", "breaker_open", 'state="unknown"', "suspense", "viralcore_held"])
def test_there_is_an_alert_on(needle: str) -> None:
    assert any(needle in rule["expr"] for rule in rules())


def test_what_they_speak_of_exists() -> None:
    exist = known()
    spoken = [name for rule in rules() for name in _NAME.findall(rule["expr"])]
    spoken += [name for panel in panels() for target in panel["targets"] for name in _NAME.findall(target["expr"])]
    assert len(set(spoken)) > 25
    assert sorted(set(spoken) - exist) == []


def test_no_two_panels_stand_in_one_place() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels()]
    assert len(set(places)) == len(places) == len({panel["id"] for panel in panels()})
