"""One JSON-RPC node: calls and batches over core/http, and the strict reading of what comes back.

Whatever is not a plain answer - an error object, another shape, HTML, a refusal by status - is NodeFailed, and the
caller asks another node. Only a ``result`` is an answer, and ``null`` is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from viralcore.core.http import HttpFailure, ProviderClient
from viralcore.payments.ports import NodeFailed

_REFUSALS = ("http_400", "http_401", "http_403", "http_404", "http_405", "http_413")


def refuses_method(failure: NodeFailed) -> bool:
    """The node lives but will not do this: it is switched off, limited or not known there. Codes and statuses for that
    differ from node to node."""
    return failure.reason == "rpc_error" or failure.code is not None or failure.reason in _REFUSALS


class JsonRpcNode:
    """One endpoint. `name` is for logs: never its address, which may carry a key."""

    def __init__(self, name: str, client: ProviderClient) -> None:
        self.name = name
        self._client = client

    async def call(self, method: str, *params: Any) -> Any:
        """One call; the result, which may be None. Raises NodeFailed."""
        body = await self._post({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        return read_result(body)

    async def batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """Several calls in one request; results in the order asked. Raises NodeFailed when any of them fails."""
        if not calls:
            return []
        request = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(calls, start=1)
        ]
        return read_batch(await self._post(request), len(calls))

    async def _post(self, body: Any) -> Any:
        try:
            answer = await self._client.read_json("POST", "", json=body)
        except HttpFailure as failure:
            raise NodeFailed(failure.reason, _code(failure.body)) from None
        if not answer.ok:
            raise NodeFailed(f"http_{answer.status}", _code(answer.body))
        return answer.body


def _code(body: Any) -> int | None:
    """The code of a JSON-RPC error; some nodes send theirs under a status of 400, 403 or 413."""
    error = body.get("error") if isinstance(body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) else None


def read_result(body: Any) -> Any:
    """The result of one JSON-RPC answer. Raises NodeFailed on anything else."""
    if not isinstance(body, dict):
        raise NodeFailed("not_json_rpc")
    if body.get("error") is not None:
        raise NodeFailed("rpc_error", _code(body))
    if "jsonrpc" not in body or "result" not in body:
        raise NodeFailed("not_json_rpc")
    return body["result"]


def read_batch(body: Any, expected: int) -> list[Any]:
    """Results by id, whatever their order. A single error object instead of a list is the whole batch's failure."""
    if not isinstance(body, list):
        read_result(body)
        raise NodeFailed("not_a_batch")
    results: dict[Any, Any] = {}
    for each in body:
        if not isinstance(each, dict) or each.get("id") in results:
            raise NodeFailed("broken_batch")
        results[each.get("id")] = read_result(each)
    if set(results) != set(range(1, expected + 1)):
        raise NodeFailed("broken_batch")
    return [results[number] for number in range(1, expected + 1)]
