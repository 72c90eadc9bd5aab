"""The Aptos adapter and every way money can come between two looks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.payments.aptos_nodes import APT, FAKE, OTHER, OURS, PAYER, USDT, Script, Story, chain, node
from viralcore.core.http import Answer
from viralcore.payments.ports import Found, NodeFailed


def pays(amount: int, asset: str = USDT) -> Story:
    return Story().pay(PAYER, OURS, asset, amount)


async def scan(script: Script, after: int, limit: int = 10**6) -> tuple[int, list[int]]:
    found = await node(script).scan(after=after, limit=limit, fresh=0)
    return found.upto, [int(each, 16) for each in found.hashes]


async def test_where_nothing_came_a_look_costs_a_handful_of_questions() -> None:
    script = Script(last=100_000)
    asked = node(script)
    await asked.finalized()
    await asked.scan(after=10, limit=10**6, fresh=0)
    script.asked.clear()
    script.last = 200_000
    assert (await asked.scan(after=100_000, limit=10**6, fresh=0)).hashes == ()
    assert len(script.asked) == 4


@pytest.mark.parametrize("versions", [[11], [100_000], [11, 12], [500, 501, 502, 90_000], list(range(2000, 2030, 3))])
async def test_every_arrival_in_a_stretch_is_found(versions: list[int]) -> None:
    script = Script(last=100_000)
    for number, version in enumerate(versions):
        script.add(version, pays(5 + number, USDT if number % 3 else APT))
    assert await scan(script, 10) == (100_000, versions)


async def test_one_that_pays_two_assets_is_found_once() -> None:
    script = Script(last=1000)
    script.add(500, Story().pay(PAYER, OURS, USDT, 5).pay(PAYER, OURS, APT, 5))
    assert await scan(script, 10) == (1000, [500])


async def test_what_goes_out_beside_it_hides_nothing() -> None:
    """The same amount comes and goes between two looks: the balance is the same at both ends."""
    script = Script(last=1000)
    script.add(300, pays(50))
    script.add(301, Story().pay(OURS, OTHER, USDT, 50), mine=True)
    script.add(302, pays(7))
    script.add(900, Story().pay(OURS, OTHER, USDT, 7), mine=True)
    script.add(901, Story().pay(OURS, OTHER, USDT, 7).pay(OTHER, OURS, APT, 3), mine=True)  # a swap of our own
    assert await scan(script, 10) == (1000, [300, 302, 901])
    assert "transactions" not in script.asked  # numbered ones are no reason to read everything


async def test_own_transactions_that_do_not_fit_the_stretch_are_no_answer() -> None:
    """Where ours lie is what makes a piece one that only grows: told wrongly, it could hide what came."""
    for field, value in [("sequence_number", "5"), ("version", "5"), ("version", "1001"), ("success", None)]:
        script = Script(last=1000)
        script.add(300, pays(50))
        script.add(301, Story().pay(OURS, OTHER, USDT, 50), mine=True)
        script.bodies[301] = {**script.bodies[301], field: value}
        with pytest.raises(NodeFailed):
            await scan(script, 10)
    script = Script(last=1000)
    script.add(301, Story().pay(OURS, OTHER, USDT, 50), mine=True)
    script.add(302, Story().pay(OURS, OTHER, USDT, 50), mine=True)
    whole = script.say

    def says_none(path: str, params: dict[str, Any]) -> Answer:
        return Answer(200, [], {}) if path == f"accounts/{OURS}/transactions" else whole(path, params)

    script.say = says_none  # type: ignore[method-assign]
    with pytest.raises(NodeFailed, match="broken_page"):
        await scan(script, 10)


async def test_a_stretch_that_shrinks_without_a_number_is_read_one_by_one() -> None:
    script = Script(last=1000)
    script.add(300, pays(50))
    script.add(301, Story().pay(OURS, OTHER, USDT, 60), mine=True, numbered=False)
    script.add(302, pays(7))
    assert await scan(script, 10) == (1000, [300, 302])
    rises = Script(last=1000)
    rises.add(300, pays(50))
    rises.add(301, Story().pay(OURS, OTHER, USDT, 60), mine=True, numbered=False)
    rises.add(302, pays(70))
    assert await scan(rises, 10) == (1000, [300, 302])


async def test_a_node_without_balances_is_read_one_by_one_and_only_so_far() -> None:
    script = Script(last=5000)
    script.no_balances = True
    script.add(300, pays(50))
    script.add(4000, pays(6))
    assert await scan(script, 10) == (2010, [300])
    assert await scan(script, 2010) == (4010, [4000])


async def test_more_arrivals_than_one_look_takes_are_left_for_the_next() -> None:
    script = Script(last=100_000)
    versions = list(range(1000, 1000 + 90))
    for version in versions:
        script.add(version, pays(5))
    found: list[int] = []
    at = 10
    for _ in range(5):
        at, some = await scan(script, at)
        found += some
    assert sorted(set(found)) == versions
    assert at == 100_000


async def test_arrivals_side_by_side_share_the_questions_that_lead_to_them() -> None:
    script = Script(last=1_000_000)
    for version in range(500_000, 500_030):
        script.add(version, pays(5))
    assert await scan(script, 10) == (1_000_000, list(range(500_000, 500_030)))
    balances = [path for path in script.asked if "/balance/" in path]
    assert len(balances) < 120  # found one by one they took twenty each


async def test_a_second_reading_takes_more_than_one_call_to_be_whole() -> None:
    """A first node that hides half of many arrivals must not be alone with its story for that."""
    honest, liar = Script(last=100_000), Script(last=100_000)
    versions = list(range(1000, 1100))
    for version in versions:
        honest.add(version, pays(5))
        if version % 3 == 0:
            liar.add(version, pays(5))
    found = await chain(liar, honest).scan(after=10, limit=10**6, fresh=0)
    assert found.upto == 100_000
    assert sorted(int(each, 16) for each in found.hashes) == versions
    honest.no_balances = True
    with pytest.raises(NodeFailed, match="too_much_to_read"):
        await node(honest).final_hashes(after=10, upto=100_000)


async def test_what_is_read_one_by_one_is_read_once_for_all_assets_and_told_when_it_is_ours() -> None:
    script = Script(last=1010)
    script.no_balances = True
    script.add(300, pays(50))
    script.add(301, pays(50), success=False)
    script.add(302, pays(50, FAKE))
    script.add(303, pays(0))
    script.add(304, Story().pay(PAYER, OURS, USDT, 5, store="0x" + "77" * 32))
    script.add(305, pays(7, APT))
    assert await scan(script, 10) == (1010, [300, 305])
    assert script.asked.count("transactions") == 10
    assert not [path for path in script.asked if "by_version" in path]


async def test_pages_too_large_to_take_are_asked_for_in_halves() -> None:
    script = Script(last=200)
    script.no_balances = True
    script.most_rows = 30
    script.add(55, pays(50))
    assert await scan(script, 10) == (200, [55])
    script.most_rows = 0
    with pytest.raises(NodeFailed, match="body_too_large"):
        await scan(script, 10)


BALANCE = f"accounts/{OURS}/balance"


async def test_a_version_that_is_not_everywhere_yet_is_asked_for_again() -> None:
    script = Script(last=1000)
    script.add(1000, pays(50))
    for late in (BALANCE, f"accounts/{OURS}", "transactions/by_version"):
        script.not_yet = [late, late]
        assert await scan(script, 10) == (1000, [1000])
        assert script.not_yet == []
        script.not_yet = [late] * 3
        with pytest.raises(NodeFailed, match="version_not_found"):
            await scan(script, 10)
    assert "transactions" not in script.asked  # it is no reason to read everything


async def test_only_a_node_that_does_not_know_the_question_is_read_one_by_one() -> None:
    script = Script(last=1000)
    whole = script.say

    def says(path: str, params: dict[str, Any]) -> Answer:
        odd = Answer(404, {"message": "?", "error_code": "table_item_not_found", "vm_error_code": None}, {})
        return odd if path.startswith(BALANCE) else whole(path, params)

    script.say = says  # type: ignore[method-assign]
    with pytest.raises(NodeFailed, match="http_404"):
        await scan(script, 10)


async def test_another_transaction_than_the_one_asked_for_is_no_answer() -> None:
    script = Script(last=1000)
    script.add(300, pays(50))
    script.bodies[300] = {**script.bodies[300], "version": "301"}
    with pytest.raises(NodeFailed, match="another_transaction"):
        await scan(script, 10)


async def test_nothing_is_told_from_beyond_where_a_look_ended() -> None:
    script = Script(last=100_000)
    for version in range(1000, 1090):
        script.add(version, pays(5))
    script.add(90_000, pays(5, APT))
    upto, found = await scan(script, 10)
    assert upto == 1039
    assert found == list(range(1000, 1040))


async def test_what_failed_is_asked_anew_and_not_kept() -> None:
    script = Script(last=10**6)
    script.add(500, pays(50))
    asked = node(script)
    for last in range(10**6, 10**6 + 50):
        script.last = last
        script.not_yet = ["transactions/by_version"] * 3
        with pytest.raises(NodeFailed):
            await asked.scan(after=10, limit=10**7, fresh=0)
    assert len(asked._known) <= 6
    assert (await asked.scan(after=10, limit=10**7, fresh=0)).upto == last


async def test_a_token_that_counts_otherwise_than_we_think_is_no_answer() -> None:
    script = Script(last=1000)
    script.decimals = 6
    assert await node(script).finalized() == 1000
    for wrong in (8, "6", True, None):
        script.decimals = {"told": wrong} if wrong is None else wrong
        with pytest.raises(NodeFailed, match="other_decimals"):
            await node(script).finalized()
    script.decimals = None  # a node that does not tell is not refused for it
    assert await node(script).finalized() == 1000


async def test_what_a_node_has_forgotten_is_no_answer() -> None:
    script = Script(last=1000, first=500)
    with pytest.raises(NodeFailed, match="version_pruned"):
        await scan(script, 10)


async def test_the_second_node_shows_what_the_first_one_hides() -> None:
    honest, liar = Script(last=1000), Script(last=1000)
    honest.add(300, pays(50))
    found = await chain(liar, honest).scan(after=10, limit=10**6, fresh=0)
    assert [int(each, 16) for each in found.hashes] == [300]


async def test_two_nodes_that_tell_one_story_agree_and_others_do_not() -> None:
    one, other = Script(last=1000), Script(last=1000)
    sent = one.add(300, pays(50))
    other.add(300, pays(50))
    both = chain(one, other)
    found = await both.transaction(sent)
    assert isinstance(found, Found)
    assert await both.confirm(found) == "agrees"
    other.add(300, pays(51))
    assert await both.confirm(found) == "differs"


@pytest.mark.parametrize("said", ["5", -1, True, None, {"balance": 5}])
async def test_a_balance_that_is_no_number_is_no_answer(said: Any) -> None:
    script = Script(last=1000)
    whole = script.say

    def lies(path: str, params: dict[str, Any]) -> Answer:
        return Answer(200, said, {}) if "/balance/" in path else whole(path, params)

    script.say = lies  # type: ignore[method-assign]
    with pytest.raises(NodeFailed):
        await scan(script, 10)


async def test_pages_with_a_gap_are_no_answer() -> None:
    script = Script(last=1000)
    script.no_balances = True
    script.bodies[50] = script.at(51)
    with pytest.raises(NodeFailed, match="broken_page"):
        await scan(script, 10)


async def test_a_node_that_is_not_past_a_stretch_says_so() -> None:
    with pytest.raises(NodeFailed, match="not_past_it"):
        await node(Script(last=1000)).final_hashes(after=10, upto=1001)
