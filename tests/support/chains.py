"""Control calls of a simulated network, and its recordings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from tests.support.worlds import control_client

RECORDED = Path(__file__).parents[1] / "fixtures"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text())


async def post(world: Any, path: str, body: dict[str, Any]) -> httpx.Response:
    """POST /sandbox/chains/NAME and then `path`."""
    async with control_client(world) as http:
        return await http.post(f"/sandbox/chains/{world.name}{path}", json=body)


async def send(world: Any, **fields: Any) -> str:
    """A transfer of 15.0042 USDT to us, unless told otherwise. Returns its hash."""
    body = {"asset": "USDT", "to": world.address, "amount": "15.0042"} | fields
    answer = await post(world, "/transfers", body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["hash"])


async def set_faults(world: Any, **fields: Any) -> dict[str, Any]:
    answer = await post(world, "", fields)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
