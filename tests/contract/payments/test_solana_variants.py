"""Answers of Solana bent by hand into shapes that nodes, wallets and thieves give: each judged right."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.payments.nodes import Scripted, result
from tests.contract.payments.solana_nodes import (
    ACCOUNT,
    FAKE,
    OTHER,
    OURS,
    PAYER,
    THEIRS,
    TIME,
    USDT,
    Slots,
    brought,
    chain,
    error,
    held,
    key,
    node,
    paid,
    reason,
    row,
    sig,
    told,
    transaction,
)
from viralcore.core.http import Answer
from viralcore.payments.domain.chain import incoming
from viralcore.payments.ports import ChainUnavailable, Found, Missing, NodeFailed, Scan

SECOND = key("a second account of ours")
WRAPPED = "So11111111111111111111111111111111111111112"


# --- what arrived ---------------------------------------------------------------------------------------------------


async def test_tokens_into_an_account_that_held_some() -> None:
    assert brought(await told(Slots(paid(amount=15_000_123)))) == [("USDT", 2 * 4 + 1, 15_000_123)]


async def test_a_failed_transaction_brings_nothing_whatever_its_balances_say() -> None:
    for why in ({"InstructionError": [2, {"Custom": 1}]}, "AccountInUse"):
        found = await told(Slots(paid(err=why)))
        assert reason(found) == "failed"
        assert found.movements == ()


async def test_a_new_token_account_has_no_row_before() -> None:
    assert brought(await told(Slots(transaction(tokens=(held(ACCOUNT, None, 7),))))) == [("USDT", 8, 7)]


async def test_a_token_of_the_same_name_is_another_token() -> None:
    assert reason(await told(Slots(transaction(tokens=(held(key("x"), None, 7, FAKE),))))) == "wrong_token"
    assert reason(await told(Slots(transaction(tokens=(held(key("x"), None, 7, WRAPPED),))))) == "wrong_token"


async def test_a_fake_beside_the_true_one_counts_for_nothing() -> None:
    made = transaction(tokens=(held(key("x"), None, 10**15, FAKE), held(ACCOUNT, 0, 7)))
    assert [(asset, amount) for asset, _, amount in brought(await told(Slots(made)))] == [("USDT", 7)]


async def test_somebody_elses_tokens_are_not_ours() -> None:
    made = transaction(tokens=((ACCOUNT, USDT, OTHER, 0, 7),), coins={OTHER: (0, 5)})
    assert reason(await told(Slots(made))) == "wrong_recipient"


async def test_nothing_is_nothing() -> None:
    assert reason(await told(Slots(transaction(tokens=(held(ACCOUNT, 7, 7),))))) == "zero"
    assert reason(await told(Slots(transaction(coins={OURS: (5, 5)})))) == "zero"
    assert reason(await told(Slots(transaction(tokens=(held(key("x"), 7, 7, FAKE),))))) == "zero"


async def test_what_several_instructions_brought_is_one_sum() -> None:
    made = transaction(tokens=(held(ACCOUNT, 1, 8), held(SECOND, None, 5)), coins={OURS: (0, 9)})
    found = await told(Slots(made))
    assert brought(found) == [("SOL", 0, 9), ("USDT", 9, 12)]
    assert incoming(found, ours=OURS, contracts={USDT: "USDT"})[0].parts == ((9, 7), (12, 5))


async def test_change_that_went_back_is_not_counted() -> None:
    made = transaction(tokens=(held(ACCOUNT, 10, 30), held(SECOND, 8, 0)))
    assert brought(await told(Slots(made))) == [("USDT", 7, 12)]


async def test_moving_our_own_tokens_brings_nothing() -> None:
    made = transaction(tokens=(held(ACCOUNT, 10, 0), held(SECOND, 0, 10)), coins={OURS: (9000, 4000)})
    assert reason(await told(Slots(made))) == "self_transfer"
    sponsored = transaction(tokens=(held(ACCOUNT, 10, 0), held(SECOND, 0, 10)))
    assert reason(await told(Slots(sponsored))) == "self_transfer"


async def test_a_fee_that_we_pay_lessens_coins_and_not_tokens() -> None:
    made = transaction(tokens=(held(ACCOUNT, 0, 10),), coins={OURS: (9000, 4000)})
    assert brought(await told(Slots(made))) == [("USDT", 9, 10)]
    assert brought(await told(Slots(transaction(coins={OURS: (9000, 9000 + 700 - 500)})))) == [("SOL", 0, 200)]
    assert reason(await told(Slots(transaction(coins={OURS: (9000, 4000)})))) == "self_transfer"


async def test_a_closed_account_gave_its_tokens_away() -> None:
    made = transaction(tokens=(held(ACCOUNT, 10, None),))
    assert reason(await told(Slots(made))) == "self_transfer"
    made = transaction(tokens=(held(ACCOUNT, 10, None), held(SECOND, None, 12)))
    assert brought(await told(Slots(made))) == [("USDT", 10, 2)]


async def test_an_account_that_changes_hands_takes_its_tokens_along() -> None:
    ours = transaction(tokens=((ACCOUNT, USDT, PAYER, 10, None),))
    ours["meta"]["postTokenBalances"] = [row(3, USDT, OURS, 10)]
    assert brought(await told(Slots(ours))) == [("USDT", 8, 10)]
    theirs = transaction(tokens=(held(ACCOUNT, 10, None),))
    theirs["meta"]["postTokenBalances"] = [row(3, USDT, PAYER, 10)]
    assert reason(await told(Slots(theirs))) == "self_transfer"


async def test_an_account_opened_again_for_another_token_has_a_position_for_each() -> None:
    made = transaction(tokens=(held(ACCOUNT, 10, None),))
    made["meta"]["postTokenBalances"] = [row(3, FAKE, OURS, 6)]
    positions = [each.position for each in (await told(Slots(made))).movements]
    assert positions == [7, 8]


async def test_an_amount_past_every_float_is_exact() -> None:
    huge = 2**64 - 1
    assert brought(await told(Slots(transaction(tokens=(held(ACCOUNT, None, huge),))))) == [("USDT", 8, huge)]
    made = transaction(coins={OURS: (1, 2**60 + 1)})
    assert brought(await told(Slots(made))) == [("SOL", 0, 2**60)]


async def test_the_position_of_a_receipt_does_not_depend_on_the_order_of_rows() -> None:
    made = paid(tokens=(held(SECOND, None, 5), (THEIRS, USDT, PAYER, 99, 1), held(ACCOUNT, 1, 8)))
    plain = await told(Slots(made))
    made["meta"]["preTokenBalances"].reverse()
    made["meta"]["postTokenBalances"].reverse()
    assert await told(Slots(made)) == plain
    assert len({each.position for each in plain.movements}) == len(plain.movements) == 2


# --- time and finality ----------------------------------------------------------------------------------------------


async def test_a_block_without_a_time_is_asked_for_it() -> None:
    made = Slots(paid(time=None))
    made.changes["getBlockTime"] = result(TIME)
    assert await told(made) == await told(Slots(paid()))
    for broken in (result(None), error(-32009), result("soon"), result(-1), result(1 << 40), result(True)):
        made.changes["getBlockTime"] = broken
        with pytest.raises(ChainUnavailable):
            await told(made)


async def test_what_is_confirmed_only_is_not_final() -> None:
    made = Slots(paid(slot=1005), paid(2, slot=1000), final=1000, latest=1010)
    found = await told(made)
    assert (found.final, brought(found)) == (False, [("USDT", 9, 15_000_123)])
    scan = await chain(Scripted(made)).scan(after=999, limit=10, fresh=20)
    assert scan == Scan(1000, (sig(2),), 0, (sig(1),))
    assert (await chain(Scripted(made)).scan(after=999, limit=10, fresh=4)).fresh == ()
    assert (await chain(Scripted(made)).scan(after=999, limit=10, fresh=0)).fresh == ()
    made.latest = 1004
    assert await chain(Scripted(made)).transaction(sig(1)) == Missing(1)


async def test_trouble_with_the_newest_holds_no_final_money() -> None:
    made = Slots(paid())
    say = made.say_getSignaturesForAddress

    def listed(params: list[Any], options: Any) -> Any:
        return say(params, options) if options["commitment"] == "finalized" else "busy"

    made.say_getSignaturesForAddress = listed  # type: ignore[method-assign]
    assert await chain(Scripted(made)).scan(after=999, limit=10, fresh=20) == Scan(1000, (sig(1),), 0, ())


# --- finding --------------------------------------------------------------------------------------------------------


def coins(number: int, slot: int, **more: Any) -> dict[str, Any]:
    return transaction(number, slot=slot, coins={OURS: (number, number + 5)}, **more)


async def test_coins_tokens_and_odd_accounts_of_ours_are_found_failures_are_not() -> None:
    odd = key("an odd account of ours")
    made = Slots(
        coins(1, 998),
        paid(2, slot=995),
        transaction(3, slot=997, tokens=(held(odd, 1, 8),)),
        transaction(4, slot=997, tokens=(held(key("not listed"), 1, 8),)),
        coins(5, 996, err="AccountInUse"),
        coins(6, 990),
    )
    made.accounts[USDT] = [(odd, "8"), (ACCOUNT, "1")]
    scan = await chain(Scripted(made)).scan(after=990, limit=100, fresh=0)
    assert scan == Scan(1000, (sig(2), sig(3), sig(1)), 0, ())


async def test_a_limit_leaves_the_rest_for_the_next_time() -> None:
    one = chain(Scripted(Slots(coins(1, 920), coins(2, 921))))
    assert await one.scan(after=900, limit=20, fresh=9) == Scan(920, (sig(1),), 80, ())
    assert await one.scan(after=920, limit=200, fresh=0) == Scan(1000, (sig(2),), 0, ())


@pytest.mark.parametrize("most", [1000, 7, 1])
async def test_long_lists_are_read_to_their_end_whatever_a_node_gives_at_once(most: int) -> None:
    made = Slots(*[coins(number, 500 + number // 3) for number in range(1, 301)])
    made.most = most
    client = Scripted(made)
    scan = await chain(client).scan(after=509, limit=1000, fresh=0)
    assert set(scan.hashes) == {sig(number) for number in range(30, 301)}
    asked = [params for name, params in client.asked if name == "getSignaturesForAddress" and params[0] == OURS]
    assert [each[1]["limit"] for each in asked[:3]] == [100, 1000, 1000][: len(asked)]


async def test_a_list_that_has_no_end_or_no_order_is_no_list() -> None:
    made = Slots(coins(1, 998), coins(2, 997))
    lines = made.say_getSignaturesForAddress([OURS], {"commitment": "finalized", "limit": 9})
    late = [lines[0], lines[1] | {"slot": 880}, lines[1] | {"slot": 890}]
    for wrong in (lines[::-1], lines[:1], [lines[0], lines[1] | {"slot": 999}], late):
        made.changes["getSignaturesForAddress"] = result(wrong)
        client = Scripted(made)
        with pytest.raises(ChainUnavailable):
            await chain(client).scan(after=900, limit=1000, fresh=0)
        assert len(client.asked) < 10


async def test_a_list_that_comes_later_than_its_slot_is_read_again() -> None:
    made = Slots(coins(1, 995))
    made.indexed = 990
    one = chain(Scripted(made), overlap=50)
    assert (await one.scan(after=980, limit=100, fresh=0)).hashes == ()
    made.final = made.latest = 1020
    made.indexed = 1010
    scan = await one.scan(after=1000, limit=100, fresh=0)
    assert (scan.hashes, scan.upto) == ((sig(1),), 1020)
    strict = chain(Scripted(made), overlap=0)
    assert (await strict.scan(after=1000, limit=100, fresh=0)).hashes == ()


async def test_a_machine_behind_the_one_that_named_the_slot_must_not_lack_more_than_is_read_again() -> None:
    made = Slots(coins(1, 995))
    made.changes["getSlot"] = result(1030)
    scan = await chain(Scripted(made), overlap=30).scan(after=990, limit=100, fresh=0)
    assert (scan.hashes, scan.upto) == ((sig(1),), 1030)
    client = Scripted(made)
    with pytest.raises(ChainUnavailable):
        await chain(client, overlap=29).scan(after=990, limit=100, fresh=0)
    made.final = made.latest = 1030
    await chain(client, overlap=29).scan(after=990, limit=100, fresh=0)
    for method in ("getTokenAccountsByOwner", "getSignaturesForAddress"):
        assert {params[-1]["minContextSlot"] for name, params in client.asked if name == method} == {1001}


async def test_another_node_tells_what_the_first_one_hides() -> None:
    assert (await chain(Scripted(Slots()), Scripted(Slots(coins(1, 995)))).scan(after=990, limit=100, fresh=0)) == Scan(
        1000, (sig(1),), 0, ()
    )
    behind = node(Scripted(Slots(coins(1, 995), final=998)))
    with pytest.raises(NodeFailed, match="not_past_it"):
        await behind.final_hashes(after=990, upto=1000)
    assert await behind.final_hashes(after=990, upto=998) == (sig(1),)
    assert await behind.final_hashes(after=990, upto=994) == ()


async def test_a_lagging_node_does_not_hold_the_watch() -> None:
    lagging, sound = Scripted(Slots(final=500)), Scripted(Slots(coins(1, 995)))
    assert (await chain(lagging, sound).scan(after=600, limit=1000, fresh=0)).hashes == (sig(1),)
    assert await chain(lagging).scan(after=600, limit=1000, fresh=0) == Scan(600, (), 0, ())


async def test_an_account_of_ours_that_is_closed_by_now_is_still_asked() -> None:
    made = Slots(paid(slot=995))
    assert made.accounts == {}
    assert (await chain(Scripted(made)).scan(after=990, limit=100, fresh=0)).hashes == (sig(1),)


async def test_accounts_that_strangers_open_in_our_name_do_not_stop_the_watch() -> None:
    full, empty = key("full"), key("nearly empty")
    made = Slots(transaction(1, slot=995, tokens=(held(full, 1, 8),)))
    made.accounts[USDT] = [(key(f"dust {number}"), "1") for number in range(500)] + [(full, "8"), (empty, "0")]
    client = Scripted(made)
    assert (await chain(client).scan(after=990, limit=100, fresh=0)).hashes == (sig(1),)
    lists = [params[0] for name, params in client.asked if name == "getSignaturesForAddress"]
    assert len(set(lists)) < 20
    assert {OURS, ACCOUNT, full} <= set(lists)
    assert empty not in lists


async def test_a_look_asks_the_same_however_long_the_way() -> None:
    short, long = Scripted(Slots(coins(1, 995), coins(2, 1))), Scripted(Slots(coins(1, 995), coins(2, 1)))
    await chain(short).scan(after=990, limit=1000, fresh=50)
    await chain(long).scan(after=2, limit=1000, fresh=50)
    assert [name for name, _ in short.asked] == [name for name, _ in long.asked]
    assert len(short.asked) <= 9  # two of them once in a node's life


# --- whom to believe ------------------------------------------------------------------------------------------------


async def test_a_node_of_another_chain_is_never_believed() -> None:
    made = Slots(paid())
    for other in (result("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"), result(None), result(7), error(-32601)):
        made.changes["getGenesisHash"] = other
        with pytest.raises(ChainUnavailable):
            await chain(Scripted(made)).transaction(sig(1))
        with pytest.raises(ChainUnavailable):
            await chain(Scripted(made)).finalized()


async def test_a_token_account_is_no_address_to_be_paid_at() -> None:
    made = Slots(paid())
    made.changes["getAccountInfo"] = result(
        {"context": {"slot": 1}, "value": {"owner": row(1, "", "", 1)["programId"]}}
    )
    with pytest.raises(ChainUnavailable):
        await chain(Scripted(made)).finalized()
    for fine in (result({"context": {"slot": 1}, "value": None}), error(-32601), result("odd")):
        made.changes["getAccountInfo"] = fine
        client = Scripted(made)
        one = chain(client)
        assert (await one.finalized(), await one.finalized()) == (1000, 1000)
        assert [name for name, _ in client.asked].count("getAccountInfo") == 1


async def confirmed(second: Any) -> str:
    one = chain(Scripted(Slots(paid())), second)
    found = await one.transaction(sig(1))
    assert isinstance(found, Found)
    assert found.node == "n0"
    return await one.confirm(found)


async def test_the_other_node_agrees_differs_lags_or_is_silent() -> None:
    assert await confirmed(Scripted(Slots(paid()))) == "agrees"
    plain = paid()
    message = plain["transaction"]["message"]
    message["accountKeys"] = [each["pubkey"] for each in message["accountKeys"]]
    assert await confirmed(Scripted(Slots(plain))) == "agrees"
    assert await confirmed(Scripted(Slots(paid(amount=15_000_124)))) == "differs"
    assert await confirmed(Scripted(Slots(paid(slot=999)))) == "differs"
    assert await confirmed(Scripted(Slots(paid(err="AccountInUse")))) == "differs"
    assert await confirmed(Scripted(Slots(paid(), final=998, latest=1001))) == "not_final"
    assert await confirmed(Scripted(Slots())) == "silent"


async def test_too_many_requests_is_no_null() -> None:
    made = Slots(paid())

    class Busy(Scripted):
        async def read_json(self, method: str, path: str = "", *, json: Any = None, **more: Any) -> Answer:
            if json["method"] == "getTransaction":
                return Answer(429, {**result(None), "error": {"code": 429, "message": "slow down"}}, {})
            return await super().read_json(method, path, json=json, **more)

    with pytest.raises(ChainUnavailable):
        await chain(Busy(made)).transaction(sig(1))
    assert isinstance(await chain(Busy(made), Scripted(made)).transaction(sig(1)), Found)
