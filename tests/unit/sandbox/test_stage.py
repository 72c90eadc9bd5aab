"""What the page is told: the snapshots of all worlds as one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from viralcore.sandbox.stage import Stage
from viralcore.sandbox.supervisor import serve


def world(**told: Any) -> Any:
    return SimpleNamespace(snapshot=lambda: told)


def test_several_worlds_share_a_key() -> None:
    bsc = world(addresses={"bsc": "0x1"}, transfers=[{"hash": "a", "at": "2026-01-01T00:00:03"}], panels={})
    tron = world(
        addresses={"tron": "T1"},
        transfers=[{"hash": "b", "at": "2026-01-01T00:00:05"}, {"hash": "c", "at": "2026-01-01T00:00:01"}],
    )
    stage: Any = SimpleNamespace(worlds=[bsc, tron, world(prices={"bnb": "1"})])
    told = Stage.snapshot(stage)
    assert told["addresses"] == {"bsc": "0x1", "tron": "T1"}
    assert [one["hash"] for one in told["transfers"]] == ["b", "a", "c"]
    assert (told["panels"], told["prices"]) == ({}, {"bnb": "1"})


def test_a_world_of_several_hosts_has_a_port_for_each() -> None:
    served: list[str] = []

    def on_a_port(name: str, app: Any) -> str:
        served.append(name)
        return f"http://{app}"

    servers: Any = SimpleNamespace(serve=on_a_port)
    parts = {"name": "x", "app": "one"}
    rest = dict.fromkeys(("control_routes", "tick", "pending", "next_due", "snapshot", "books", "environment"), str)
    plain: Any = SimpleNamespace(**{**parts, **rest, "environment": lambda url: {"URL": url}})
    assert serve(servers, plain) == {"URL": "http://one"}
    hosts: Any = SimpleNamespace(
        **parts, **rest, apps=["one", "two"], environment_of=lambda urls: {"URL": ",".join(urls)}
    )
    assert serve(servers, hosts) == {"URL": "http://one,http://two"}
    assert served == ["x", "x0", "x1"]
