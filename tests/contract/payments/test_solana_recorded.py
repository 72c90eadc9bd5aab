"""The Solana adapter against what real nodes were recorded to say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.payments.nodes import Scripted, fixture, result
from tests.contract.payments.solana_nodes import OURS, USDC, Slots, brought, chain, key, paid, reason, sig, told
from viralcore.core.http import Answer, BreakerOpen, NoAnswer, NotSent
from viralcore.payments.adapters.solana_keys import associated_account
from viralcore.payments.domain.chain import NATIVE
from viralcore.payments.ports import ChainUnavailable, Found, Missing, Pending

WITH_MEMO = "solana/getTransaction_jsonParsed_native_sol_with_memo.json"
NATIVE_SOL = "solana/getTransaction_json_native_sol.json"
TOKENS = "solana/getTransaction_json_spl_transferChecked.json"
TOKENS_2022 = "solana/getTransaction_json_token2022_transfer.json"
SWAP = "solana/getTransaction_json_v0_swap_with_lookup_tables.json"
USDC_AND_SOL = {USDC: "USDC", NATIVE: "SOL"}


def recorded(name: str) -> tuple[Slots, str]:
    """A node that knows this one transaction, and its id."""
    body = fixture(name)["result"]
    return Slots(body, final=body["slot"]), body["transaction"]["signatures"][0]


@pytest.mark.parametrize(
    ("name", "ours", "amount", "slot", "time"),
    [
        (WITH_MEMO, "2b7iQq3PbWwWTotRSDFNXT9DauU418aCHK4jcAzETUem", 1_000_000, 185471096, 1680146043),
        (NATIVE_SOL, "3AmPaYAe6xWFxci4iCe8m2TkrQFZJPaj5AeBPTDoeFkR", 718_759_267, 370768078, 1759436023),
    ],
)
async def test_the_recorded_coins_are_what_the_balance_grew_by(
    name: str, ours: str, amount: int, slot: int, time: int
) -> None:
    made, signature = recorded(name)
    found = await told(made, signature, ours=ours)
    assert (found.hash, found.success, found.final, found.block) == (signature, True, True, slot)
    assert found.block_time.timestamp() == time
    assert brought(found, ours) == [("SOL", 0, amount)]


async def test_who_sent_the_recorded_coins_was_paid_nothing() -> None:
    made, signature = recorded(WITH_MEMO)
    sender, payer = "DT1mBDFsNBc1UXa25RdxNvnjL5Lro7su7gX1zpLyCmWe", "FG4Y3yX4AAchp1HvNZ7LfzFTewF2f6nDoMDCohTFrdpT"
    for ours in (sender, payer):
        assert reason(await told(made, signature, ours=ours), ours) == "self_transfer"
    assert reason(await told(made, signature)) == "wrong_recipient"


async def test_the_signature_of_who_signed_beside_is_no_transaction() -> None:
    made, signature = recorded(WITH_MEMO)
    beside = made.told[signature]["transaction"]["signatures"][1]
    made.changes["getTransaction"] = result(made.told[signature])
    assert await chain(Scripted(made)).transaction(beside) == Missing(1)
    with pytest.raises(ChainUnavailable):
        await chain(Scripted(made)).transaction(sig(5))


async def test_the_recorded_tokens_are_what_their_account_grew_by() -> None:
    made, signature = recorded(TOKENS)
    ours = "GabwTHe1P9wLKCqqBNBnAPgD71K8j8Dp4Uk4L6EyFUnK"
    found = await told(made, signature, ours=ours, contracts={USDC: 6})
    assert brought(found, ours, USDC_AND_SOL) == [("USDC", 3, 29_697_870)]
    assert reason(await told(made, signature, ours=ours), ours) == "wrong_token"
    sender = "54r6W445JsjDf5UGzmVtcczsPpgg3B3J16USuNcu1EY"
    assert brought(await told(made, signature, ours=sender, contracts={USDC: 6}), sender, USDC_AND_SOL) == []


async def test_of_the_recorded_token_with_a_fee_what_arrived_counts() -> None:
    made, signature = recorded(TOKENS_2022)
    ours, mint = "5Sp1e78jLb9b4B8FMFEGobzQCc9kW23tydFNaeGsNJSt", "7atgF8KQo4wJrD5ATGX7t1V2zVvykPJbFfNeVf1icFv1"
    assert reason(await told(made, signature, ours=ours), ours) == "wrong_token"
    found = await told(made, signature, ours=ours, contracts={mint: 2})
    assert brought(found, ours, {mint: "T22"}) == [("T22", 5, 368_640_000)]  # 384,000,000 were sent


async def test_the_recorded_swap_with_lookup_tables_pays_each_its_net_change() -> None:
    made, signature = recorded(SWAP)
    paid_out, pool = "EEne7rPNgqPXLEK3Hv74KwkxJKPgaMHUd39LNx9yXbiK", "81MPQqJY58rgT83sy99MkRHs2g3dyy6uWKHD24twV62F"
    found = await told(made, signature, ours=paid_out, contracts={USDC: 6})
    assert brought(found, paid_out, USDC_AND_SOL) == [("SOL", 0, 17_359_440), ("USDC", 10, 34_852_339)]
    found = await told(made, signature, ours=pool, contracts={USDC: 6})
    wrapped = [each for each in found.movements if each.contract == "So11111111111111111111111111111111111111112"]
    assert [(each.recipient, each.amount) for each in wrapped] == [(pool, 114_083_186_699 - 113_865_041_554)]
    assert brought(found, pool, USDC_AND_SOL) == []  # its coins are in its token account, its tokens went out


async def test_all_accounts_named_at_once_read_the_same_as_with_lookup_tables() -> None:
    """``jsonParsed`` puts loaded accounts into the message."""
    made, signature = recorded(SWAP)
    ours = "EEne7rPNgqPXLEK3Hv74KwkxJKPgaMHUd39LNx9yXbiK"
    plain = await told(made, signature, ours=ours, contracts={USDC: 6})
    told_ = made.told[signature]
    loaded = told_["meta"].pop("loadedAddresses")
    static = told_["transaction"]["message"]["accountKeys"]
    told_["transaction"]["message"]["accountKeys"] = [
        {"pubkey": each, "signer": False, "writable": True, "source": "whatever"}
        for each in [*static, *loaded["writable"], *loaded["readonly"]]
    ]
    assert await told(made, signature, ours=ours, contracts={USDC: 6}) == plain


def test_recorded_token_accounts_are_where_wallets_derive_them() -> None:
    for owner, account in (
        ("GabwTHe1P9wLKCqqBNBnAPgD71K8j8Dp4Uk4L6EyFUnK", "BKHLvZxmSGUJRMX9WPPLFTQvRTktctpL6At2yWnxbLtV"),
        ("54r6W445JsjDf5UGzmVtcczsPpgg3B3J16USuNcu1EY", "EHF3dReNcLKmop3j2EhZuABtq7hnEzyS6VFBqsTsz5Mt"),
        ("9rJ4QzDLYm5VARnuWcMFMzB4Nr1hKprGQWb8LTfsU6Q2", "F54yhxDkhsprqQoRV5L1dCQKKFSY1WBzFQ6YaVRuW42T"),
    ):
        assert associated_account(owner, USDC) == account


async def test_an_unknown_transaction_is_missing_and_one_heard_of_is_pending() -> None:
    made = Slots(paid())
    assert fixture("solana/getTransaction_null_unknown.json") == made("getTransaction", [sig(2), FINALIZED])
    assert await chain(Scripted(made)).transaction(sig(2)) == Missing(1)
    assert await chain(Scripted(made), Scripted(made), Scripted(made)).transaction(sig(2)) == Missing(2)
    made.statuses.add(sig(2))
    assert await chain(Scripted(made)).transaction(sig(2)) == Pending()


FINALIZED = {"commitment": "finalized", "maxSupportedTransactionVersion": 0}


async def test_the_recorded_answer_to_two_questions_is_none_to_one() -> None:
    made = Slots()
    made.changes["getSignatureStatuses"] = fixture("solana/getSignatureStatuses_200.json")
    with pytest.raises(ChainUnavailable):
        await chain(Scripted(made)).transaction(sig(2))


async def test_the_recorded_list_gives_its_transactions_the_oldest_first() -> None:
    made = Slots(final=356623156)
    made.changes["getSignaturesForAddress"] = fixture("solana/getSignaturesForAddress_trimmed.json")
    newer, older = (each["signature"] for each in made.changes["getSignaturesForAddress"]["result"])
    one = chain(Scripted(made))
    assert (await one.scan(after=356623152, limit=10, fresh=0)).hashes == (newer,)
    assert (await one.scan(after=356623152, limit=3, fresh=0)).hashes == ()
    with pytest.raises(ChainUnavailable):  # told twice, it can never be said where the list ends
        await one.scan(after=356623151, limit=10, fresh=0)
    made.changes["getSignaturesForAddress"]["result"].append({"signature": sig(9), "slot": 356623151, "err": None})
    assert (await one.scan(after=356623151, limit=10, fresh=0)).hashes == (older, newer)


async def test_what_a_node_says_of_its_limits_changes_nothing() -> None:
    headers = {name: value[0] for name, value in fixture("solana/http_headers_public_rpc_2026.json").items()}

    class Public(Scripted):
        async def read_json(self, method: str, path: str = "", *, json: Any = None, **more: Any) -> Answer:
            answer = await super().read_json(method, path, json=json, **more)
            return Answer(answer.status, answer.body, headers)

    assert isinstance(await chain(Public(Slots(paid()))).transaction(sig(1)), Found)


ERRORS = [
    "error_32004_block_not_available",
    "error_32005_node_behind",
    "error_32009_long_term_storage_slot_skipped",
    "error_32011_history_not_available",
    "error_32015_unsupported_version",
    "error_32019_long_term_storage_unreachable",
    "error_32602_wrong_size",
    "error_429_http",
    "getHealth",
    "helius_enhanced_transaction_200",
]
BROKEN: list[Any] = [
    *[fixture(f"solana/{name}.json") for name in ERRORS],
    Answer(429, fixture("solana/error_429_http.json"), {"retry-after": "1"}),
    Answer(403, {"jsonrpc": "2.0", "id": 1, "result": None}, {}),
    "<html>rate limited</html>",
    [],
    {},
    {"jsonrpc": "2.0", "id": 1},
    {"result": None},
    NoAnswer("solana", "server_error", status=503),
    NotSent("solana", "connect_error"),
    BreakerOpen("solana"),
]


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
async def test_an_error_rotates_to_another_node_and_never_means_not_found(body: Any) -> None:
    broken, sound = Scripted(lambda *_: {}, whole=body), Scripted(Slots(paid()))
    asked = chain(broken, sound)
    assert isinstance(await asked.transaction(sig(1)), Found)
    assert (await asked.scan(after=999, limit=1, fresh=0)).hashes == (sig(1),)
    assert await asked.finalized() == 1000
    alone = chain(Scripted(lambda *_: {}, whole=body))
    with pytest.raises(ChainUnavailable):
        await alone.transaction(sig(1))
    with pytest.raises(ChainUnavailable):
        await alone.scan(after=0, limit=1, fresh=0)
    with pytest.raises(ChainUnavailable):
        await alone.finalized()


METHODS = ["getSlot", "getTokenAccountsByOwner", "getSignaturesForAddress"]


@pytest.mark.parametrize("name", [*ERRORS, "getTransaction_null_unknown"])
@pytest.mark.parametrize("method", METHODS)
async def test_an_error_to_any_question_of_a_look_stops_the_look(method: str, name: str) -> None:
    made = Slots(paid())
    body = fixture(f"solana/{name}.json")
    made.changes[method] = body if isinstance(body, dict) else result(body)
    with pytest.raises(ChainUnavailable):
        await chain(Scripted(made)).scan(after=999, limit=1, fresh=0)


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("method", ["getTransaction", "getSignatureStatuses"])
async def test_an_error_to_any_question_about_a_hash_is_no_null(method: str, name: str) -> None:
    made = Slots()
    body = fixture(f"solana/{name}.json")
    made.changes[method] = body if isinstance(body, dict) else result(body)
    with pytest.raises(ChainUnavailable):
        await chain(Scripted(made)).transaction(sig(1))
    assert await chain(Scripted(made), Scripted(Slots())).transaction(sig(1)) == Missing(1)


async def test_our_wallet_is_none_of_the_recorded_ones() -> None:
    assert key("ours") == OURS
    for name in (WITH_MEMO, NATIVE_SOL, TOKENS, TOKENS_2022, SWAP):
        made, signature = recorded(name)
        assert reason(await told(made, signature)) == "wrong_recipient"
