"""What goes to Sentry is as clean as what goes to the log."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from viralcore.core import log, sentry
from viralcore.core.problems import SettingsError


def test_events_are_redacted_and_carry_the_correlation_id(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}
    fake = types.ModuleType("sentry_sdk")
    fake.init = lambda **options: told.update(options)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentry_sdk", fake)
    sentry.report_to("https://k@sentry.example/1", environment="production", secrets=["canary-panel-key"])
    frame = {"vars": {"x": "canary-panel-key"}, "line": "bot7001234567:AAHcanaryCANARYcanaryCANARYcanary_-1"}
    event = {"exception": {"values": [{"value": "with canary-panel-key", "stacktrace": {"frames": [frame]}}]}}
    with log.correlated("c1"):
        sent = told["before_send"](event, {})
    assert "canary" not in str(sent)
    assert sent["exception"]["values"][0]["stacktrace"]["frames"][0]["vars"] == {"x": log.MASK}
    assert sent["tags"] == {"correlation_id": "c1"}
    assert told["include_local_variables"] is False


def test_without_the_extra_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    with pytest.raises(SettingsError) as caught:
        sentry.report_to("https://k@sentry.example/1", environment="production", secrets=[])
    assert "viralcore[sentry]" in str(caught.value.problems[0])
