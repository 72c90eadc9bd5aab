"""Staff decide about what they saw: a claim's work is fixed with its proof, and other proof is another decision."""

from __future__ import annotations

import pytest

from tests.integration.boosts.conftest import Shop
from tests.integration.boosts.crowd import OWNER, Town
from viralcore.boosts.api import ClaimChanged, ClaimClosed

PROFILE = "https://x.com/fan5"


@pytest.fixture
def engines() -> None:
    """The engines of the settings."""


@pytest.fixture
def town(shop: Shop) -> Town:
    return Town(shop)


async def test_nothing_is_added_to_a_claim_whose_proof_is_handed_in(town: Town) -> None:
    """A profile proves a repost; it must not prove a reply that is claimed afterwards."""
    await town.groups(1)
    post = await town.post(await town.order())
    taken = await town.take(post, 5, "reposts")
    await town.crowd.submit(key="k", user_id=5, claim_id=taken.claim.id, text=PROFILE)
    with pytest.raises(ClaimClosed):
        await town.take(post, 5, "comments")
    approved = await town.approve(taken.claim.id)
    assert approved.metrics == ("reposts",)
    assert [e["metric"] for e in await town.shop.events("claim_approved")] == ["reposts"]
    with pytest.raises(ClaimClosed):
        await town.take(post, 5, "comments")


@pytest.mark.parametrize("how", ["approve", "reject"])
async def test_a_decision_about_other_proof_is_refused(town: Town, how: str) -> None:
    await town.groups(1)
    post = await town.post(await town.order())
    (claim,) = await town.replied(post, 5)
    seen = (await town.crowd.claim(claim_id=claim)).version
    await town.prove(claim, 5, 4242)
    more = {} if how == "approve" else {"reason": "not a reply"}
    with pytest.raises(ClaimChanged):
        await getattr(town.crowd, how)(key="k", actor=OWNER, claim_id=claim, seen=seen, **more)
    assert (await town.crowd.claim(claim_id=claim)).state == "submitted"
    assert await town.shop.events("claim_approved") == []
    now = await town.approve(claim)
    assert (now.state, now.proofs) == ("approved", ("https://x.com/fan5/status/2000000000000004242",))
