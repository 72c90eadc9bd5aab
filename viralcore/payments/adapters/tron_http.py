"""One Tron endpoint over HTTP: the node's own ``/wallet`` calls, and TronGrid's lists under ``/v1``.

Tron tells its errors under any status, 200 included: an ``Error`` in a body is never an answer. A limit may come with
the time for which the caller is shut out; nothing is asked until it is over, because asking makes it longer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from viralcore.core.clock import monotonic
from viralcore.core.http import HttpFailure, ProviderClient
from viralcore.payments.ports import NodeFailed

LONGEST_PAUSE = 300
_SUSPENDED = re.compile(r"suspended for\s*([0-9]{1,9})\s*s", re.IGNORECASE)


class TronHttp:
    """`name` is for logs. `key`: TronGrid's, sent in a header."""

    def __init__(self, name: str, client: ProviderClient, *, key: str | None = None) -> None:
        self.name = name
        self._client = client
        self._headers = {"TRON-PRO-API-KEY": key} if key else None
        self._shut_until = monotonic()

    async def post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A call of the node itself. ``{}`` is an answer: it knows nothing of it. Raises NodeFailed."""
        return await self._ask("POST", path, json=dict(body))

    async def get(self, path: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """A page of a list. Raises NodeFailed."""
        return await self._ask("GET", path, params=params)

    async def _ask(self, method: str, path: str, **question: Any) -> Mapping[str, Any]:
        if monotonic() < self._shut_until:
            raise NodeFailed("suspended")
        try:
            answer = await self._client.read_json(method, path, headers=self._headers, **question)
        except HttpFailure as failure:
            self._heed(failure.body)
            raise NodeFailed(failure.reason) from None
        body = answer.body
        self._heed(body)
        if not answer.ok:
            raise NodeFailed(f"http_{answer.status}")
        if not isinstance(body, dict):
            raise NodeFailed("not_an_object")
        if _told(body):
            raise NodeFailed("node_error")
        return body

    def _heed(self, body: Any) -> None:
        """Wait as long as an error says, within reason."""
        if named := _SUSPENDED.search(" ".join(_told(body))):
            self._shut_until = monotonic() + min(int(named.group(1)), LONGEST_PAUSE)


def _told(body: Any) -> list[str]:
    """What a body says of an error, however it spells the word; all of a body that is only text."""
    if isinstance(body, str):
        return [body]
    return [str(text) for name, text in body.items() if name.lower() == "error"] if isinstance(body, dict) else []
