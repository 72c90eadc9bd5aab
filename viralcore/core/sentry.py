"""Errors to Sentry, when SENTRY_DSN is set and the `sentry` extra is installed. Nothing secret leaves with them."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from viralcore.core.log import Redactor, correlation_id
from viralcore.core.problems import Problem, SettingsError


def report_to(dsn: str, *, environment: str, secrets: Sequence[str]) -> None:
    """Send what is logged as an error, and crashes. Raises SettingsError when the extra is missing."""
    try:
        sentry: Any = importlib.import_module("sentry_sdk")
    except ModuleNotFoundError:
        missing = Problem("environment", "SENTRY_DSN", "needs one more package: pip install 'viralcore[sentry]'")
        raise SettingsError([missing]) from None
    redactor = Redactor(secrets, deepest=16)

    def clean(event: Any, hint: Any) -> Any:
        event.setdefault("tags", {})["correlation_id"] = correlation_id.get()
        return redactor(None, "", event)

    sentry.init(
        dsn=dsn,
        environment=environment,
        before_send=clean,
        before_breadcrumb=lambda crumb, hint: redactor(None, "", crumb),
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
    )
