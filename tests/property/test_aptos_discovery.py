"""However money comes and goes, and wherever the looks end: everything that came to us is found, once, in order."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.payments.aptos_nodes import APT, FAKE, OTHER, OURS, PAYER, USDT, Script, Story, node
from viralcore.payments.adapters import aptos

ASSETS = st.sampled_from([USDT, APT])
AMOUNTS = st.integers(1, 3)  # small, so that what comes and what goes are often the same
KINDS = st.sampled_from(["in", "in", "out", "around", "swap", "fake", "strangers", "failed"])
GAPS = st.one_of(st.integers(1, 3), st.integers(1, 200))


def story(kind: str, asset: str, amount: int) -> Story:
    other = APT if asset == USDT else USDT
    return {
        "in": Story().pay(PAYER, OURS, asset, amount),
        "failed": Story().pay(PAYER, OURS, asset, amount),
        "out": Story().pay(OURS, OTHER, asset, amount),
        "around": Story().pay(OURS, OURS, asset, amount),
        "swap": Story().pay(OURS, OTHER, asset, amount).pay(OTHER, OURS, other, amount),
        "fake": Story().pay(PAYER, OURS, FAKE, amount),
        "strangers": Story().pay(PAYER, OTHER, asset, amount),
    }[kind]


@settings(deadline=None, max_examples=60)
@given(
    events=st.lists(st.tuples(GAPS, KINDS, ASSETS, AMOUNTS), max_size=40),
    limits=st.lists(st.integers(40, 20_000), min_size=1, max_size=5),
    balances=st.sampled_from([True, True, True, False]),
    rises=st.integers(1, 8),
    pages=st.integers(1, 3),
)
def test_everything_that_came_is_found(
    events: list[tuple[int, str, str, int]], limits: list[int], balances: bool, rises: int, pages: int
) -> None:
    """`rises`, `pages`: how soon a call has seen enough."""
    script = Script(last=0)
    script.no_balances = not balances
    came: list[int] = []
    for gap, kind, asset, amount in events:
        script.last += gap
        script.add(
            script.last,
            story(kind, asset, amount),
            mine=kind in ("out", "around", "swap"),
            success=kind != "failed",
        )
        if kind in ("in", "around", "swap"):
            came.append(script.last)
    script.last += 1

    async def read() -> list[int]:
        asked, at, found, looks = node(script), 0, [], 0
        while at < script.last:
            scan = await asked.scan(after=at, limit=limits[looks % len(limits)], fresh=0)
            whole = await node(script).final_hashes(after=at, upto=scan.upto)
            assert whole == scan.hashes
            assert scan.upto > at
            assert scan.behind == script.last - scan.upto
            found += [int(each, 16) for each in scan.hashes]
            at, looks = scan.upto, looks + 1
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aptos, "MOST_RISES", rises)
        patch.setattr(aptos, "MOST_PAGES", pages)
        patch.setattr(aptos, "MOST_PARTS", 1000)
        assert asyncio.run(read()) == came
