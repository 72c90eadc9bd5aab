"""Answers of Solana that do not fit: none of them is believed, and none of them is taken for "not there"."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.contract.payments.nodes import Scripted, result
from tests.contract.payments.solana_nodes import (
    ACCOUNT,
    FAKE,
    OURS,
    PAYER,
    THEIRS,
    USDT,
    Slots,
    brought,
    chain,
    held,
    key,
    paid,
    row,
    sig,
    told,
    transaction,
)
from viralcore.payments.ports import ChainUnavailable, Found

GARBAGE: list[Any] = ["absent", None, 7, -1, True, "garbage", "", [], {}, [7], {"a": 1}, 1 << 70]
TOLD = [
    ("slot",),
    ("blockTime",),
    ("meta",),
    ("meta", "preBalances"),
    ("meta", "postBalances"),
    ("meta", "preBalances", 2),
    ("meta", "postBalances", 2),
    ("meta", "preTokenBalances"),
    ("meta", "postTokenBalances"),
    ("meta", "preTokenBalances", 1),
    ("meta", "postTokenBalances", 1),
    *[
        ("meta", side, 1, field)
        for side in ("preTokenBalances", "postTokenBalances")
        for field in ("accountIndex", "mint", "owner", "uiTokenAmount")
    ],
    ("meta", "postTokenBalances", 1, "uiTokenAmount", "amount"),
    ("meta", "postTokenBalances", 1, "uiTokenAmount", "decimals"),
    ("transaction",),
    ("transaction", "signatures"),
    ("transaction", "signatures", 0),
    ("transaction", "message"),
    ("transaction", "message", "accountKeys"),
    ("transaction", "message", "accountKeys", 2),
    ("transaction", "message", "accountKeys", 2, "pubkey"),
]


def bent(whole: Any, path: tuple[Any, ...], instead: Any) -> Any:
    made = copy.deepcopy(whole)
    inner = made
    for step in path[:-1]:
        inner = inner[step]
    if instead == "absent":
        del inner[path[-1]]
    else:
        inner[path[-1]] = instead
    return made


def both() -> dict[str, Any]:
    """Coins and tokens, into accounts that held some."""
    return paid(coins={OURS: (100, 200)}, tokens=((THEIRS, USDT, PAYER, 10**9, 1), held(ACCOUNT, 500, 900)))


HARMLESS: dict[tuple[Any, ...], list[Any]] = {  # another answer, which only another node can contradict
    ("slot",): [7],
    ("blockTime",): [7],
    ("meta", "preBalances", 2): [7],
    ("meta", "postBalances", 2): [7],
    ("meta", "preTokenBalances", 1): ["absent"],
    ("meta", "postTokenBalances", 1): ["absent"],
    ("meta", "preTokenBalances"): [[]],
    ("meta", "postTokenBalances"): [[]],
}


def harmless(path: tuple[Any, ...], instead: Any) -> bool:
    return any(instead == each and type(instead) is type(each) for each in HARMLESS.get(path, []))


@pytest.mark.parametrize("path", TOLD, ids=lambda path: ".".join(map(str, path)))
async def test_an_answer_that_does_not_fit_is_no_answer(path: tuple[Any, ...]) -> None:
    sound = Slots(both())
    assert [(asset, amount) for asset, _, amount in brought(await told(sound))] == [("SOL", 100), ("USDT", 400)]
    for instead in GARBAGE:
        if harmless(path, instead):
            continue
        broken = Slots(both())
        broken.changes["getTransaction"] = result(bent(both(), path, instead))
        with pytest.raises(ChainUnavailable):
            await chain(Scripted(broken)).transaction(sig(1))
        assert isinstance(await chain(Scripted(broken), Scripted(sound)).transaction(sig(1)), Found)


@pytest.mark.parametrize("instead", ["absent", 7, True, False, [], 0])
async def test_without_a_verdict_nothing_succeeded(instead: Any) -> None:
    broken = Slots()
    broken.changes["getTransaction"] = result(bent(both(), ("meta", "err"), instead))
    with pytest.raises(ChainUnavailable):
        await chain(Scripted(broken)).transaction(sig(1))


async def test_two_verdicts_are_none() -> None:
    for path, instead in ((("meta", "status"), {"Err": "x"}), (("meta", "err"), "AccountInUse")):
        broken = Slots()
        broken.changes["getTransaction"] = result(bent(both(), path, instead))
        with pytest.raises(ChainUnavailable):
            await chain(Scripted(broken)).transaction(sig(1))
    older = bent(both(), ("meta", "status"), "absent")
    assert len(brought(await told(Slots(older)))) == 2


async def test_balances_and_accounts_must_fit_each_other() -> None:
    twice = both()
    keys = twice["transaction"]["message"]["accountKeys"]
    keys[0] = dict(keys[2])
    more, less, again, elsewhere = both(), both(), both(), both()
    more["meta"]["postBalances"].append(10**9)
    less["transaction"]["message"]["accountKeys"].pop()
    again["meta"]["postTokenBalances"].append(row(5, USDT, OURS, 10**12))
    elsewhere["meta"]["postTokenBalances"][1]["accountIndex"] = 99
    for made in (twice, more, less, again, elsewhere):
        with pytest.raises(ChainUnavailable):
            await told(Slots(made))


async def test_a_token_that_counts_otherwise_than_we_think_is_not_read() -> None:
    made = both()
    made["meta"]["postTokenBalances"][1]["uiTokenAmount"]["decimals"] = 9
    with pytest.raises(ChainUnavailable):
        await told(Slots(made))


async def test_old_answers_without_token_rows_or_owners_are_read_as_far_as_they_go() -> None:
    bare = transaction(coins={OURS: (1, 6)})
    for field in ("preTokenBalances", "postTokenBalances"):
        bare["meta"][field] = None
    assert brought(await told(Slots(bare))) == [("SOL", 0, 5)]
    tokens = both()
    for field in ("preTokenBalances", "postTokenBalances"):
        tokens["meta"][field] = None
    with pytest.raises(ChainUnavailable):
        await told(Slots(tokens))
    strangers = transaction(coins={OURS: (1, 6)}, tokens=((key("x"), FAKE, PAYER, 1, 2),))
    for field in ("preTokenBalances", "postTokenBalances"):
        del strangers["meta"][field][0]["owner"]
    assert brought(await told(Slots(strangers))) == [("SOL", 0, 5)]


LISTS = [
    ("getSlot", ()),
    ("getTokenAccountsByOwner", ("value",)),
    ("getTokenAccountsByOwner", ("value", 0)),
    ("getTokenAccountsByOwner", ("value", 0, "pubkey")),
    ("getTokenAccountsByOwner", ("value", 0, "account")),
    ("getTokenAccountsByOwner", ("value", 0, "account", "data")),
    ("getTokenAccountsByOwner", ("value", 0, "account", "data", "parsed")),
    *[
        ("getTokenAccountsByOwner", ("value", 0, "account", "data", "parsed", "info", field))
        for field in ("owner", "mint", "tokenAmount")
    ],
    ("getSignaturesForAddress", (0,)),
    ("getSignaturesForAddress", (0, "signature")),
    ("getSignaturesForAddress", (0, "slot")),
]


@pytest.mark.parametrize(("method", "path"), LISTS, ids=lambda each: str(each))
async def test_a_list_that_does_not_fit_is_no_list(method: str, path: tuple[Any, ...]) -> None:
    for instead in GARBAGE:
        made = Slots(paid(slot=995), paid(2, slot=980))
        made.accounts[USDT] = [(ACCOUNT, "5")]
        asked = {
            "getSlot": [{"commitment": "finalized"}],
            "getTokenAccountsByOwner": [OURS, {"mint": USDT}, {"commitment": "finalized"}],
            "getSignaturesForAddress": [ACCOUNT, {"commitment": "finalized", "limit": 100}],
        }
        whole = {"result": made(method, asked[method])["result"]}
        if instead == "absent" and (not path or isinstance(path[-1], int)):
            continue
        if type(instead) is int and instead == 7 and path in ((), (0, "slot")):
            continue
        if instead == [] and path == ("value",):
            continue
        made.changes[method] = {**result(None), **bent(whole, ("result", *path), instead)}
        with pytest.raises(ChainUnavailable):
            await chain(Scripted(made)).scan(after=990, limit=100, fresh=0)


@pytest.mark.parametrize("instead", ["absent", 7, True, [], 0])
async def test_a_line_without_a_verdict_is_no_line(instead: Any) -> None:
    made = Slots(paid(slot=995), paid(2, slot=980))
    lines = made.say_getSignaturesForAddress([ACCOUNT], {"commitment": "finalized", "limit": 100})
    made.changes["getSignaturesForAddress"] = result(bent(lines, (0, "err"), instead))
    with pytest.raises(ChainUnavailable):
        await chain(Scripted(made)).scan(after=990, limit=100, fresh=0)


@pytest.mark.parametrize("statuses", [None, [], "x", {"value": None}, {"value": []}, {"value": [7]}, {"value": [[]]}])
async def test_a_status_that_does_not_fit_is_no_status(statuses: Any) -> None:
    made = Slots()
    made.changes["getSignatureStatuses"] = result(statuses)
    with pytest.raises(ChainUnavailable):
        await chain(Scripted(made)).transaction(sig(1))
